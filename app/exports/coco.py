"""COCO Camera Traps (FORMATS 4): boxes in pixels, one category an animal, 0 for an empty photo.

Ours beside the format's own fields: waterhole_source (human | predicted), waterhole_probability, waterhole_score (the
detector's), waterhole_who, waterhole_certain. A photo that cannot be opened is kept with corrupt: true and no annotation.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from app.exports.naming import NOT_ANIMAL, Said
from app.exports.queries import CountedBox, Photo
from app.exports.sinks import ByteSink, Later, Utf8
from app.exports.study import Study
from models.deployment import Deployment
from models.image import QUARANTINED, REFUSED, Image

EMPTY, UNCLASSIFIED = "empty", "unclassified"


def write(study: Study, bytes_: ByteSink) -> int:
    """The file; how many photos. Annotations wait in a file without a name until the photos are written."""
    sink, later = Utf8(bytes_), Later()
    categories = Categories(study)
    head = {"info": {"version": "1.0", "description": study.project.name, "contributor": "Waterhole"}}
    sink.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "images": [')
    count = annotated = 0
    for photo, said, frame, frames in in_bursts(study):
        sink.write((",\n" if count else "\n") + json.dumps(image(study, photo, frame, frames), ensure_ascii=False))
        count += 1
        for made in annotations_of(photo, said, categories):
            later.write((",\n" if annotated else "\n") + json.dumps(made, ensure_ascii=False))
            annotated += 1
    for broken in corrupt(study):
        sink.write((",\n" if count else "\n") + json.dumps(broken, ensure_ascii=False))
        count += 1
    sink.write('\n ],\n "annotations": [')
    later.copy(sink)
    listed = [{"id": id_, "name": name} for name, id_ in categories.ids.items()]
    sink.write('\n ],\n "categories": ' + json.dumps(listed, indent=1, ensure_ascii=False) + "\n}\n")
    return count


class Categories:
    """Names without capitals and spaces, each once."""

    def __init__(self, study: Study) -> None:
        """Every answer of the project, in the order of their ids."""
        self.ids: dict[str, int] = {EMPTY: 0}
        self._of: dict[int, int] = {}
        for species_id in sorted(study.taxa):
            species = study.taxa[species_id].species
            if species.kind == NOT_ANIMAL:
                continue
            word = re.sub(r"\s+", "_", (species.name if species.kind != "cannot_tell" else "unknown").lower())
            while word in self.ids:
                word += "_"
            self.ids[word] = self._of[species_id] = len(self.ids)
        self.ids.setdefault(UNCLASSIFIED, len(self.ids))

    def of(self, said: Said) -> int:
        """The category of a box."""
        return self._of.get(said.species_id or 0, self.ids[UNCLASSIFIED])


def in_bursts(study: Study) -> Iterator[tuple[Photo, list[Said], int, int]]:
    """Each photo with its place in its burst, from 0, and the size of the burst; bursts lie together in the order of export."""
    for sequence_id, group in itertools.groupby(study.photos(), key=lambda pair: pair[0].sequence_id):
        burst = list(group) if sequence_id is not None else None
        for frame, (photo, said) in enumerate(burst if burst is not None else group):
            yield photo, said, frame if burst else 0, len(burst) if burst else 1


def image(study: Study, photo: Photo, frame: int, frames: int) -> dict[str, Any]:
    """One photo."""
    made: dict[str, Any] = {"id": str(photo.id), "file_name": photo.path}
    if photo.row.width_px and photo.row.height_px:
        made |= {"width": photo.row.width_px, "height": photo.row.height_px}
    if photo.taken_at is not None:
        made["datetime"] = f"{photo.taken_at:%Y-%m-%d %H:%M:%S}"
    if photo.sequence_id is not None:
        made |= {"seq_id": str(photo.sequence_id), "seq_num_frames": frames, "frame_num": frame}
    return made | {"location": study.stations[photo.deployment].site_name, "waterhole_deployment": photo.deployment}


def annotations_of(photo: Photo, said: list[Said], categories: Categories) -> Iterator[dict[str, Any]]:
    """One a box; an empty photo has one of category 0 and nothing else."""
    counting = [(each, box) for each, box in zip(said, photo.boxes, strict=True) if each.kind != NOT_ANIMAL]
    for each, box in counting:
        yield annotation(photo, each, box, categories)
    if not counting:
        yield {"id": f"n{photo.id}", "image_id": str(photo.id), "category_id": 0, "sequence_level_annotation": False}


def annotation(photo: Photo, each: Said, box: CountedBox, categories: Categories) -> dict[str, Any]:
    """One box, in pixels where the size of the photo is known, else as shares."""
    x_min, y_min, x_max, y_max = box.corners
    shares = [x_min, y_min, x_max - x_min, y_max - y_min]
    made: dict[str, Any] = {"id": f"b{box.id}", "image_id": str(photo.id), "category_id": categories.of(each)}
    if photo.row.width_px and photo.row.height_px:
        sides = (photo.row.width_px, photo.row.height_px) * 2
        made["bbox"] = [round(share * side, 2) for share, side in zip(shares, sides, strict=True)]
    else:
        made["bbox_relative"] = [round(share, 6) for share in shares]
    made |= {
        "sequence_level_annotation": False,
        "waterhole_source": each.source,
        "waterhole_score": round(box.score, 4),
    }
    if each.probability is not None:
        made["waterhole_probability"] = round(each.probability, 4)
    if each.who:
        made |= {"waterhole_who": each.who, "waterhole_certain": bool(each.certain)}
    return made


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
