"""Fine-tune a detector on the boxes that people judged, and say whether that helped.

Decisions: boxes that were false teach as background and are looked at as often as animals; what nobody is sure of is blurred
away; only what lies above stride 16 learns (detector_views), so that a laptop can do it; a third of the way the held-out
places are asked once, and a course that finds much less by then ends; at its end it must find more than chance allows on them, a
detector of species no less than chance allows; then its scores are calibrated on them. What is measured is what is written.
Norouzzadeh et al. 2019, sec. 4 (a detector that learns along is their further improvement).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.device import Device
from worker.learning.calibration import LAST_LAYER, Calibration, built_in, calibrate
from worker.learning.detector_classes import begin_with, labels_in
from worker.learning.detector_comparison import Comparison, compare, found, named
from worker.learning.detector_examples import Sources
from worker.learning.detector_folds import SEEN_PX, Found, detect, empty_scene, look
from worker.learning.detector_lessons import Lessons, why_not
from worker.learning.detector_measures import best_scores, count_above
from worker.learning.detector_training import Progress, Recipe, train_on_views
from worker.learning.detector_views import View, draw_views
from worker.learning.field_photos import TruePhoto, read_field_photos
from worker.networks.detector import FLOOR, KIND
from worker.networks.kinds import ANIMAL
from worker.networks.weights import read_weights, sha256_of, write_weights

MOST_VIEWS = 3000  # 0.4 MB each
VIEWS_A_PHOTO = 8
EARLY_SHARE = 1 / 3
EARLY_LOSS = 0.1  # of the animals, found less than before: such a course is not worth its other two thirds
LEAST_SCENES = 20  # without an animal, for the score at which one in twenty has a false box
Say = Callable[[str], None]
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Verdict:
    """taken: a new checkpoint was written. words: for an ecologist. lines: a table. comparison: none where it was not tried."""

    taken: bool
    words: str
    lines: tuple[str, ...] = ()
    comparison: Comparison | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Wishes:
    """What to make. classes: classes_of(). views_a_photo: 0 for as many as fit. recipe: none for recipe_for()."""

    name: str
    classes: tuple[str, ...] = (ANIMAL,)
    views_a_photo: int = 0
    recipe: Recipe | None = None


def fine_tune_detector(
    start: Path,
    out: Path,
    lessons: Lessons,
    device: Device,
    wishes: Wishes,
    work: Path,
    say: Say = lambda _line: None,
    tell: Tell = lambda _progress: None,
) -> Verdict:
    """Teach the detector of `start` these lessons; where that helps, write the new checkpoint to `out`.

    work: a folder that keeps what is done, so that the same course goes on where it was cut, to the same weights. tell: called
    after every step, may raise to stop. Raises WeightsError where `start` cannot be taught.
    """
    if obstacle := why_not(lessons):
        return Verdict(False, obstacle)
    course = Course(start, lessons, device, wishes, work, say, tell)
    judged = lessons.judged
    say(f"{len(lessons.taught):,} photos teach, {len(judged):,} of other places judge")
    before = course.found_by(start)
    early = compare(before, course.found_by(course.early()), judged)
    if early.gain() < -EARLY_LOSS:
        return Verdict(False, in_words(early, "It was stopped early."), (), early)
    raw = course.whole()
    comparison = compare(before, course.found_by(raw), judged)
    lines = comparison.lines(("before", wishes.name))
    of_species = wishes.classes != (ANIMAL,)
    if of_species:
        lines.append(named(str(raw), judged, SEEN_PX, device).line())
    low, high = comparison.gain_95
    taken = high >= 0 if of_species else low > 0
    if not taken:
        return Verdict(False, in_words(comparison, f"What it learnt lies in {raw}."), tuple(lines), comparison)
    sha256 = course.write(raw, out, comparison)
    return Verdict(True, in_words(comparison), tuple(lines), comparison, sha256)


def in_words(comparison: Comparison, otherwise: str = "") -> str:
    """What an ecologist reads. otherwise: said where it was not taken."""
    low, high = comparison.gain_95
    points = f"{100 * comparison.gain():+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    shares = f"{found(comparison.after):.1%} of the animals of held-out places, before {found(comparison.before):.1%}"
    if not otherwise:
        return f"At the same false boxes a photo it finds {shares}: {points}."
    why = "" if high < 0 else ", which chance may do"
    return f"It did not help: it finds {shares}: {points}{why}. The old one stays. {otherwise}"


class Course:
    """One fine-tune. Whatever the work folder holds of this very course is not done again."""

    def __init__(
        self, start: Path, lessons: Lessons, device: Device, wishes: Wishes, work: Path, say: Say, tell: Tell
    ) -> None:
        self._start, self._lessons, self._device, self._wishes = start, lessons, device, wishes
        self._work, self._say, self._tell = work, say, tell
        taught = lessons.taught
        if len(taught) > MOST_VIEWS:
            drawn = np.random.default_rng(1).permutation(len(taught))[:MOST_VIEWS]
            taught = [taught[row] for row in np.sort(drawn).tolist()]
        self._taught = taught
        self.recipe = wishes.recipe or recipe_for(
            min(VIEWS_A_PHOTO * len(taught), MOST_VIEWS), of_species=wishes.classes != (ANIMAL,)
        )
        seen = min(self.recipe.steps * self.recipe.batch, MOST_VIEWS)  # more views than that are drawn for nothing
        self._views_a_photo = wishes.views_a_photo or int(np.clip(seen // len(taught), 1, VIEWS_A_PHOTO))
        self._name = fingerprint_of(start, taught, wishes.classes, self.recipe, self._views_a_photo)[:16]
        self._state = work / f"{self._name}.state"

    def early(self) -> Path:
        """The detector a third of the way."""
        return self._made("early", max(1, round(self.recipe.steps * EARLY_SHARE)))

    def whole(self) -> Path:
        """The detector at the end, its scores raw."""
        raw = self._made("raw", self.recipe.steps)
        self._state.unlink(missing_ok=True)
        return raw

    def found_by(self, weights: Path) -> list[Found]:
        """Boxes and scores on each photo that judges."""
        return detect(weights, [Path(photo.path) for photo in self._lessons.judged], self._device)

    def write(self, raw: Path, out: Path, comparison: Comparison) -> str:
        """Calibrated, with a card that says what it came from; returns its sha256."""
        tensors, card = read_weights(raw, KIND)
        root = read_weights(self._start, KIND)[1]
        ranked = comparison.after
        if len(np.unique(ranked.hits)) == 2:
            calibration = calibrate(ranked.scores, ranked.hits)
            tensors = (
                built_in(tensors, calibration) if len(card["classes"]) == 1 else built_in_each(tensors, calibration)
            )
            card["calibration"] = {
                "slope": calibration.slope,
                "offset": calibration.offset,
                "photos": len(ranked.truth),
            }
        calibrated = self._work / f"{self._name}.calibrated.safetensors"
        write_weights(calibrated, tensors, card)
        return write_weights(out, tensors, card | self._origin(root, comparison) | self._presets(calibrated))

    def _origin(self, root: dict[str, Any], comparison: Comparison) -> dict[str, Any]:
        """What the card says of where it is from and what it is worth."""
        animals = sum(len(photo.boxes_xyxy) for photo in self._taught)
        low, high = comparison.gain_95
        begun = str(root.get("root", root.get("name", self._start.stem)))
        gain = f"{100 * comparison.gain():+.1f} points found on held-out places"
        return {
            "name": self._wishes.name,
            "root": begun,
            "parent": sha256_of(self._start),
            "about": f"{begun} + {len(self._taught):,} photos: {gain}",
            "taught": {
                "photos": len(self._taught),
                "places": len({photo.place for photo in self._taught}),
                "right_boxes": animals,
                "false_boxes": sum(len(photo.false_xyxy) for photo in self._taught),
            },
            "held_out": {
                "photos": len(comparison.places),
                "places": len(set(comparison.places)),
                "gain": comparison.gain(),
                "gain_95": [low, high],
            },
        }

    def _presets(self, calibrated: Path) -> dict[str, Any]:
        """The score that at most 5% of the held-out scenes without an animal reach (DECISIONS 1); nothing where they are few."""
        scenes = [empty_scene(Path(photo.path), photo) for photo in self._lessons.judged]
        empty = [scene for scene in scenes if scene is not None]
        if len(empty) < LEAST_SCENES:
            return {}
        cut = max(FLOOR, count_above(best_scores([scores for _, scores in look(calibrated, empty, self._device)])))
        return {"presets": {"card": {"count_above": cut, "classify_above": max(FLOOR, round(cut / 3, 2))}}}

    @cached_property
    def _views(self) -> list[View]:
        photos = read_field_photos(Path(), self._taught)
        classes = self._wishes.classes
        labelled = [
            replace(photo, labels=labels_in(classes, row.species))
            for photo, row in zip(photos, self._taught, strict=True)
        ]
        network = begin_with(self._start, classes).eval().to(self._device.torch_device)

        def told(done: int, total: int) -> None:
            if done % 100 == 0:
                self._say(f"views: {done:,} of {total:,}")

        return draw_views(
            network, Sources((), (), labelled), self._device, self.recipe.seed, views_a_photo=self._views_a_photo,
            others=0, report=told,
        )  # fmt: skip

    def _made(self, what: str, last: int) -> Path:
        out = self._work / f"{self._name}.{what}.safetensors"
        if not out.exists():
            half = out.with_suffix(".half")
            train_on_views(
                self._views, self._start, half, self._device, self.recipe, self._state, self._tell,
                name=self._wishes.name, stop_after_step=last, classes=self._wishes.classes,
            )  # fmt: skip
            half.replace(out)
        return out


def recipe_for(views: int, steps: int | None = None, *, of_species: bool = False) -> Recipe:
    """Each view is seen about twice, in 60 to 600 steps of 6. Slower than the second stage, since most is known already; names
    are not, and are learnt at its rate."""
    steps = steps or int(np.clip(2 * views / 6, 60, 600))
    rate = 3e-4 if of_species else 1e-4
    warm_up = max(1, steps // 10)
    return Recipe(
        steps=steps, batch=6, seed=7, rate=rate, trunk_rate=rate / 3, warm_up_steps=warm_up, average_decay=0.98
    )


def fingerprint_of(
    start: Path, taught: Sequence[TruePhoto], classes: Sequence[str], recipe: Recipe, views_a_photo: int
) -> str:
    """Equal for equal courses, so that a state is never taken up by another one."""
    photos = [
        [row.sha256, row.species, *(each.tolist() for each in (row.boxes_xyxy, row.false_xyxy, row.unsure_xyxy))]
        for row in taught
    ]
    course = [sha256_of(start), list(classes), asdict(recipe), views_a_photo, photos]
    return hashlib.sha256(json.dumps(course).encode()).hexdigest()


def built_in_each(tensors: dict[str, torch.Tensor], calibration: Calibration) -> dict[str, torch.Tensor]:
    """built_in() for a detector of several animals: exact where one of them has all the probability, else nearly."""
    weight, bias = tensors[f"{LAST_LAYER}.weight"], tensors[f"{LAST_LAYER}.bias"]
    offsets = torch.tensor([0.0] + [calibration.offset] * (len(bias) - 1))
    return {
        **tensors,
        f"{LAST_LAYER}.weight": weight.float() * calibration.slope,
        f"{LAST_LAYER}.bias": bias.float() * calibration.slope + offsets,
    }
