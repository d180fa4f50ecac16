"""A classifier and what it is worth: the temperature and the report come from crops that the network has not seen."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from worker.learning.classifier import Classifier, softmax
from worker.learning.named_crops import NamedCrops
from worker.learning.report import FEWEST, judge
from worker.learning.temperature import calibration_error, temperature_of
from worker.learning.ways import WAYS, goes_on, learn, taught

D, TWINS = 40, 4


def doubtful(bursts: int, seed: int, twins: int = TWINS) -> NamedCrops:
    """Bursts of near twins; three names that nothing in the picture tells apart for certain: the network learns them by
    heart and becomes far too sure."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, bursts)
    middles = np.random.default_rng(9).standard_normal((3, D)) * 0.25
    of_burst = middles[kind] + rng.standard_normal((bursts, D))
    burst = np.repeat(np.arange(bursts), twins)
    vectors = (of_burst[burst] + 0.05 * rng.standard_normal((len(burst), D))).astype(np.float32)
    rows = np.arange(len(burst))
    return NamedCrops(vectors, rows, kind[burst] + 5, np.zeros(len(burst), np.int64), burst + 1)


def columns(classifier: Classifier, labels: np.ndarray) -> np.ndarray:
    return np.searchsorted(classifier.classes, labels)


def error_on(classifier: Classifier, crops: NamedCrops) -> float:
    return calibration_error(classifier.probabilities(crops.vectors), columns(classifier, crops.labels))


def test_the_temperature_comes_from_bursts_that_were_not_taught() -> None:
    """Found on the taught crops, or on held twins of them, it would be below 2 and leave the network too sure."""
    crops, fresh = doubtful(150, 1), doubtful(2000, 2, twins=1)
    classifier, report = learn(crops, seed=3)
    raw = replace(classifier, temperature=1.0)
    seen = temperature_of(raw.logits(crops.vectors), columns(raw, crops.labels))
    rows = np.arange(len(crops.rows))
    twins = learn(replace(crops, sequence=rows + 1), seed=3)[0].temperature
    wanted = temperature_of(raw.logits(fresh.vectors), columns(raw, fresh.labels))
    assert classifier.temperature == report.temperature == pytest.approx(wanted, rel=0.3)
    assert seen < 1 < twins * 1.5 < classifier.temperature
    assert error_on(classifier, fresh) < 0.08 < 0.12 < error_on(raw, fresh)
    assert error_on(replace(raw, temperature=seen), fresh) > 0.17
    named = classifier.probabilities(fresh.vectors).argmax(axis=1)
    assert (named == raw.probabilities(fresh.vectors).argmax(axis=1)).all()


def test_right_answers_make_it_surer_and_answers_by_chance_less_sure() -> None:
    logits = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32) * 4
    classifier = Classifier(
        [0, 1, 2], 0, 0, np.zeros(3, np.float32), np.ones(3, np.float32),
        np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32), np.zeros(6, np.float32),
        np.concatenate([np.eye(3), -np.eye(3)], axis=1).astype(np.float32), np.zeros(3, np.float32),
    )  # fmt: skip
    np.testing.assert_allclose(classifier.logits(logits), logits, atol=1e-5)  # a network that says what it is given
    groups = np.arange(200)
    surely = judge(classifier, logits, logits.argmax(axis=1), groups)
    by_chance = judge(classifier, logits, np.random.default_rng(1).integers(0, 3, 200), groups)
    assert surely.temperature < 1 < by_chance.temperature
    assert by_chance.error_before > 0.4 > 0.2 > by_chance.error_after


def test_few_labels_leave_the_classifier_as_it_is_and_the_report_says_how_many_there_were() -> None:
    crops = doubtful(30, 1).only(np.arange(100))
    classifier, report = learn(crops, seed=1)
    assert 0 < report.n_held < FEWEST and classifier.temperature == report.temperature == 1
    assert math.isnan(report.error_after) and report.told()["error_after"] is None
    one = crops.only(np.arange(1))
    assert learn(one, seed=1)[1].n_held == 0
    assert json.loads(json.dumps(learn(one, seed=1)[1].told()))["accuracy"] is None


def test_a_report_counts_each_class_as_a_loop_does() -> None:
    crops = doubtful(300, 4)
    _, report = learn(crops, seed=1)
    assert (
        report.n_held == pytest.approx(240, abs=30) and sum(one.n for one in report.per_class.values()) == report.n_held
    )
    probe, held = taught(crops.only(np.arange(800)), 1, None, WAYS["plain"]), np.arange(800, 1200)
    found = judge(probe, crops.vectors[held], crops.labels[held], crops.sequence[held])
    named = np.array(probe.classes)[probe.probabilities(crops.vectors[held]).argmax(axis=1)]
    for kind in (5, 6, 7):
        pairs = list(zip(named.tolist(), crops.labels[held].tolist(), strict=True))
        hits = sum(said == so == kind for said, so in pairs)
        line = found.per_class[kind]
        assert line.precision == pytest.approx(hits / sum(said == kind for said, _ in pairs))
        assert line.recall == pytest.approx(hits / sum(so == kind for _, so in pairs))
    assert json.loads(json.dumps(found.told()))["per_class"]["5"]["n"] == found.per_class[5].n


def test_a_class_that_was_never_called_has_no_precision() -> None:
    crops = doubtful(60, 1)
    probe = taught(crops.only(np.flatnonzero(crops.labels != 7)), 1, None, WAYS["plain"])
    probe = replace(probe, classes=[5, 6])
    mine = np.flatnonzero(crops.labels == 5)[:20]
    found = judge(probe, crops.vectors[mine] * 0 + probe.mean, crops.labels[mine], mine)
    [line] = found.per_class.values()
    assert line.n == 20 and (math.isnan(line.precision) or line.recall == 1)


def test_a_rare_class_is_found_with_weights_and_missed_without() -> None:
    """Two clouds that overlap, 1 of 50 in the smaller."""
    rng = np.random.default_rng(0)
    labels = (np.arange(3000) % 50 == 0).astype(np.int64)
    vectors = (rng.standard_normal((3000, 8)) + labels[:, None] * 0.9).astype(np.float32)
    numbers = np.arange(1500)
    crops = NamedCrops(vectors, numbers, labels[:1500], numbers, numbers)
    found = {}
    for way in ("plain", "unweighted"):
        said = taught(crops, 1, None, WAYS[way]).probabilities(vectors[1500:]).argmax(axis=1)
        found[way] = (said[labels[1500:] == 1] == 1).mean()
    assert found["plain"] > found["unweighted"] + 0.15


def test_equal_arguments_give_equal_bytes_and_many_labels_are_judged_by_a_part() -> None:
    crops = doubtful(2000, 1)
    classifier, report = learn(crops, seed=2)
    again, same = learn(crops, seed=2)
    assert report == same and report.n_held == pytest.approx(1200, abs=60)
    assert {name: array.tobytes() for name, array in classifier.to_arrays().items()} == {
        name: array.tobytes() for name, array in again.to_arrays().items()
    }
    back = Classifier.from_arrays(classifier.to_arrays())
    assert back.temperature == classifier.temperature != 1
    chances = softmax(classifier.logits(crops.vectors), classifier.temperature)
    np.testing.assert_array_equal(back.probabilities(crops.vectors), chances)


def test_few_labels_are_learnt_from_nothing_and_many_go_on_until_there_are_a_tenth_more() -> None:
    crops = doubtful(60, 1)
    first = taught(crops.only(np.arange(200)), 1, None, WAYS["plain"])
    assert not goes_on(None, 100) and not goes_on(first, 5_000)
    assert goes_on(replace(first, n_labels=29_900), 30_000)
    assert not goes_on(replace(first, n_labels=27_000), 30_000) and not goes_on(replace(first, n_labels=30_100), 30_000)
    anew = [
        number for number in range(5_100, 30_001, 100) if not goes_on(replace(first, n_labels=number - 100), number)
    ]
    assert len(anew) == pytest.approx(np.log(6) / np.log(1.1), abs=1)  # one in every tenth more labels
    cold, again = learn(crops, 1)[0], learn(crops, 1, warm=first)[0]
    assert (cold.hidden == again.hidden).all()
    assert not (cold.hidden == learn(crops, 1, warm=first, way=WAYS["warm"])[0].hidden).all()


def test_a_warm_start_goes_on_from_what_was_learnt_not_from_what_was_made_of_it() -> None:
    crops = doubtful(150, 1)
    first, _ = learn(crops, seed=1)
    assert first.temperature > 1.5
    warm, raw = (taught(crops, 2, start, WAYS["plain"]) for start in (first, replace(first, temperature=1.0)))
    assert warm.temperature == 1
    assert all((array == raw.to_arrays()[name]).all() for name, array in warm.to_arrays().items())
