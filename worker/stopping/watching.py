"""An interval that may be looked at after every round.

Who looks after each round and stops at the first good interval stops too early: each look is one more chance to be wrong.
Here the looks share one error probability, so that with 1 - alpha ALL intervals hold, whenever the person stops.

Why no confidence sequence of a martingale (Howard et al. 2021, thm. 4; Waudby-Smith & Ramdas 2024, sec. 5)?
Those watch ONE list of right and wrong answers grow. Here each round brings another classifier, which judges the old
answers anew: the list changes at each look, and its sum is no martingale. What they could cover is the mean accuracy of
all classifiers so far, each judged on its own few new answers, which lags behind by as many rounds. The sum over looks
(Bonferroni) asks for nothing but an interval that holds at each look, and Clopper and Pearson's does (intervals.py).
The number of crops drawn in a round must not depend on what earlier answers said. A check (draw.CHECK) after a high
estimate does, but it only thins out the luck that called for it. It is no look: it is read once.
"""

from worker.stopping.accuracy import ALPHA, Part, Share, together
from worker.stopping.intervals import clopper_pearson

AFTERWARDS = 0.1  # of the error probability is kept for looks beyond the plan


def watched(share: Share, look: int, planned: int, alpha: float = ALPHA) -> tuple[float, float]:
    """(low, high) for the rest, with 1 - alpha right at all looks together.

    look: the number of this one, from 1. planned: about how many there will be, rounds in the label budget; more are
    allowed and grow wider. Raises ValueError where either is below 1. In each part (accuracy.py) the bounds for all crops
    that the sample was drawn from, less the audited ones themselves: never too narrow where all chances are equal, and
    near it where they are not.
    """
    if not share.effective:
        return 0.0, 1.0
    error = error_of_look(look, planned, alpha)

    def at_all_looks(part: Part) -> tuple[float, float]:
        low, high = clopper_pearson(part.estimate, part.effective, error)
        seen = part.effective / part.of
        return max(low + seen * (low - part.estimate), 0.0), min(high + seen * (high - part.estimate), 1.0)

    return together(share.parts, at_all_looks)


def error_of_look(look: int, planned: int, alpha: float) -> float:
    """What part of alpha this look may use: equal parts in the plan, then 1 / (j (j + 1)), whose sum over all j is 1."""
    if look < 1 or planned < 1:
        raise ValueError(f"look {look} of {planned} planned: both count from 1")
    if look <= planned:
        return alpha * (1 - AFTERWARDS) / planned
    late = look - planned
    return alpha * AFTERWARDS / (late * (late + 1))
