"""A project made of numbers whose truth is known: crops in bursts of cameras, a classifier that learns, picks of the hard.

Each class has a few looks, rare ones among them; a camera moves all its crops. The classifier is ridge regression on random
features, as good as it needs to be here: its accuracy rises with the labels, and by margin it picks what it doubts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.selection.margin import margins
from worker.selection.pool import Rows
from worker.selection.ranking import lowest
from worker.stopping.draw import audits_of_round, chance_after, draw, unaudited
from worker.stopping.intervals import Reals

Floats = NDArray[np.float32]

CLASSES, LOOKS, CAMERAS, WIDTH, FEATURES = 8, 6, 20, 16, 64
LATE_ROUND = 10
RIDGE = 3.0
NOISE = 0.6


@dataclass(frozen=True)
class Wishes:
    """crops: of a project. rounds: of `picks` training labels each. late: share of the cameras that come at round 10.
    harder: how many times farther from the others than usual these lie. plateau: picks by chance, so that the accuracy
    soon hardly rises; else the classifier's smallest margins.
    """

    crops: int
    rounds: int
    picks: int
    late: float
    plateau: bool = False
    harder: float = 1.0


@dataclass(frozen=True, eq=False)
class Project:
    """features: (n, f). truth, deployment, sequence: (n,) numbers. arrival: (n,) the round at which a crop comes."""

    features: Floats
    truth: Rows
    deployment: Rows
    sequence: Rows
    arrival: Rows


@dataclass(eq=False)
class State:
    """After a round: guesses (n,), rest (r,), the audited rows that are in, those that left, and chance (n,)."""

    guesses: Rows
    rest: Rows
    audited: list[int]
    left: list[int]
    chance: Reals
    labels: int
    asked: int


def make(wishes: Wishes, rng: np.random.Generator) -> Project:
    """Draw a project: cameras with a taste for some classes, bursts of one look of one class."""
    n = wishes.crops
    sequence = np.repeat(np.arange(n), rng.integers(1, 7, n))[:n]
    bursts = int(sequence[-1]) + 1
    camera = np.sort(rng.integers(0, CAMERAS, bursts))
    taste = rng.dirichlet(np.full(CLASSES, 0.7), CAMERAS) + 0.02
    kind = (taste[camera].cumsum(axis=1) > rng.random((bursts, 1)) * taste[camera].sum(axis=1, keepdims=True)).argmax(1)
    look = rng.choice(LOOKS, size=bursts, p=(odds := 0.6 ** np.arange(LOOKS)) / odds.sum())
    centers = rng.normal(size=(CLASSES, LOOKS, WIDTH))
    moved = 0.5 * rng.normal(size=(CAMERAS, WIDTH))
    moved[: round(wishes.late * CAMERAS)] *= wishes.harder
    of_burst = centers[kind, look] + moved[camera] + NOISE * rng.normal(size=(bursts, WIDTH))
    vectors = of_burst[sequence] + NOISE * rng.normal(size=(n, WIDTH))
    inner = vectors @ rng.normal(size=(WIDTH, FEATURES)) / WIDTH**0.5 + rng.normal(size=FEATURES)
    return Project(
        features=np.maximum(inner, 0).astype(np.float32),
        truth=kind[sequence],
        deployment=camera[sequence],
        sequence=sequence,
        arrival=np.where(camera < wishes.late * CAMERAS, LATE_ROUND, 0)[sequence],
    )


def rounds(project: Project, wishes: Wishes, rng: np.random.Generator) -> Iterator[State]:
    """The state after each round: picks named and learned, audits named, the rest guessed anew."""
    n = len(project.truth)
    learner = Learner(project)
    audited: list[int] = []
    left: list[int] = []
    chance = np.zeros(n)
    is_open = np.ones(n, dtype=bool)  # neither learned nor left
    asked = 0
    for number in range(wishes.rounds):
        here = is_open & (project.arrival <= number)
        doubts = rng.random(n, dtype=np.float32) if wishes.plateau else learner.margins
        ranked = lowest(doubts, np.flatnonzero(here), wishes.picks + len(audited))
        picks, passed = unaudited(ranked, audited, wishes.picks)
        left, audited = left + passed, [row for row in audited if row not in set(passed)]
        is_open[picks + passed] = here[picks + passed + audited] = False
        unseen = np.flatnonzero(here)
        m = audits_of_round(wishes.picks, rng)
        drawn = draw(unseen, project.deployment, project.sequence, m, rng)
        chance = chance_after(chance, unseen, np.array(audited, dtype=np.int64), m)
        audited = audited + drawn.tolist()
        here[drawn] = False
        asked += len(picks) + m
        learner.learn(picks)
        yield State(learner.guesses, np.flatnonzero(here), audited, left, chance, (number + 1) * wishes.picks, asked)


class Learner:
    """Ridge regression on all rows learned so far; chance before the first."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.products = RIDGE * np.eye(FEATURES)
        self.answers = np.zeros((FEATURES, CLASSES))
        self.margins = np.random.default_rng(len(project.truth)).random(len(project.truth), dtype=np.float32)
        self.guesses = np.zeros(len(project.truth), dtype=np.int64)

    def learn(self, rows: list[int]) -> None:
        """Take these rows in and guess all anew."""
        inputs = self.project.features[rows]
        self.products += inputs.T @ inputs
        self.answers += inputs.T @ np.eye(CLASSES)[self.project.truth[rows]]
        scores = self.project.features @ np.linalg.solve(self.products, self.answers).astype(np.float32)
        self.margins, self.guesses = margins(scores), scores.argmax(axis=1)
