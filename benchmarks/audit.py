"""When to stop, said honestly? `python -m benchmarks.audit`: 500 simulated projects with known truth.

Every project draws its own audit, and each watcher stops by it. Prints how often the intervals hold the truth (95% is meant)
at fixed rounds, at all rounds together, and at the round where a watcher stops; how often it stops falsely, below the target;
and what it cost. --plateau is the worst case for who looks every round: the accuracy lies just below the target all the time.
A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.audited_project import Project, State, Wishes, make, rounds
from worker.selection.pool import Rows
from worker.stopping.accuracy import LEAST, Audit, Share, accuracy_by_answer, accuracy_by_guess, accuracy_of_rest
from worker.stopping.agreement import is_stable, kappa, stop_set
from worker.stopping.draw import CHECK, draw
from worker.stopping.forecast import forecast
from worker.stopping.watching import watched

FIXED = {"round 20": 20, "last round": -1}
PAUSE = 5  # rounds before another check, where one has failed


@dataclass(frozen=True)
class Look:
    """One look: the truth, what the audit says, and what it cost so far."""

    truth: float
    share: Share
    always: tuple[float, float]
    labels: int
    asked: int
    kappas: list[float]


@dataclass(frozen=True)
class Stop:
    """Where a watcher stopped: the truth then, the interval that it showed, and the answers it took, checks included.

    falsely: the target was not reached in that round.
    """

    truth: float
    low: float
    high: float
    asked: int
    falsely: bool

    @property
    def holds(self) -> bool:
        """Whether the truth lies in the interval."""
        return self.low <= self.truth <= self.high


@dataclass
class Tally:
    """One repeat: the target, the looks, the stops by name (None: never).

    kept_error: of one who keeps audited crops from the strategy. needed: the forecast at half (low, curve's own, high).
    called, being: whether the intervals of the species hold in the last round, of those called so, of those that are.
    """

    target: float
    looks: list[Look] = field(default_factory=list)
    stops: dict[str, Stop | None] = field(default_factory=dict)
    kept_error: float = 0.0
    needed: tuple[float | None, float | None, float | None] = (None, None, None)
    called: list[bool] = field(default_factory=list)
    being: list[bool] = field(default_factory=list)


def main() -> None:
    """Repeat, print."""
    given = arguments()
    wishes = Wishes(given.crops, given.rounds, given.picks, given.late, given.plateau)
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
        "--plateau", action="store_true", help="picks by chance; the target is each project's own highest accuracy"
    )
    ask.add_argument("--seed", type=int, default=0)
    return ask.parse_args()


def repeat(wishes: Wishes, target: float, seed: int) -> Tally:
    """One project from its first round to its last, with every watcher beside it."""
    rng = np.random.default_rng(seed)
    project = make(wishes, rng)
    watchers = rng.spawn(1)[0]  # what they draw changes nothing in the project
    stops = stop_set(wishes.crops, rng)
    states = list(rounds(project, wishes, rng))
    if wishes.plateau:
        target = max(truth_of(project, state) for state in states)
    tally = Tally(target)
    before: Rows | None = None
    kappas: list[float] = []
    checks: dict[str, Stop | None] = {"fresh sample of 300 at the naive stop": None, "checks until one confirms": None}
    paid, wait = 0, 0
    for state in states:
        if before is not None:
            kappas.append(kappa(before, state.guesses[stops]))
        before = state.guesses[stops]
        look = looked(project, state, len(tally.looks) + 1, wishes.rounds, kappas)
        tally.looks.append(look)
        wait -= 1
        if naive(look, target) and wait < 0 and checks["checks until one confirms"] is None:
            paid += CHECK
            stop = check(project, state, paid, look.truth < target, watchers)
            checks["fresh sample of 300 at the naive stop"] = checks["fresh sample of 300 at the naive stop"] or stop
            if stop.low >= target:
                checks["checks until one confirms"] = stop
            wait = PAUSE
    tally.stops = {name: first(tally.looks, rule, target) for name, rule in WATCHERS.items()} | checks
    tally.kept_error = kept_too_long(project, state) - tally.looks[-1].truth
    tally.called, tally.being = of_species(project, state)
    half = tally.looks[: wishes.rounds // 2]
    said = forecast(
        np.array([look.labels for look in half]),
        np.array([look.share.estimate for look in half]),
        np.array([look.share.n for look in half]),
        target,
        watchers,
    )
    tally.needed = (said.low, said.more, said.high)
    return tally


def looked(project: Project, state: State, number: int, planned: int, kappas: list[float]) -> Look:
    """What a person sees after this round, and what is true."""
    share = accuracy_of_rest(state.guesses, audit_of(project, state, state.audited), state.rest)
    return Look(
        truth_of(project, state), share, watched(share, number, planned), state.labels, state.asked, list(kappas)
    )


def truth_of(project: Project, state: State) -> float:
    """The share of the rest that is right."""
    return float((state.guesses[state.rest] == project.truth[state.rest]).mean())


def audit_of(project: Project, state: State, rows: list[int]) -> Audit:
    """The answers to these crops."""
    audited: Rows = np.array(rows, dtype=np.int64)
    return Audit(audited, project.truth[audited], state.chance[audited])


def check(project: Project, state: State, paid: int, falsely: bool, rng: np.random.Generator) -> Stop:
    """300 crops of the rest, drawn now; the interval is for the crops that are left after them."""
    drawn = draw(state.rest, project.deployment, project.sequence, CHECK, rng)
    rest = np.setdiff1d(state.rest, drawn)
    audit = Audit(drawn, project.truth[drawn], np.full(CHECK, CHECK / len(state.rest)))
    share = accuracy_of_rest(state.guesses, audit, rest)
    truth = float((state.guesses[rest] == project.truth[rest]).mean())
    return Stop(truth, share.low, share.high, state.asked + paid, falsely)


def kept_too_long(project: Project, state: State) -> float:
    """The estimate of one who keeps audited crops out of the strategy's sight: those that it would pick stay in."""
    audit = audit_of(project, state, state.audited + state.left)
    return accuracy_of_rest(state.guesses, audit, state.rest).estimate


def of_species(project: Project, state: State) -> tuple[list[bool], list[bool]]:
    """Whether the interval of each species with enough audited crops holds, of those called so and of those that are."""
    audit = audit_of(project, state, state.audited)
    guessed, true = state.guesses[state.rest], project.truth[state.rest]
    called = accuracy_by_guess(state.guesses, audit, state.rest)
    being = accuracy_by_answer(state.guesses, audit, state.rest)
    return (
        [said.low <= (true[guessed == number] == number).mean() <= said.high for number, said in called.items()],
        [said.low <= (guessed[true == number] == number).mean() <= said.high for number, said in being.items()],
    )


def naive(look: Look, target: float) -> bool:
    """Stop as soon as the interval of this look lies above the target."""
    return look.share.n >= LEAST and look.share.low >= target


def patient(look: Look, target: float) -> bool:
    """Stop as soon as the interval that holds at all looks lies above the target."""
    return look.share.n >= LEAST and look.always[0] >= target


def hopeful(look: Look, target: float) -> bool:
    """Stop as soon as the estimate is the target."""
    return look.share.n >= LEAST and look.share.estimate >= target


def stabilized(look: Look, target: float) -> bool:  # noqa: ARG001, it knows no target
    """Stop as soon as successive classifiers agree, whatever the target."""
    return is_stable(look.kappas)


def oracle(look: Look, target: float) -> bool:
    """Stop as soon as the truth is the target."""
    return look.truth >= target


WATCHERS: dict[str, Callable[[Look, float], bool]] = {
    "oracle": oracle,
    "estimate, every round": hopeful,
    "naive interval, every round": naive,
    "interval for all rounds": patient,
    "kappa alone": stabilized,
}


def first(looks: list[Look], rule: Callable[[Look, float], bool], target: float) -> Stop | None:
    """Where the rule first says stop; the interval for all rounds where the rule goes by it."""
    for look in looks:
        if rule(look, target):
            low, high = look.always if rule is patient else (look.share.low, look.share.high)
            return Stop(look.truth, low, high, look.asked, look.truth < target)
    return None


def summary(tallies: list[Tally]) -> dict[str, dict[str, dict[str, float | None]]]:
    """All figures: at fixed rounds, at all rounds, of each watcher, of the forecast."""
    fixed = {name: at_round([tally.looks[at if at < 0 else at - 1] for tally in tallies]) for name, at in FIXED.items()}
    together = {
        "naive interval": share_of([all(holds(look, naive) for look in tally.looks) for tally in tallies]),
        "interval for all rounds": share_of([all(holds(look, patient) for look in tally.looks) for tally in tallies]),
    }
    oracles = [tally.stops["oracle"] for tally in tallies]
    names = tallies[0].stops
    watchers = {name: of_watcher([tally.stops[name] for tally in tallies], oracles) for name in names}
    return {
        "fixed": fixed,
        "all rounds together": {"coverage": together},
        "stops": watchers,
        "audited crops kept from the strategy": {
            "last round": {
                "mean error": float(np.mean([tally.kept_error for tally in tallies])),
                "mean error of the blind audit": float(
                    np.mean([tally.looks[-1].share.estimate - tally.looks[-1].truth for tally in tallies])
                ),
            }
        },
        "species, last round": {
            "called so": species_figures([tally.called for tally in tallies]),
            "being so": species_figures([tally.being for tally in tallies]),
        },
        "forecast at half": {"target": of_forecast(tallies)},
    }


def species_figures(held: list[list[bool]]) -> dict[str, float | None]:
    """Coverage over all species of all projects, and how many a project has."""
    return {
        "coverage": share_of([each for project in held for each in project]),
        "species told": float(np.mean([len(project) for project in held])),
    }


def holds(look: Look, rule: Callable[[Look, float], bool]) -> bool:
    """Whether the interval of a look holds the truth."""
    low, high = look.always if rule is patient else (look.share.low, look.share.high)
    return low <= look.truth <= high


def at_round(looks: list[Look]) -> dict[str, float | None]:
    """Coverage, bias and width of a single look, chosen beforehand."""
    errors = np.array([look.share.estimate - look.truth for look in looks])
    return {
        "coverage": share_of([holds(look, naive) for look in looks]),
        "coverage for all rounds": share_of([holds(look, patient) for look in looks]),
        "mean audited": float(np.mean([look.share.n for look in looks])),
        "mean error": float(errors.mean()),
        "mean width": float(np.mean([look.share.high - look.share.low for look in looks])),
        "mean width for all rounds": float(np.mean([look.always[1] - look.always[0] for look in looks])),
    }


def of_watcher(stops: list[Stop | None], oracles: list[Stop | None]) -> dict[str, float | None]:
    """Shares of all projects in which it stops, and falsely; of its stops with the truth inside; answers it took."""
    made = [stop for stop in stops if stop]
    beyond = [stop.asked - best.asked for stop, best in zip(stops, oracles, strict=True) if stop and best]
    return {
        "stops": len(made) / len(stops),
        "false": sum(stop.falsely for stop in made) / len(stops),
        "coverage": share_of([stop.holds for stop in made]),
        "mean answers": float(np.mean([stop.asked for stop in made])) if made else None,
        "beyond the oracle": float(np.mean(beyond)) if beyond else None,
    }


def of_forecast(tallies: list[Tally]) -> dict[str, float | None]:
    """Made at half of the rounds where the target was not reached: how often the true number lies in the interval."""
    inside, finite, far, silent = [], [], [], 0
    for tally in tallies:
        half = tally.looks[len(tally.looks) // 2 - 1]
        reached = next((look.labels for look in tally.looks if look.truth >= tally.target), None)
        low, more, high = tally.needed
        if reached is None or reached <= half.labels:
            continue
        if low is None or more is None or high is None:
            silent += 1
            continue
        true = reached - half.labels
        inside.append(low <= true <= high)
        finite.append(high < np.inf)
        if more < np.inf:
            far.append(abs(more - true))
    return {
        "forecasts": float(len(inside)),
        "silent": float(silent),
        "coverage": share_of(inside),
        "share with an upper end": share_of(finite),
        "median error in labels": float(np.median(far)) if far else None,
    }


def share_of(said: list[bool]) -> float | None:
    """How many are true; None of none."""
    return float(np.mean(said)) if said else None


def show(figures: dict[str, dict[str, dict[str, float | None]]]) -> None:
    """One table a part."""
    for part, lines in figures.items():
        columns = list(next(iter(lines.values())))
        print(f"\n{part:40s}" + "".join(f"{column:>26s}" for column in columns))
        for name, line in lines.items():
            print(f"  {name:38s}" + "".join(f"{shown(line[column]):>26s}" for column in columns))
    print()


def shown(number: float | None) -> str:
    """A share with three digits, a count with none."""
    if number is None:
        return "-"
    return f"{number:.3f}" if abs(number) < 2 else f"{number:,.0f}"


if __name__ == "__main__":
    main()
