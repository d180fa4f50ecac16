"""MegaDetector results 1.6 (FORMATS 3): every box that was kept with its detector's score, and what it is called.

A name that people settled has the probability 1.0; where nobody named a box stand the classifier's likeliest ones. The format
cannot tell the two apart. A box that a person drew has the score 1.0.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from app.exports.cells import TextSink
from app.exports.naming import HUMAN, Said
from app.exports.queries import Photo
from app.exports.study import Study
from models.image import QUARANTINED, REFUSED, Image

DETECTIONS = {"1": "animal", "2": "person", "3": "vehicle"}
CATEGORY = {"person": "2", "vehicle": "3"}
MOST_GUESSES = 5
CHUNK = 500


def write(study: Study, sink: TextSink) -> int:
    """The file, photo by photo; how many photos. The names of the categories come first, so readers may stream it too."""
    names = {species_id: str(species_id) for species_id in sorted(study.taxa)}
    head = {
        "info": info(study),
        "detection_categories": DETECTIONS,
        "classification_categories": {id_: study.taxa[species_id].species.name for species_id, id_ in names.items()},
        "classification_category_descriptions": {
            id_: described(study, species_id) for species_id, id_ in names.items()
        },
    }
    sink.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "images": [')
    count = 0
    for photo, said, guesses in with_guesses(study):
        made = {"file": photo.path, "detections": [
            detection(each, box, guesses.get(box.id, []), names)
            for each, box in zip(said, photo.boxes, strict=True)
        ]}  # fmt: skip
        sink.write((",\n" if count else "\n") + json.dumps(made, ensure_ascii=False))
        count += 1
    failed = select(Image.path, Image.reason).where(
        Image.project_id == study.project.id, Image.state.in_((QUARANTINED, REFUSED))
    )
    for path, reason in study.session.execute(failed.order_by(Image.path, Image.id)):
        made = {"file": path, "failure": reason or "cannot be opened", "detections": None}
        sink.write((",\n" if count else "\n") + json.dumps(made, ensure_ascii=False))
        count += 1
    sink.write("\n ]\n}\n")
    return count


def with_guesses(study: Study) -> Any:
    """(photo, said, box id -> guesses), with one look into the predictions for some hundred photos."""
    held: list[tuple[Photo, list[Said]]] = []
    for pair in study.photos(every_box=True):
        held.append(pair)
        if len(held) == CHUNK:
            yield from guessed(study, held)
            held = []
    yield from guessed(study, held)


def guessed(study: Study, held: list[tuple[Photo, list[Said]]]) -> Any:
    """The same for those that are held."""
    open_ids = [
        box.id for photo, said in held for each, box in zip(said, photo.boxes, strict=True) if each.source != HUMAN
    ]
    found = study.naming.guesses(open_ids, MOST_GUESSES)
    for photo, said in held:
        yield photo, said, found


def detection(each: Said, box: Any, guesses: list[tuple[int, float]], names: dict[int, str]) -> dict[str, Any]:
    """One box. Its category follows what people said of it."""
    x_min, y_min, x_max, y_max = box.corners
    made: dict[str, Any] = {
        "category": CATEGORY.get(each.kind if each.source == HUMAN else box.kind, "1"),
        "conf": round(float(box.score), 4),
        "bbox": [round(x_min, 6), round(y_min, 6), round(x_max - x_min, 6), round(y_max - y_min, 6)],
    }
    if each.source == HUMAN and each.species_id is not None:
        made["classifications"] = [[names[each.species_id], 1.0]]
    elif guesses:
        made["classifications"] = [[names[species_id], round(p, 4)] for species_id, p in guesses if species_id in names]
    return made


def info(study: Study) -> dict[str, Any]:
    """What made the boxes and the names. No time: equal states, equal bytes."""
    project, naming = study.project, study.naming
    made: dict[str, Any] = {"format_version": "1.6", "detector": naming.checkpoint(project.detector_id) or "none"}
    if project.classifier_id:
        made["classifier"] = naming.checkpoint(project.classifier_id)
    threshold = round(project.count_above, 4)
    made["detector_metadata"] = {
        "megadetector_version": "not MegaDetector", "typical_detection_threshold": threshold,
        "conservative_detection_threshold": round(project.classify_above, 4),
    }  # fmt: skip
    return made


def described(study: Study, species_id: int) -> str:
    """A taxon as a line: scientific name, rank."""
    species = study.taxa[species_id].species
    return ";".join(part for part in (species.scientific_name or species.name, species.rank) if part)
