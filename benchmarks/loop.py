"""The whole loop: `python -m benchmarks.loop --photos ../shared/data/camera-trap`, or with known labels `--cifar FOLDER`.

--photos: photos a second, seconds to the next crop, seconds of a fit (loop_speed.py). --cifar: accuracy every 100 labels with
a person who knows every answer, with and without a fine-tune of the embedder (cifar.py). A table for people, then one JSON
object on the last line.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import cifar, loop_speed
from models.project import STRATEGY_NAMES


def main() -> None:
    """Measure, print."""
    given = arguments()
    if given.cifar:
        known_labels(given)
    else:
        loop_speed.measure(given.photos, given.round_size or 20, given.pause_s)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = ask.add_mutually_exclusive_group(required=True)
    what.add_argument("--photos", type=Path, help="folder of camera-trap photos: speed")
    what.add_argument("--cifar", type=Path, help="folder with cifar10.tar.gz and labels.csv: accuracy")
    ask.add_argument(
        "--round-size", type=int, help="default 20 with --photos, so that many rounds fill; 100 with --cifar"
    )
    of_photos = ask.add_argument_group("with --photos")
    of_photos.add_argument(
        "--pause-s", type=float, default=0.4, help="a person's time for one answer (0.4: 150 a minute)"
    )
    of_cifar = ask.add_argument_group("with --cifar")
    of_cifar.add_argument("--labels", type=int, default=3_000)
    of_cifar.add_argument("--pool", type=int, default=10_000, help="pictures that may be asked about")
    of_cifar.add_argument("--test", type=int, default=2_000, help="pictures to measure on, never asked about")
    of_cifar.add_argument("--size", type=int, default=112, help="side in px at which the embedder sees a crop")
    of_cifar.add_argument("--seeds", type=int, default=3)
    of_cifar.add_argument("--strategy", choices=STRATEGY_NAMES, default="k_center")
    of_cifar.add_argument("--first-round", type=int, default=1_000)
    of_cifar.add_argument("--finetune-every", type=int, default=2_000, help="labels; 0: only without")
    of_cifar.add_argument("--work", type=Path, help="folder that keeps what is done, so that a cut run goes on there")
    of_cifar.add_argument("--log", type=Path, help="file for the table, besides standard output")
    return ask.parse_args()


def known_labels(given: argparse.Namespace) -> None:
    """Accuracy, label by label."""
    wishes = cifar.Wishes(
        labels=given.labels, pool=given.pool, test=given.test, size_px=given.size, strategy=given.strategy,
        first_round=given.first_round, round_size=given.round_size or 100, finetune_every=given.finetune_every,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="waterhole-benchmark-") as folder:
        cifar.measure(wishes, given.cifar, given.seeds, given.work or Path(folder), given.log)


if __name__ == "__main__":
    main()
