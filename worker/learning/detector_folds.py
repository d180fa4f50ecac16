"""How the starter detector is made and measured: a base, folds by place for the figures, and a last training on all photos.

    base    web photos and drawn mixtures; sees no camera-trap photo at all
    folds   base + the camera-trap photos of all places but a fold's: each photo is judged by a detector that never saw its place
    final   base + every camera-trap photo; its scores are calibrated on what the folds said about photos new to them

Decisions: everything lies in a work folder and is kept, so that a training that was cut goes on at its last state; the
views of the field photos are drawn once and serve all folds and the final training. Figures are those of the folds: of the
final one nothing can be said on photos that it was trained on.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.boxes import Boxes, Scores
from worker.device import Device
from worker.learning.calibration import Calibration, built_in, calibrate
from worker.learning.detector_examples import Sources
from worker.learning.detector_measures import Ranking, ranking
from worker.learning.detector_training import (
    Progress,
    Recipe,
    read_sources,
    train_on,
    train_on_views,
)
from worker.learning.detector_views import NO_PHOTO, View, draw_views
from worker.learning.field_photos import TruePhoto, folds_by_place, open_upright, read_field_photos, read_truth
from worker.networks.detector import KIND, build_network, load_detector
from worker.networks.weights import fill, read_weights, write_weights

LEAST_EMPTY = 0.25  # of a photo's width
SEEN_PX = 1600  # photos are judged at this size: above what the detector shrinks them to
Say = Callable[[str], None]
Tell = Callable[[Progress], None]
Found = tuple[Boxes, Scores]


@dataclass(frozen=True)
class Plan:
    """What a detector is made of. work: where everything is kept.

    boxes: boxes.csv and boxes.tar. photos: the camera-trap photos and labels.csv. truth: their boxes (read_truth()).
    pictures: cifar10.tar.gz and labels.csv, or none.
    """

    work: Path
    boxes: Path
    photos: Path
    truth: Path
    pictures: Path | None = None
    folds: int = 4
    seed: int = 7
    base: Recipe = field(default_factory=lambda: Recipe(steps=900, seed=7))
    upper: Recipe = field(
        default_factory=lambda: Recipe(steps=600, batch=6, seed=7, rate=3e-4, trunk_rate=1e-4, average_decay=0.985)
    )
    views_a_photo: int = 16
    others: int = 1000


class Workshop:
    """A plan being carried out. Whatever the work folder holds already is not done again."""

    def __init__(self, plan: Plan, device: Device, say: Say) -> None:
        """Reads the truth; raises ValueError when a photo is not the one that the boxes were drawn on."""
        self.plan, self.device, self.say = plan, device, say
        self.truth = read_truth(plan.truth, plan.photos / "labels.csv")
        for row in self.truth:
            if hashlib.sha256((plan.photos / row.path).read_bytes()).hexdigest() != row.sha256:
                raise ValueError(f"{row.path}: not the photo that the boxes of {plan.truth.name} were drawn on")
        self.fold_of = folds_by_place([row.place for row in self.truth], plan.folds)
        self._views: list[View] | None = None

    def base(self) -> Path:
        """The first stage. Its state is kept every few minutes."""
        return self._made(
            "base",
            lambda out, state, tell: train_on(
                self._sources(with_field=False), out, self.device, self.plan.base, state, tell
            ),
        )

    def fold(self, number: int) -> Path:
        """The detector that never saw the places of this fold."""

        def train(out: Path, state: Path, tell: Tell) -> None:
            views = [view for view in self.views() if view.photo == NO_PHOTO or self.fold_of[view.photo] != number]
            train_on_views(views, self.base(), out, self.device, self.plan.upper, state, tell)

        return self._made(f"fold-{number}", train)

    def found_by_folds(self) -> list[Found]:
        """What is found on each photo by the detector of its fold, raw scores, in the order of the truth."""
        answers: dict[int, Found] = {}
        for number in range(self.plan.folds):
            rows = np.flatnonzero(self.fold_of == number)
            found = detect(self.fold(number), [self.plan.photos / self.truth[row].path for row in rows], self.device)
            answers |= dict(zip(rows.tolist(), found, strict=True))
        return [answers[row] for row in range(len(self.truth))]

    def calibrated(self, found: Sequence[Found]) -> list[Found]:
        """Each photo's scores under a calibration fitted on the other folds' photos."""
        by_fold = [self.calibration(found, self.fold_of != number) for number in range(self.plan.folds)]
        return [
            (boxes, by_fold[fold](scores)) for (boxes, scores), fold in zip(found, self.fold_of.tolist(), strict=True)
        ]

    def best_on_empties(self, found: Sequence[Found]) -> NDArray[np.float32]:
        """The best calibrated score on each scene without an animal, by the detector of its fold; 0 where nothing is found.

        found: what the folds found on the whole photos, raw; the calibrations are fitted on it.
        """
        best: list[float] = []
        for number in range(self.plan.folds):
            scenes = [
                scene
                for row in np.flatnonzero(self.fold_of == number)
                if (scene := empty_scene(self.plan.photos / self.truth[row].path, self.truth[row])) is not None
            ]
            calibration = self.calibration(found, self.fold_of != number)
            answers = look(self.fold(number), scenes, self.device)
            best += [float(calibration(scores).max(initial=0.0)) for _, scores in answers]
        return np.array(best, np.float32)

    def calibration(self, found: Sequence[Found], photos: NDArray[np.bool_]) -> Calibration:
        """Fitted on these photos (a mask)."""
        rows = np.flatnonzero(photos).tolist()
        judged = self.judge([found[row] for row in rows], [self.truth[row] for row in rows])
        return calibrate(judged.scores, judged.hits)

    @staticmethod
    def judge(found: Sequence[Found], truth: Sequence[TruePhoto]) -> Ranking:
        """Every box right or false."""
        return ranking(found, [row.boxes_xyxy for row in truth], [row.unsure_xyxy for row in truth])

    def final(self, out: Path, name: str) -> str:
        """The detector that is shipped; returns its sha256."""
        found = self.found_by_folds()
        calibration = self.calibration(found, np.ones(len(self.truth), np.bool_))
        self.say(f"calibration: slope {calibration.slope:.3f}, offset {calibration.offset:.3f}")
        longer = replace(self.plan.upper, steps=round(self.plan.upper.steps * 4 / 3))  # it has that many more views
        raw = self._made(
            "all-photos",
            lambda out, state, tell: train_on_views(self.views(), self.base(), out, self.device, longer, state, tell),
        )
        tensors, card = read_weights(raw, KIND)
        told = {"slope": calibration.slope, "offset": calibration.offset, "photos": len(self.truth)}
        return write_weights(out, built_in(tensors, calibration), card | {"name": name, "calibration": told})

    def views(self) -> list[View]:
        """Of all field photos, drawn once in this process."""
        if self._views is None:
            network = build_network(1)
            base = self.base()
            fill(network, read_weights(base, KIND)[0], base.name)
            network.eval().to(self.device.torch_device)
            self._views = draw_views(
                network, self._sources(with_field=True), self.device, self.plan.seed,
                views_a_photo=self.plan.views_a_photo, others=self.plan.others, report=self._tell_views,
            )  # fmt: skip
        return self._views

    def _sources(self, *, with_field: bool) -> Sources:
        photos = read_field_photos(self.plan.photos, self.truth) if with_field else ()
        return read_sources(self.plan.boxes, self.plan.pictures, photos)

    def _made(self, name: str, train: Callable[[Path, Path, Tell], object]) -> Path:
        """The finished detector of this name; trained from its state on when it is not there yet."""
        out, half = self.plan.work / f"{name}.safetensors", self.plan.work / f"{name}.half.safetensors"
        if not out.exists():
            state = self.plan.work / f"{name}.state.safetensors"
            train(half, state, self._tell(name))
            half.replace(out)
            state.unlink(missing_ok=True)
        return out

    def _tell(self, what: str) -> Tell:
        def tell(progress: Progress) -> None:
            if progress.step % 20 == 0:
                self.say(f"{what}: step {progress.step} of {progress.steps}, loss {progress.loss:.3f}")

        return tell

    def _tell_views(self, done: int, total: int) -> None:
        if done % 100 == 0:
            self.say(f"views: {done} of {total}")


def detect(weights: str | Path, photos: Sequence[Path], device: Device) -> list[Found]:
    """Boxes (shares of the photo) and scores of each photo."""
    return look(weights, (np.asarray(open_upright(path, SEEN_PX)) for path in photos), device)


def look(weights: str | Path, pictures: Iterable[NDArray[np.uint8]], device: Device) -> list[Found]:
    """Boxes (shares of the picture) and scores of each picture (h, w, 3)."""
    detector = load_detector(weights, device)
    answers = []
    for pixels in pictures:
        [found] = detector.predict([detector.preprocess(pixels)], [(pixels.shape[0], pixels.shape[1])])
        answers.append((found.boxes_xyxy, found.scores))
    return answers


def empty_scene(path: Path, truth: TruePhoto) -> NDArray[np.uint8] | None:
    """What of a photo shows no animal: all of it, or the wider side beside all its boxes, repeated as in facing mirrors to
    the photo's width (same place, same grain). None when less than a quarter of the width is left."""
    taken = np.concatenate([truth.boxes_xyxy, truth.unsure_xyxy])
    pixels = np.asarray(open_upright(path, SEEN_PX))
    if len(taken) == 0:
        return pixels
    left, right = float(taken[:, 0].min()) - 0.02, float(taken[:, 2].max()) + 0.02
    low, high = (0.0, left) if left > 1 - right else (right, 1.0)
    if high - low < LEAST_EMPTY:
        return None
    width = pixels.shape[1]
    part = pixels[:, int(low * width) : int(high * width)]
    return np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), mode="symmetric")
