"""The share of the rest that is right: by hand, and over all possible draws."""

from itertools import product
from math import isnan

import numpy as np
import pytest

from worker.stopping.accuracy import LEAST, Audit, accuracy_by_answer, accuracy_by_guess, accuracy_of_rest, weights
from worker.stopping.draw import chance_after
from worker.stopping.intervals import wilson


def audit_of(rows: list[int], answers: list[int], chance: float | list[float] = 0.5) -> Audit:
    return Audit(
        np.array(rows, dtype=np.int64), np.array(answers), np.broadcast_to(np.array(chance), len(rows)).astype(float)
    )


def test_equal_chances_give_the_share_of_right_answers() -> None:
    guesses = np.array([1, 1, 2, 2, 1, 2])
    share = accuracy_of_rest(guesses, audit_of([0, 1, 2, 3], [1, 2, 2, 2]), np.array([4, 5]))
    assert share.estimate == 0.75
    assert (share.n, share.effective, share.of) == (4, 4, 2)
    assert (share.low, share.high) == wilson(0.75, 4 / 3, 0.05)  # 1 / (1 / 4 + 1 / 2)


def test_a_crop_of_few_draws_stands_for_more() -> None:
    guesses = np.ones(30, dtype=np.int64)
    audit = audit_of([0, 1, 2], [1, 1, 2], [0.5, 0.5, 0.2])
    assert weights(audit) == pytest.approx([1, 1, 4])
    share = accuracy_of_rest(guesses, audit, np.arange(3, 30))
    assert share.estimate == pytest.approx(2 / 6)
    assert share.effective == pytest.approx(36 / 18)


def test_over_all_draws_the_weighted_answers_add_up_to_the_rest() -> None:
    # three crops, one is drawn; two more come; one of the four unseen is drawn
    right = np.array([1, 0, 1, 1, 0])
    of_audit = of_rest = 0.0
    for first, second in product(range(3), range(4)):
        chance = chance_after(np.zeros(5), np.arange(3), np.empty(0, dtype=np.int64), 1)
        unseen = np.setdiff1d(np.arange(5), [first])
        chance = chance_after(chance, unseen, np.array([first]), 1)
        audited = np.array([first, unseen[second]])
        of_audit += weights(Audit(audited, right[audited], chance[audited])) @ right[audited] / 12
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
