"""COCO Camera Traps (FORMATS 4): boxes in pixels, one category an animal, 0 for an empty photo.

Ours beside the format's own fields: waterhole_source (human | predicted), waterhole_probability, waterhole_score (the
detector's), waterhole_who, waterhole_certain and more (app/formats/coco.py). A photo that cannot be opened is kept with corrupt:
true and no annotation; one that an import names, and of which nobody says anything, has no annotation either. What an import says
of a photo whose file is not here goes out as it came in.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from app.exports.camtrap_kept import Ids
from app.exports.cells import TextSink
from app.exports.clocks import utc
from app.exports.imported import Brought, Figure, Guess, Imported, Kept, named
from app.exports.naming import HUMAN, NOT_ANIMAL, PREDICTED, Said
from app.exports.queries import CountedBox, Photo
from app.exports.sinks import Later, as_json
from app.exports.study import Study
from app.formats.coco import KEPT, category_word
from models.deployment import Deployment
from models.image import COUNTING, QUARANTINED, REFUSED, Image
from models.import_records import ANIMAL, BLANK, MACHINE, PERSON, UNKNOWN, VEHICLE
from models.imported import ImportRow
from models.species import TAXON

EMPTY, UNCLASSIFIED = "empty", "unclassified"
WORDS = {BLANK: EMPTY, PERSON: "person", VEHICLE: "vehicle", UNKNOWN: "unknown"}
KIND_OF = {"person": "person", "vehicle": "vehicle"}  # what is seen -> which box a detector draws round it, else animal


def write(study: Study, sink: TextSink) -> int:
    """The file; how many photos. Annotations wait in a file without a name until the photos are written."""
    later, out = Later(), Writer(study)
    head = {"info": {"version": "1.0", "description": study.project.name, "contributor": "Waterhole"}}
    sink.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "images": [')
    count = annotated = 0
    for photo, said, brought, frame, frames in in_bursts(out.imported):
        made = out.image(photo, frame, frames) | out.not_animals(photo, said, brought)
        sink.write((",\n" if count else "\n") + as_json(made))
        count += 1
        for each in out.annotations_of(photo, said, brought):
            later.write((",\n" if annotated else "\n") + as_json(each))
            annotated += 1
    for broken in corrupt(study):
        sink.write((",\n" if count else "\n") + as_json(broken))
        count += 1
    sink.write('\n ],\n "annotations": [')
    later.copy(sink)
    sink.write('\n ],\n "categories": ' + json.dumps(out.categories.listed(), indent=1, ensure_ascii=False) + "\n}\n")
    return count


class Categories:
    """Names without capitals and spaces, each once."""

    def __init__(self, study: Study) -> None:
        """Every answer of the project, in the order of their ids."""
        self.ids: dict[str, int] = {EMPTY: 0}
        self._of: dict[int, int] = {}
        self._taxa: dict[int, tuple[str, str, str, str]] = {}  # category -> kind, name, scientific name, rank
        for species_id in sorted(study.taxa):
            species = study.taxa[species_id].species
            if species.kind == NOT_ANIMAL:
                continue
            word = category_word(species.name if species.kind != "cannot_tell" else "unknown")
            while word in self.ids:
                word += "_"
            self.ids[word] = self._of[species_id] = len(self.ids)
            self._taxa[self.ids[word]] = (species.kind, species.name, species.scientific_name, species.rank)
        self.ids.setdefault(UNCLASSIFIED, len(self.ids))

    def of(self, species_id: int | None) -> int:
        """The category of a box."""
        return self._of.get(species_id or 0, self.ids[UNCLASSIFIED])

    def called(self, name: str) -> int:
        """The category of a name of a file, a new one where there is none."""
        return self.ids.setdefault(category_word(name), len(self.ids))

    def of_kept(self, kept: Kept) -> int:
        """What an import saw: a species of ours, else the word of its file."""
        record = kept.record
        if kept.species_id is not None:
            return self.of(kept.species_id)
        word = record.details.get("category") or WORDS.get(record.kind) or named(record)
        if not word:
            return self.ids[UNCLASSIFIED]
        id_ = self.called(str(word))
        if record.kind == ANIMAL:
            self._taxa.setdefault(id_, (TAXON, named(record), record.scientific_name, ""))
        return id_

    def listed(self) -> list[dict[str, Any]]:
        """As the file lists them, with the names as they are written here."""
        made = []
        for word, id_ in self.ids.items():
            fields = ("kind", "name", "scientific_name", "rank")
            said = zip(fields, self._taxa.get(id_, ()), strict=False)
            one = {"id": id_, "name": word} | {f"waterhole_{field}": value for field, value in said if value}
            made.append(one)
        return made


Seen = tuple[Photo, list[Said], Brought]


def in_bursts(imported: Imported) -> Iterator[tuple[Photo, list[Said], Brought, int, int]]:
    """Each photo with its place in its burst, from 0, and the size of the burst; bursts lie together in the order of export."""
    for sequence_id, group in itertools.groupby(imported.photos(), key=lambda seen: seen[0].sequence_id):
        burst: list[Seen] | None = list(group) if sequence_id is not None else None
        for frame, seen in enumerate(burst if burst is not None else group):
            yield *seen, frame if burst else 0, len(burst) if burst else 1


class Writer:
    """The images and annotations of one project."""

    def __init__(self, study: Study) -> None:
        """Reads which ids imports gave."""
        self._study, self.imported, self.categories = study, Imported(study), Categories(study)
        here = Image.project_id == study.project.id, Image.state.in_(COUNTING)
        self._images = Ids(ids_of(study, Image.details["imageID"], *here) if self.imported.ids else ())
        made = ImportRow.record["details"]["annotationID"]
        is_ours = ImportRow.import_id.in_(self.imported.ids)
        self._annotations = Ids(ids_of(study, made, is_ours) if self.imported.ids else ())

    def image(self, photo: Photo, frame: int, frames: int) -> dict[str, Any]:
        """One photo."""
        row, kept = photo.row, photo.row.details or {}
        made: dict[str, Any] = {"id": self._image_id(photo), "file_name": photo.path}
        if row.width_px and row.height_px:
            made |= {"width": row.width_px, "height": row.height_px}
        if photo.taken_at is not None:
            made["datetime"] = f"{photo.taken_at:%Y-%m-%d %H:%M:%S}"
        if photo.sequence_id is not None:
            made |= {"seq_id": str(photo.sequence_id), "seq_num_frames": frames, "frame_num": frame}
        if "imageID" in kept:  # an import says it, also that there is no sequence
            made = {name: value for name, value in made.items() if not name.startswith(("seq_", "frame_"))}
            made |= {name: kept[name] for name in KEPT if name in kept}
        made |= {"location": self._study.stations[photo.deployment].site_name, "waterhole_deployment": photo.deployment}
        said = {"capture_method": row.capture_method, "setup": row.setup, "favorite": row.favorite}
        return made | {f"waterhole_{field}": value for field, value in said.items() if value}

    def not_animals(self, photo: Photo, said: list[Said], brought: Brought) -> dict[str, Any]:
        """Boxes that people called "not an animal": no annotation of the format can say so."""
        if brought.is_as_imported:
            boxes = [self._kept(photo, each) for each in brought.rows if each.record.kind == BLANK and each.record.box]
        else:
            both = zip(said, photo.boxes, strict=True)
            boxes = [self._boxed(photo, each, box, brought) for each, box in both if each.kind == NOT_ANIMAL]
        dropped = ("image_id", "category_id", "sequence_level_annotation")
        listed = [{name: value for name, value in each.items() if name not in dropped} for each in boxes]
        return {"waterhole_not_animals": listed} if listed else {}

    def annotations_of(self, photo: Photo, said: list[Said], brought: Brought) -> Iterator[dict[str, Any]]:
        """One a box; an empty photo has one of category 0 and nothing else."""
        if brought.is_as_imported:
            yield from self._as_imported(photo, brought)
            return
        counting = [(each, box) for each, box in zip(said, photo.boxes, strict=True) if each.kind != NOT_ANIMAL]
        for each, box in counting:
            yield self._boxed(photo, each, box, brought)
        figures = [] if photo.boxes else brought.figures
        counted = [each for each in figures if each.count]
        for number, figure in enumerate(counted, 1):
            yield self._counted(photo, figure, number)
        if not counting and not counted:
            yield self._empty(photo, said, figures)

    def _as_imported(self, photo: Photo, brought: Brought) -> Iterator[dict[str, Any]]:
        for kept in brought.rows:
            if not (kept.record.kind == BLANK and kept.record.box) and self._counts(kept):
                yield self._kept(photo, kept)
        if photo.detector_id is not None and not any(self._counts(kept) for kept in brought.rows):
            yield self._empty(photo, [], [])

    def _counts(self, kept: Kept) -> bool:
        record = kept.record
        is_sure = record.score is None or record.score >= self._study.project.count_above
        return record.box is None or is_sure or record.said_by == HUMAN

    def _kept(self, photo: Photo, kept: Kept) -> dict[str, Any]:
        """An annotation as an import says it."""
        record, details = kept.record, kept.record.details
        made: dict[str, Any] = {
            "id": self._annotations.of(details.get("annotationID"), f"i{kept.row_id}-{kept.number}"),
            "image_id": self._image_id(photo), "category_id": self.categories.of_kept(kept),
        }  # fmt: skip
        if record.box is not None:
            made |= outline(photo, record.box)
        if record.count is not None:
            made["count"] = record.count
        made["sequence_level_annotation"] = kept.is_aside
        made |= {"score": details["score"]} if "score" in details else {}
        by_machine = record.said_by == MACHINE or not record.said_by
        said: dict[str, Any] = {
            "source": details.get("source") or (PREDICTED if by_machine else HUMAN),
            "score": record.score if "score" not in details else None,
            "probability": record.guesses[0][1] if record.guesses else None, "who": record.who or None,
            "certain": not record.unsure if record.who and record.box else None,
            "when": details.get("classificationTimestamp"), "sex": record.sex, "life_stage": record.life_stage,
            "behaviour": record.behaviour, "detected_as": record.box_kind,
        }  # fmt: skip
        return made | {f"waterhole_{field}": value for field, value in said.items() if value not in (None, "")}

    def _boxed(self, photo: Photo, each: Said, box: CountedBox, brought: Brought) -> dict[str, Any]:
        """One box, in pixels where the size of the photo is known, else as shares."""
        made: dict[str, Any] = {
            "id": self._annotations.of(None, f"b{box.id}"), "image_id": self._image_id(photo),
            "category_id": self.categories.of(each.species_id),
        }  # fmt: skip
        made |= outline(photo, box.corners) | {"sequence_level_annotation": False, "waterhole_source": each.source}
        if not box.is_drawn:
            made["waterhole_score"] = round(box.score, 4)
        if each.probability is not None:
            made["waterhole_probability"] = round(each.probability, 4)
        if each.who:
            voice = brought.voices.get(box.label_id or 0)
            who, when = (voice.record.who, voice.record.details.get("classificationTimestamp")) if voice else ("", "")
            made |= {"waterhole_who": who or each.who, "waterhole_certain": bool(each.certain)}
            when = when or (utc(each.when) if each.when else "")
            made |= {"waterhole_when": when} if when else {}
        made |= {f"waterhole_{field}": value for field, value in each.observed.said.items()}
        if box.kind != KIND_OF.get(each.kind, ANIMAL):
            made["waterhole_detected_as"] = box.kind
        guess = brought.guesses.get(box.id) if each.kind == UNCLASSIFIED else None
        return made | (self._guessed(guess[0]) if guess else {})

    def _guessed(self, guess: Guess) -> dict[str, Any]:
        """A machine's name of an import, for a box that nobody here and no classifier of ours named."""
        id_ = self.categories.of(guess.species_id) if guess.species_id else self.categories.called(guess.name)
        return {"category_id": id_} | ({"waterhole_probability": round(guess.p, 4)} if guess.p is not None else {})

    def _counted(self, photo: Photo, figure: Figure, number: int) -> dict[str, Any]:
        """What a person counted in a photo without boxes."""
        return {
            "id": self._annotations.of(None, f"p{photo.id}-{number}"), "image_id": self._image_id(photo),
            "category_id": self.categories.of(figure.species_id), "count": figure.count, "sequence_level_annotation": False,
            "waterhole_source": HUMAN, "waterhole_who": figure.who, "waterhole_when": utc(figure.when),
        }  # fmt: skip

    def _empty(self, photo: Photo, said: Sequence[Said], figures: Sequence[Figure]) -> dict[str, Any]:
        by_people = bool(said) and not photo.has_unnamed_crop and all(each.source == HUMAN for each in said)
        spoken = [(each.when, each.who) for each in said if by_people] + [(each.when, each.who) for each in figures]
        made = {
            "id": self._annotations.of(None, f"n{photo.id}"), "image_id": self._image_id(photo), "category_id": 0,
            "sequence_level_annotation": False, "waterhole_source": HUMAN if spoken else PREDICTED,
        }  # fmt: skip
        if not spoken:
            return made
        when, who = max(spoken, key=lambda each: str(each[0]))
        return made | {"waterhole_who": who} | ({"waterhole_when": utc(when)} if when else {})

    def _image_id(self, photo: Photo) -> str:
        return self._images.of((photo.row.details or {}).get("imageID"), str(photo.id))


def ids_of(study: Study, what: Any, *which: Any) -> Iterator[str]:
    """The ids that imports gave, where they gave any."""
    rows = study.session.execute(select(what.as_string()).where(*which).execution_options(yield_per=10_000))
    return (id_ for (id_,) in rows if id_)


def outline(photo: Photo, corners: Sequence[float]) -> dict[str, Any]:
    """A box in pixels where the size of the photo is known, else as shares: left, top, width, height."""
    x_min, y_min, x_max, y_max = corners
    shares = [x_min, y_min, x_max - x_min, y_max - y_min]
    if not (photo.row.width_px and photo.row.height_px):
        return {"bbox_relative": [round(share, 6) for share in shares]}
    sides = (photo.row.width_px, photo.row.height_px) * 2
    return {"bbox": [round(share * side, 3) for share, side in zip(shares, sides, strict=True)]}


def corrupt(study: Study) -> Iterator[dict[str, Any]]:
    """Photos that cannot be opened."""
    rows = study.session.execute(
        select(Image.id, Image.path, Deployment.name)
        .join(Deployment, Deployment.id == Image.deployment_id)
        .where(Image.project_id == study.project.id, Image.state.in_((QUARANTINED, REFUSED)))
        .order_by(Image.path, Image.id)
    )
    for image_id, path, name in rows:
        yield {
            "id": str(image_id), "file_name": path, "corrupt": True, "location": study.stations[name].site_name,
            "waterhole_deployment": name,
        }  # fmt: skip
