"""What a detector learns from people's answers: `python -m benchmarks.detector_learning --work DIR`.

Drawn scenes are a project whose truth is known: the starter looks, a person who knows everything answers what was asked
about, and the detector is fine-tuned on that; with `--drawn` the person also draws what was missed and puts corners right.
Judged on cameras that taught nothing, against the whole truth. With `--boxes DIR` instead: a detector of species from web
photos, judged on those that the starter never saw. --work keeps what is done. A table, then one JSON object on the last line.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.boxes import Boxes, iou_matrix
from worker.device import find_device
from worker.learning.detector_classes import classes_of
from worker.learning.detector_comparison import RIGHT_FROM
from worker.learning.detector_finetuning import Wishes, fine_tune_detector, recipe_for
from worker.learning.detector_folds import Found, detect
from worker.learning.detector_lessons import Lessons, by_place, web_lessons
from worker.learning.field_photos import TruePhoto, no_boxes
from worker.networks.kinds import ANIMAL
from worker.networks.weights import STARTER_DIR, sha256_of
from worker.simulation.scenes import draw_scenes

STARTER = STARTER_DIR / "detector.safetensors"
SCENES = 40  # of one set of four cameras


def main() -> None:
    """Draw or read, teach, measure, print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--boxes", type=Path, help="boxes.csv and boxes.tar: teach species from web photos")
    ask.add_argument("--sets", type=int, default=3, help=f"of {SCENES} scenes of four cameras")
    ask.add_argument("--drawn", action="store_true", help="the person also draws boxes")
    ask.add_argument("--steps", type=int, default=80)
    ask.add_argument("--views", type=int, default=2, help="of each photo")
    given = ask.parse_args()
    classes: tuple[str, ...] = (ANIMAL,)
    if given.boxes is not None:
        lessons = web_lessons(given.boxes, given.work / "web")
        classes = classes_of(name for photo in lessons.taught for name in photo.species)
    else:
        lessons = answered(drawn_scenes(given.work, given.sets), with_drawn=given.drawn)
    wishes = Wishes("learnt", classes, given.views, recipe_for(0, given.steps, of_species=given.boxes is not None))
    started = time.monotonic()
    verdict = fine_tune_detector(
        STARTER, given.work / "learnt.safetensors", lessons, find_device(), wishes, given.work, say
    )
    print("\n".join([*verdict.lines, verdict.words]))
    assert verdict.comparison is not None
    low, high = verdict.comparison.gain_95
    told = {"taken": verdict.taken, "gain": verdict.comparison.gain(), "low95": low, "high95": high}
    print(json.dumps(told | {"minutes": round((time.monotonic() - started) / 60, 1)}))


def say(line: str) -> None:
    """With the time, since it takes minutes."""
    print(f"{time.strftime('%T')} {line}", flush=True)


def drawn_scenes(work: Path, sets: int) -> list[TruePhoto]:
    """Their truth; each set has landscapes of its own."""
    photos = []
    for seed in range(1, sets + 1):
        folder = work / f"scenes-{seed}"
        for scene in draw_scenes(folder, SCENES, seed):
            path = folder / scene.path
            boxes = np.array(scene.boxes, np.float32).reshape(-1, 4)
            place = f"{scene.camera} of set {seed}"
            photos.append(TruePhoto(str(path), sha256_of(path), place, boxes, scene.species, no_boxes()))
    return photos


def answered(truth: Sequence[TruePhoto], *, with_drawn: bool) -> Lessons:
    """What people said teaches, the truth judges."""
    asked_above = float(card_of_starter()["classify_above"])
    found = detect(STARTER, [Path(photo.path) for photo in truth], find_device())
    lessons = by_place(truth)
    said = [
        photo if held else answers(photo, boxes, asked_above, with_drawn=with_drawn)
        for photo, held, boxes in zip(truth, lessons.held.tolist(), found, strict=True)
    ]
    return Lessons(tuple(said), lessons.held)


def card_of_starter() -> dict[str, float]:
    """The thresholds that a new project takes."""
    beside = STARTER.with_suffix(".card.json")
    presets: dict[str, float] = json.loads(beside.read_text())["presets"]["card"]
    return presets


def answers(photo: TruePhoto, found: Found, asked_above: float, *, with_drawn: bool) -> TruePhoto:
    """A box that meets an animal by half is right, another one false; what was not asked about stays doubtful."""
    boxes, scores = found
    asked = scores >= np.float32(asked_above)
    meets = meets_any(boxes, photo.boxes_xyxy)
    false = boxes[asked & ~meets]
    if with_drawn:
        return replace(photo, false_xyxy=false)
    right = boxes[asked & meets]
    names = (
        tuple(photo.species[row] for row in iou_matrix(right, photo.boxes_xyxy).argmax(axis=1)) if len(right) else ()
    )
    doubtful = boxes[~asked]
    return replace(
        photo, boxes_xyxy=right, species=names, false_xyxy=false, unsure_xyxy=doubtful[~meets_any(doubtful, right, 0.1)]
    )


def meets_any(boxes: Boxes, others: Boxes, least: float = RIGHT_FROM) -> NDArray[np.bool_]:
    """(n,) whether a box meets one of the others."""
    return np.asarray(iou_matrix(boxes, others).max(axis=1, initial=0) >= least)


if __name__ == "__main__":
    main()
