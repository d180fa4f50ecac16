"""Those who watch a simulated project and stop it, each by another rule; their looks and stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.audited_project import Project, State, Wishes, make, rounds
from worker.selection.pool import Rows
from worker.stopping.accuracy import LEAST, Audit, Share, accuracy_by_answer, accuracy_by_guess, accuracy_of_rest
from worker.stopping.agreement import is_stable, kappa, stop_set
from worker.stopping.draw import CHECK, draw
from worker.stopping.forecast import forecast
from worker.stopping.watching import watched

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


@dataclass(frozen=True)
class Tally:
    """One repeat: the target, the looks, the stops by name (None: never).

    kept_error: of one who keeps audited crops from the strategy. needed: the forecast at half (low, curve's own, high).
    called, being: whether the intervals of the species hold in the last round, of those called so, of those that are.
    """

    target: float
    looks: list[Look]
    stops: dict[str, Stop | None]
    kept_error: float
    needed: tuple[float | None, float | None, float | None]
    called: list[bool]
    being: list[bool]


def repeat(wishes: Wishes, target: float, seed: int) -> Tally:
    """One project from its first round to its last, with every watcher beside it."""
    rng = np.random.default_rng(seed)
    project = make(wishes, rng)
    watchers = rng.spawn(1)[0]  # what they draw changes nothing in the project
    stops = stop_set(wishes.crops, rng)
    states = list(rounds(project, wishes, rng))
    if wishes.plateau:
        target = max(truth_of(project, state) for state in states)
    named = [state.guesses[stops] for state in states]
    kappas = [kappa(before, after) for before, after in pairwise(named)]
    looks = [
        looked(project, state, number, wishes.rounds, kappas[: number - 1]) for number, state in enumerate(states, 1)
    ]
    rules = {name: first(looks, rule, target) for name, rule in WATCHERS.items()}
    called, being = of_species(project, states[-1])
    return Tally(
        target=target,
        looks=looks,
        stops=rules | checks(project, states, looks, target, watchers),
        kept_error=kept_too_long(project, states[-1]) - looks[-1].truth,
        needed=needed_at_half(looks, target, watchers),
        called=called,
        being=being,
    )


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
    return Audit(audited, project.truth[audited], state.chance)


def checks(
    project: Project, states: list[State], looks: list[Look], target: float, rng: np.random.Generator
) -> dict[str, Stop | None]:
    """Draw 300 crops when the naive watcher would stop: once and stop, or again later until a check confirms the target."""
    done: list[Stop] = []
    wait = 0
    for state, look in zip(states, looks, strict=True):
        wait -= 1
        if naive(look, target) and wait < 0:
            done.append(check(project, state, CHECK * (len(done) + 1), look.truth < target, rng))
            wait = PAUSE
            if done[-1].low >= target:
                break
    confirmed = done[-1] if done and done[-1].low >= target else None
    return {
        "fresh sample of 300 at the naive stop": done[0] if done else None,
        "checks until one confirms": confirmed,
    }


def check(project: Project, state: State, paid: int, falsely: bool, rng: np.random.Generator) -> Stop:
    """300 crops of the rest, drawn now; the interval is for the crops that are left after them."""
    drawn = draw(state.rest, project.deployment, project.sequence, CHECK, rng)
    rest = np.setdiff1d(state.rest, drawn)
    audit = Audit(drawn, project.truth[drawn], np.full(len(project.truth), CHECK / len(state.rest)))
    share = accuracy_of_rest(state.guesses, audit, rest)
    truth = float((state.guesses[rest] == project.truth[rest]).mean())
    return Stop(truth, share.low, share.high, state.asked + paid, falsely)


def needed_at_half(
    looks: list[Look], target: float, rng: np.random.Generator
) -> tuple[float | None, float | None, float | None]:
    """Low end, curve and high end of the forecast after half of the rounds."""
    half = looks[: len(looks) // 2]
    said = forecast(
        np.array([look.labels for look in half]),
        np.array([look.share.estimate for look in half]),
        np.array([look.share.n for look in half]),
        target,
        rng,
    )
    return said.low, said.more, said.high


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
