"""MegaDetector results 1.6 (FORMATS 3): every box that was kept with its detector's score, and what it is called.

A name that people settled has the probability 1.0; where nobody named a box stand the classifier's likeliest ones. The format
cannot tell the two apart. A box that a person drew has the score 1.0.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from app.exports.cells import TextSink
from app.exports.imported import Brought, Guess, Imported
from app.exports.naming import HUMAN, Said
from app.exports.queries import CountedBox, Photo
from app.exports.sinks import as_json
from app.exports.study import Study
from models.checkpoint import Checkpoint
from models.image import QUARANTINED, REFUSED, Image
from models.imported import PHOTO, ImportedName, ImportRow

DETECTIONS = {"1": "animal", "2": "person", "3": "vehicle"}
CATEGORY = {"person": "2", "vehicle": "3"}
MOST_GUESSES = 5
# What the card of a network says that only a file names.
FROM_FILES = ("megadetector", "megadetector-json", "camtrap-dp", "coco", "csv", "timelapse", "wildlife-insights")
CHUNK = 500


def write(study: Study, sink: TextSink) -> int:
    """The file, photo by photo; how many photos. The names of the categories come first, so readers may stream it too."""
    imported = Imported(study)
    names = {species_id: str(species_id) for species_id in sorted(study.taxa)}
    called = {id_: study.taxa[species_id].species.name for species_id, id_ in names.items()}
    theirs = ids_of_others(study, imported, called)
    head: dict[str, Any] = {
        "info": info(study, imported),
        "detection_categories": DETECTIONS,
        "classification_categories": called | {id_: name for name, id_ in theirs.items()},
        "classification_category_descriptions": {id_: described(study, species_id) for species_id, id_ in names.items()}
        | {id_: name for name, id_ in theirs.items() if id_ not in called},
    }
    sink.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "images": [')
    count = 0
    for photo, said, brought, guesses in with_guesses(imported):
        made = {"file": photo.path, "detections": [
            detection(each, box, guesses.get(box.id) or brought.guesses.get(box.id, []), names, theirs)
            for each, box in zip(said, photo.boxes, strict=True)
        ]}  # fmt: skip
        sink.write((",\n" if count else "\n") + as_json(made))
        count += 1
    failed = select(Image.path, Image.reason).where(
        Image.project_id == study.project.id, Image.state.in_((QUARANTINED, REFUSED))
    )
    broken = study.session.execute(failed.order_by(Image.path, Image.id))
    for path, reason in itertools.chain(((path, reason) for path, reason in broken), failures(study, imported)):
        failed_on: dict[str, Any] = {"file": path, "failure": reason or "cannot be opened", "detections": None}
        sink.write((",\n" if count else "\n") + json.dumps(failed_on, ensure_ascii=False))
        count += 1
    sink.write("\n ]\n}\n")
    return count


def ids_of_others(study: Study, imported: Imported, called: dict[str, str]) -> dict[str, str]:
    """Names that imported machines gave -> their category: that of a species of this name, else a new one.

    called: category -> name, of the project's species.
    """
    known = {name: id_ for id_, name in called.items()}
    wanted = (
        select(ImportedName.name)
        .where(ImportedName.import_id.in_(imported.ids), ImportedName.by_machine, ImportedName.box_id.is_not(None))
        .distinct()
    )
    said = sorted(study.session.scalars(wanted)) if imported.ids else []
    free = itertools.count(max(study.taxa, default=0) + 1)
    return {name: known[name] if name in known else str(next(free)) for name in said}


def failures(study: Study, imported: Imported) -> Iterator[tuple[str, str]]:
    """(path, reason) of photos on which another detector failed and which the project does not have."""
    for row in imported.aside(ImportRow.kind == PHOTO):
        reason = row.record.get("details", {}).get("failure")
        here = select(Image.id).where(Image.project_id == study.project.id, Image.path == row.photo).limit(1)
        if reason and study.session.scalar(here) is None:
            yield row.photo, reason


def with_guesses(imported: Imported) -> Iterator[tuple[Photo, list[Said], Brought, dict[int, list[tuple[int, float]]]]]:
    """(photo, said, what imports say, box id -> guesses), with one look into the predictions for some hundred photos."""
    stream = imported.photos(every_box=True)
    while held := list(itertools.islice(stream, CHUNK)):
        open_ids = [
            box.id
            for photo, said, _brought in held
            for each, box in zip(said, photo.boxes, strict=True)
            if each.source != HUMAN
        ]
        found = imported.naming.guesses(open_ids, MOST_GUESSES)
        for photo, said, brought in held:
            yield photo, said, brought, found


def detection(
    each: Said,
    box: CountedBox,
    guesses: Sequence[tuple[int, float] | Guess],
    names: dict[int, str],
    theirs: dict[str, str],
) -> dict[str, Any]:
    """One box. Its category follows what people said of it. guesses: the classifier's, else those of an import."""
    x_min, y_min, x_max, y_max = box.corners
    made: dict[str, Any] = {
        "category": CATEGORY.get(each.kind if each.source == HUMAN else box.kind, "1"),
        "conf": round(float(box.score), 4),
        "bbox": [round(x_min, 6), round(y_min, 6), round(x_max - x_min, 6), round(y_max - y_min, 6)],
    }
    if each.source == HUMAN and each.species_id is not None:
        made["classifications"] = [[names[each.species_id], 1.0]]
    elif said := [share for guess in guesses for share in share_of(guess, names, theirs)]:
        made["classifications"] = said
    return made


def share_of(
    guess: tuple[int, float] | Guess, names: dict[int, str], theirs: dict[str, str]
) -> Iterator[tuple[str, float]]:
    """[category, probability]; nothing for a species that is gone, or a name without a probability."""
    if isinstance(guess, Guess):
        if guess.p is not None:
            yield theirs[guess.name], round(guess.p, 4)
    elif guess[0] in names:
        yield names[guess[0]], round(guess[1], 4)


def info(study: Study, imported: Imported) -> dict[str, Any]:
    """What made the boxes and the names. No time: equal states, equal bytes."""
    project, naming = study.project, study.naming
    detector = naming.known(project.detector_id or only(study, Image.detector_id, Image.project_id == project.id))
    classifier = naming.known(
        project.classifier_id or only(study, ImportedName.checkpoint_id, ImportedName.project_id == project.id)
    )
    made: dict[str, Any] = {"format_version": "1.6", "detector": title(detector) or "none"}
    if classifier and (project.classifier_id or classifier.name in imported.classifiers()):
        made["classifier"] = title(classifier)
    made["detector_metadata"] = {
        "megadetector_version": version_of(detector), "typical_detection_threshold": round(project.count_above, 4),
        "conservative_detection_threshold": round(project.classify_above, 4),
    }  # fmt: skip
    return made


def only(study: Study, what: InstrumentedAttribute[int | None], *which: ColumnElement[bool]) -> int | None:
    """The network that all rows name which name one; none where they name several."""
    found = study.session.scalars(select(what).where(what.is_not(None), *which).distinct().limit(2)).all()
    return found[0] if len(found) == 1 else None


def title(network: Checkpoint | None) -> str:
    """As its file names it where an import brought it, else as our tables do."""
    if network is None:
        return ""
    is_theirs = (network.card or {}).get("source") in FROM_FILES
    return network.name if is_theirs else f"{network.kind} {network.id}: {network.name}"


def version_of(detector: Checkpoint | None) -> str:
    """Of a MegaDetector whose results were imported."""
    said = (detector.card or {}).get("megadetector_version") if detector else None
    return str(said) if said else "not MegaDetector"


def described(study: Study, species_id: int) -> str:
    """A taxon as a line: scientific name, rank."""
    species = study.taxa[species_id].species
    return ";".join(part for part in (species.scientific_name or species.name, species.rank) if part)
