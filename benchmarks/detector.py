"""How good the starter detector is beside YOLOX-Nano: `python -m benchmarks.detector`.

Every camera-trap photo is judged by a detector that never saw its place: the starter's recipe is trained once for each fold
of places (worker/learning/detector_folds.py says how). The first run trains them, which takes hours on two cores and
minutes on a GPU; --work keeps them, a run that was cut goes on, and the next run only measures. `--ship FILE` also trains
on all photos and writes the detector that is shipped. A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.yolox import YoloxNano
from worker.device import find_device
from worker.learning.detector_folds import SEEN_PX, Found, Plan, Workshop
from worker.learning.detector_measures import Ranking, bootstrap, count_above, share_at
from worker.learning.field_photos import TruePhoto, open_upright
from worker.networks.detector import FLOOR, FPN_CHANNELS, LONG_SIDE_PX, SHORT_SIDE_PX

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
TRUTH = Path(__file__).resolve().parent.parent / "tests" / "truth" / "camera_trap_boxes.csv"
FALSE_BOXES = (0.05, 0.1, 0.2)  # a photo
PAPER = 0.90


def main() -> None:
    """Train what is missing, measure, print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--photos", type=Path, default=SHARED / "camera-trap")
    ask.add_argument("--boxes", type=Path, default=SHARED / "boxes")
    ask.add_argument("--pictures", type=Path, default=SHARED / "cifar10")
    ask.add_argument("--yolox", type=Path, default=SHARED / "weights" / "yolox_nano_coco.onnx")
    ask.add_argument("--work", type=Path, default=Path("var/detector"), help="keeps the folds' detectors")
    ask.add_argument("--ship", type=Path, help="write the detector trained on all photos here")
    given = ask.parse_args()
    plan = Plan(given.work, given.boxes, given.photos, TRUTH, given.pictures)
    shop = Workshop(
        plan, find_device(), lambda line: print(f"{time.strftime('%T')} {line}", file=sys.stderr, flush=True)
    )
    raw = shop.found_by_folds()
    yolox = YoloxNano(given.yolox)
    theirs = [yolox.detect(np.asarray(open_upright(given.photos / row.path, SEEN_PX))) for row in shop.truth]
    places = [row.place for row in shop.truth]
    answers = {"starter": shop.calibrated(raw), "yolox_nano": theirs}
    rankings = {name: shop.judge(found, shop.truth) for name, found in answers.items()}
    for name, ranking in rankings.items():
        say(name, ranking, places)
    gain = bootstrap(places, lambda photos: difference(rankings, photos))
    both = [rankings[name].recall_at(0.1) for name in ("starter", "yolox_nano")]
    print(f"starter - YOLOX-Nano, recall at 0.1 false boxes a photo: {100 * (both[0] - both[1]):+.1f} points "
          f"({100 * gain[0]:+.1f} to {100 * gain[1]:+.1f})")  # fmt: skip
    say_by_source(answers, shop.truth, rankings)
    empties = shop.best_on_empties(raw)
    say_presets(rankings["starter"], empties)
    if given.ship is not None:
        sha256 = shop.final(given.ship, "starter")
        beside = given.ship.with_suffix(".card.json")
        beside.write_text(json.dumps(card(given.ship, sha256, plan, rankings, empties), indent=2) + "\n")
        print(f"{given.ship} and {beside.name} are written, sha256 {sha256}")
    print(json.dumps({name: figures(ranking) for name, ranking in rankings.items()}))


def figures(ranking: Ranking) -> dict[str, float | int | None]:
    """The figures of the card. precision_090 is null where no box reaches 0.90."""
    precision, recall = ranking.at_score(PAPER)
    return {
        **{f"recall_fp{rate:g}": round(ranking.recall_at(rate), 4) for rate in FALSE_BOXES},
        "precision_090": None if np.isnan(precision) else round(precision, 4),
        "recall_090": round(recall, 4),
        "boxes": int(ranking.truth.sum()),
        "photos": len(ranking.truth),
    }


def say(name: str, ranking: Ranking, places: list[str]) -> None:
    """A detector's figures with what chance does to them: the middle 95% of 1,000 draws of whole places."""
    print(f"\n{name}: {ranking.truth.sum()} animals on {len(ranking.truth)} photos of {len(set(places))} places")
    for rate in FALSE_BOXES:
        low, high = bootstrap(places, lambda photos, rate=rate: ranking.of(photos).recall_at(rate))  # type: ignore[misc]
        found = f"{ranking.recall_at(rate):6.1%}  ({low:.1%} to {high:.1%})"
        print(f"  found at {rate:4.2f} false boxes a photo  {found}  score {ranking.threshold_at(rate):.3f}")
    for score in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, PAPER):
        precision, recall = ranking.at_score(score)
        print(f"  score >= {score:4.2f}: right {precision:6.1%}, found {recall:6.1%}")
    for what, part in (("right", 0), ("found", 1)):
        low, high = bootstrap(places, lambda photos, part=part: ranking.of(photos).at_score(PAPER)[part])  # type: ignore[misc]
        print(f"  at {PAPER:.2f}, {what}: {low:.1%} to {high:.1%}")


def presets(empties: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """By the paper, and by this detector's own false alarms: at most 5% of the empty scenes, and a third of that score."""
    cut = count_above(empties)
    return {
        "paper": {"count_above": PAPER, "classify_above": PAPER},
        "card": {"count_above": cut, "classify_above": max(FLOOR, round(cut / 3, 2))},
    }


def say_presets(ranking: Ranking, empties: NDArray[np.float32]) -> None:
    """What each preset finds, and how often it is wrong about an empty scene."""
    print(f"\n{len(empties)} scenes without an animal (whole photos, and sides of photos beside their animals)")
    for name, preset in presets(empties).items():
        for what, score in preset.items():
            precision, recall = ranking.at_score(score)
            wrong = share_at(empties, score)
            print(
                f"  {name:6}{what:16}{score:.2f}  found {recall:6.1%}, right {precision:6.1%}, empties wrong {wrong:6.1%}"
            )


def card(
    file: Path, sha256: str, plan: Plan, rankings: dict[str, Ranking], empties: NDArray[np.float32]
) -> dict[str, Any]:
    """What programs read about the shipped detector: presets, how it was made, the figures of the folds."""
    return {
        "name": "starter",
        "kind": "detector",
        "file": file.name,
        "sha256": sha256,
        "bytes": file.stat().st_size,
        "architecture": f"Faster R-CNN, FPN of {FPN_CHANNELS} channels on strides 8, 16, 32 of EfficientNet-Lite0; "
        f"short side {SHORT_SIDE_PX} px, long side at most {LONG_SIDE_PX} px",
        "classes": ["animal"],
        "presets": presets(empties),
        "training": {
            "command": "python -m benchmarks.detector --ship detector.safetensors",
            "base_steps": plan.base.steps,
            "base_photos_a_step": plan.base.batch,
            "upper_steps_a_fold": plan.upper.steps,
            "upper_views_a_step": plan.upper.batch,
            "folds": plan.folds,
            "camera_trap_photos": len(rankings["starter"].truth),
        },
        "measured_by_folds": {name: figures(ranking) for name, ranking in rankings.items()},
        "empty_scenes": len(empties),
    }


def difference(rankings: dict[str, Ranking], photos: NDArray[np.int64]) -> float:
    """Recall at 0.1 false boxes a photo, starter minus YOLOX-Nano, on the same draw of photos."""
    return rankings["starter"].of(photos).recall_at(0.1) - rankings["yolox_nano"].of(photos).recall_at(0.1)


def say_by_source(answers: dict[str, list[Found]], truth: list[TruePhoto], rankings: dict[str, Ranking]) -> None:
    """Where each is weak, at its own threshold for 0.1 false boxes a photo."""
    sources = ["/".join(row.path.split("/")[: 2 if row.path.startswith("animl/") else 1]) for row in truth]
    print(f"\n{'at 0.1 false boxes a photo':32}" + "".join(f"{name:>24}" for name in answers))
    for source in sorted(set(sources)):
        rows = [row for row, name in enumerate(sources) if name == source]
        line = f"{source:32}"
        for name, found in answers.items():
            part = Workshop.judge([found[row] for row in rows], [truth[row] for row in rows])
            above = part.scores >= rankings[name].threshold_at(0.1)
            line += (
                f"{int(part.hits[above].sum()):12} of {int(part.truth.sum())}, false {int((~part.hits[above]).sum())}"
            )
        print(line)


if __name__ == "__main__":
    main()
