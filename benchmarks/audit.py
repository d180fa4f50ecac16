"""When to stop, said honestly? `python -m benchmarks.audit`: 500 simulated projects with known truth.

Every project draws its own audit, and each watcher stops by it. Prints how often the intervals hold the truth (95% is meant)
at fixed rounds, at all rounds together, and at the round where a watcher stops; how often it stops falsely, below the target;
and what it cost. --plateau is the worst case for who looks every round: the accuracy lies just below the target all the time.
A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json

from benchmarks.audit_figures import show, summary
from benchmarks.audit_watchers import repeat
from benchmarks.audited_project import Wishes


def main() -> None:
    """Repeat, print."""
    given = arguments()
    wishes = Wishes(given.crops, given.rounds, given.picks, given.late, given.plateau, given.harder)
    tallies = [repeat(wishes, given.target, given.seed + number) for number in range(given.repeats)]
    figures = summary(tallies)
    show(figures)
    print(json.dumps({"settings": vars(given), **figures}))


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--repeats", type=int, default=500)
    ask.add_argument("--crops", type=int, default=8_000)
    ask.add_argument("--rounds", type=int, default=40)
    ask.add_argument("--picks", type=int, default=100, help="training labels a round; 1 in 15 more is audited")
    ask.add_argument("--target", type=float, default=0.8, help="accuracy of the rest to stop at")
    ask.add_argument("--late", type=float, default=0.0, help="share of the cameras that come at round 10 only")
    ask.add_argument(
        "--harder", type=float, default=1.0, help="how many times farther from the others than usual these lie"
    )
    ask.add_argument(
        "--plateau", action="store_true", help="picks by chance; the target is each project's own highest accuracy"
    )
    ask.add_argument("--seed", type=int, default=0)
    return ask.parse_args()


if __name__ == "__main__":
    main()
