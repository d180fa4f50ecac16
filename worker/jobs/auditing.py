"""The audit stream of a project: what every round draws by chance beside the strategy's picks (worker/stopping/draw.py).

Audited crops stay open to the strategy, asked or named: had it not been for the draw, nobody would have looked at them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audited import Audited, audited, audited_ids
from models.box_edit import Replaced, replaced
from models.round import FULL, Round


@dataclass(frozen=True)
class Drawn:
    """What one round drew. share: of the crops that it drew from; up_to, above: their ids and scores (models/round.py)."""

    number: int
    is_full: bool
    share: float
    up_to: int
    above: float


@dataclass(frozen=True)
class Stream:
    """Everything drawn so far. drawn: by round, the oldest first. crops: those that a person did not name by the way.

    ever: the boxes of all of them. before: box id -> what it was before people moved it.
    """

    drawn: list[Drawn]
    crops: list[Audited]
    ever: set[int]
    before: dict[int, list[Replaced]]

    @property
    def open_ids(self) -> set[int]:
        """The boxes that the strategy may still choose."""
        return {crop.box_id for crop in self.crops if crop.passed_in is None}


def read_stream(session: Session, project_id: int) -> Stream:
    """From the rows of rounds and picks."""
    before: dict[int, list[Replaced]] = defaultdict(list)
    for each in replaced(session, project_id):
        before[each.now_id].append(each)
    rounds = session.scalars(
        select(Round).where(Round.project_id == project_id, Round.drawn > 0).order_by(Round.number)
    )
    return Stream(
        [
            Drawn(row.number, row.state == FULL, row.drawn / row.drawn_of, row.drawn_up_to, row.drawn_above)
            for row in rounds
        ],
        audited(session, project_id),
        set(session.scalars(audited_ids(project_id))),
        dict(before),
    )


def chances(
    ids: NDArray[np.int64],
    scores: NDArray[np.float64],
    drawn: Sequence[Drawn],
    before: Mapping[int, Sequence[Replaced]],
) -> NDArray[np.float64]:
    """(n,) the probability of each crop to be drawn in one of these rounds: those that came when it was there already.

    before: as in Stream. A moved box is the same animal, drawn or not under the id and score that it had then.
    """
    not_drawn = np.ones(len(ids))
    for each in drawn:
        there = (ids <= each.up_to) & (scores >= each.above)
        known = [
            now for now, rows in before.items() if any(row.id <= each.up_to and row.score >= each.above for row in rows)
        ]
        not_drawn[there | np.isin(ids, np.array(known, np.int64))] *= 1 - each.share
    return 1 - not_drawn


def served(
    choose: Callable[[list[int], int], list[int]], audited_rows: Collection[int], k: int
) -> tuple[list[int], list[int]]:
    """(picks, passed): k crops that are not audited, and the audited ones that the strategy chose on the way.

    choose(gone, k): the strategy's next k rows without the rows `gone`. Asked again for as many as were passed, it walks
    down its ranking: each round's answer is centres, or gone, for the next.
    """
    picks: list[int] = []
    passed: list[int] = []
    while len(picks) < k:
        for row in choose(picks + passed, k - len(picks)):
            (passed if row in audited_rows else picks).append(row)
    return picks, passed
