"""The share of the rest that is right: by hand, and over all possible draws."""

from itertools import product
from math import isnan

import numpy as np
import pytest

from worker.stopping.accuracy import (
    LEAST,
    Audit,
    Share,
    accuracy_by_answer,
    accuracy_by_guess,
    accuracy_of_rest,
    apart,
    weights,
)
from worker.stopping.draw import chance_after
from worker.stopping.intervals import wilson
from worker.stopping.watching import watched


def audit_of(rows: list[int], answers: list[int], chance: float | list[float] = 0.5) -> Audit:
    everybody = np.full(200, 0.5)
    everybody[rows] = chance
    return Audit(np.array(rows, dtype=np.int64), np.array(answers), everybody)


def test_equal_chances_give_the_share_of_right_answers() -> None:
    guesses = np.array([1, 1, 2, 2, 1, 2])
    share = accuracy_of_rest(guesses, audit_of([0, 1, 2, 3], [1, 2, 2, 2]), np.array([4, 5]))
    assert share.estimate == 0.75
    assert (share.n, share.effective, share.of) == (4, 4, 2)
    assert (share.low, share.high) == wilson(0.75, 4 / 3, 0.05)  # 1 / (1 / 4 + 1 / 2)


def test_a_crop_of_few_draws_stands_for_more() -> None:
    guesses = np.ones(30, dtype=np.int64)
    audit = audit_of([0, 1, 2], [1, 1, 2], [0.5, 0.5, 0.4])
    assert weights(audit) == pytest.approx([1, 1, 1.5])
    share = accuracy_of_rest(guesses, audit, np.arange(3, 30))
    assert share.estimate == pytest.approx(2 / 3.5)
    assert share.effective == pytest.approx(3.5**2 / 4.25)


def late(chance_of_late: float, audited: int, right: int) -> Share:
    """40 audited crops of the first batch, all right, for 60 left; for as many left of a later batch these."""
    chance = np.repeat([0.4, chance_of_late], 100)
    rows = np.concatenate([np.arange(40), np.arange(100, 100 + audited)])
    answers = np.concatenate([np.ones(40 + right), np.zeros(audited - right)]).astype(np.int64)
    rest = np.concatenate([np.arange(40, 100), np.arange(140, 200)])
    return accuracy_of_rest(np.ones(200, dtype=np.int64), Audit(rows, answers, chance), rest)


def test_a_later_batch_counts_by_its_crops_and_has_an_interval_of_its_own() -> None:
    share = late(0.04, audited=4, right=1)
    assert share.estimate == pytest.approx((60 * 1 + 60 * 0.25) / 120)
    first, second = wilson(1, 24, 0.05), wilson(0.25, 60 / 16, 0.05)
    below = ((1 - first[0]) / 2) ** 2 + ((0.25 - second[0]) / 2) ** 2
    assert share.low == pytest.approx(share.estimate - below**0.5)
    assert share.high == pytest.approx(share.estimate + (second[1] - 0.25) / 2)
    assert [part.of for part in share.parts] == [60, 60]
    one, many = watched(share, 1, 1), watched(share, 1, 40)
    assert many[0] < one[0] < share.low < share.high < one[1] < many[1]


def test_what_no_draw_has_reached_may_be_right_or_wrong() -> None:
    share = late(0.0, audited=0, right=0)
    assert share.estimate == 1  # as good a guess as any
    assert (share.low, share.high) == (pytest.approx(wilson(1, 24, 0.05)[0] / 2), 1)
    assert share.effective < 4
    assert watched(share, 1, 1)[0] < 0.5


@pytest.mark.parametrize(("late_crops", "right_of_late"), [(150, 0.3), (600, 0.3), (600, 0.85), (2400, 0.6)])
def test_the_interval_holds_after_one_draw_of_a_harder_batch(late_crops: int, right_of_late: float) -> None:
    """1,200 crops at 95%, of which 140 were drawn; others come; 7 are drawn of all. The naive interval held in 54 to 95%."""
    rng = np.random.default_rng(1)
    n, held, repeats = 1200 + late_crops, 0, 400
    for _ in range(repeats):
        right = rng.random(n) < np.where(np.arange(n) < 1200, 0.95, right_of_late)
        early = rng.choice(1200, 140, replace=False)
        chance = chance_after(np.zeros(n), np.arange(1200), np.empty(0, np.int64), 140)
        unseen = np.setdiff1d(np.arange(n), early)
        chance = chance_after(chance, unseen, early, 7)
        audited = np.concatenate([early, rng.choice(unseen, 7, replace=False)])
        rest = np.setdiff1d(unseen, audited)
        share = accuracy_of_rest(np.ones(n, np.int64), Audit(audited, right[audited].astype(np.int64), chance), rest)
        held += share.low <= right[rest].mean() <= share.high
    assert held >= 0.92 * repeats


def test_parts_are_within_a_factor_of_two() -> None:
    chance = np.array([0.64, 0.33, 0.31, 0.16, 0.05, 0.0])
    parts = apart(Audit(np.empty(0, np.int64), np.empty(0, np.int64), chance), np.arange(6))
    assert [part.rest.tolist() for part in parts] == [[0, 1], [2], [3], [4], [5]]


def test_over_all_draws_the_weighted_answers_add_up_to_the_rest() -> None:
    # three crops, one is drawn; two more come; one of the four unseen is drawn
    right = np.array([1, 0, 1, 1, 0])
    of_audit = of_rest = 0.0
    for first, second in product(range(3), range(4)):
        chance = chance_after(np.zeros(5), np.arange(3), np.empty(0, dtype=np.int64), 1)
        unseen = np.setdiff1d(np.arange(5), [first])
        chance = chance_after(chance, unseen, np.array([first]), 1)
        audited = np.array([first, unseen[second]])
        of_audit += weights(Audit(audited, right[audited], chance)) @ right[audited] / 12
        of_rest += right[np.setdiff1d(unseen, audited)].sum() / 12
    assert of_audit == pytest.approx(of_rest)


def test_nothing_audited_or_nothing_left_is_not_known() -> None:
    guesses = np.zeros(3, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    for audit, rest in [(audit_of([], []), np.arange(3)), (audit_of([0, 1, 2], [0, 0, 0]), nothing)]:
        share = accuracy_of_rest(guesses, audit, rest)
        assert isnan(share.estimate)
        assert (share.low, share.high) == (0, 1)


def test_a_species_is_told_from_thirty_audited_crops_on() -> None:
    # 30 called 1, of which 24 are so and 6 are 2; 29 called 2, all of which are so
    guesses = np.array([1] * 30 + [2] * 29 + [1] * 100 + [2] * 41)
    answers = [1] * 24 + [2] * 6 + [2] * 29
    audit, rest = audit_of(list(range(59)), answers), np.arange(59, 200)
    by_guess = accuracy_by_guess(guesses, audit, rest)
    assert set(by_guess) == {1}
    assert (by_guess[1].estimate, by_guess[1].n, by_guess[1].of) == (0.8, LEAST, 100)
    by_answer = accuracy_by_answer(guesses, audit, rest)
    assert set(by_answer) == {2}
    assert by_answer[2].estimate == pytest.approx(29 / 35)
    assert by_answer[2].of == pytest.approx(141 * 35 / 59)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2 is audited"):
        accuracy_of_rest(np.zeros(4, dtype=np.int64), audit_of([1, 2], [0, 0]), np.array([2, 3]))
    with pytest.raises(ValueError, match="twice"):
        audit_of([1, 1], [0, 0])
    with pytest.raises(ValueError, match="2 audited rows, 1 answers"):
        audit_of([1, 2], [0])
    with pytest.raises(ValueError, match="audited row 2 is not in"):
        audit_of([1, 2], [0, 0], [0.5, 0.0])
