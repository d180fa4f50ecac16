"""The classifier learns, repeats itself to the byte, and keeps what it knew."""

import numpy as np
import pytest
import torch

from worker.learning.classifier import Classifier, fit
from worker.learning.descent import class_weights

D = 16


def animals(
    n: int, classes: list[int], seed: int = 0, share: list[float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """n vectors in one ball a class, and their class ids."""
    rng = np.random.default_rng(seed)
    home = np.random.default_rng(99).standard_normal((100, D)) * 3
    labels = rng.choice(classes, n, p=share).astype(np.int64)
    return (home[labels] + rng.standard_normal((n, D))).astype(np.float32), labels


def accuracy(classifier: Classifier, vectors: np.ndarray, labels: np.ndarray) -> float:
    best = classifier.probabilities(vectors).argmax(axis=1)
    return float((np.array(classifier.classes)[best] == labels).mean())


def same(one: Classifier, other: Classifier) -> bool:
    left, right = one.to_arrays(), other.to_arrays()
    return all(left[name].tobytes() == right[name].tobytes() for name in left)


def test_it_learns_classes_that_lie_apart_and_keeps_their_order() -> None:
    classes = [40, 7, 12, 3]
    classifier = fit(*animals(400, classes), classes=classes, seed=1)
    assert classifier.classes == classes
    assert accuracy(classifier, *animals(500, classes, seed=2)) > 0.97


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not() -> None:
    vectors, labels = animals(300, [0, 1, 2])
    first = fit(vectors, labels, classes=[0, 1, 2], seed=5)
    assert same(first, fit(vectors, labels, classes=[0, 1, 2], seed=5))
    assert not same(first, fit(vectors, labels, classes=[0, 1, 2], seed=6))
    warm = fit(vectors, labels, classes=[0, 1, 2], seed=8, warm=first)
    assert same(warm, fit(vectors, labels, classes=[0, 1, 2], seed=8, warm=first))


def test_global_chance_threads_and_gradients_are_left_alone() -> None:
    vectors, labels = animals(50, [0, 1])
    threads, torch_state, numpy_state = torch.get_num_threads(), torch.get_rng_state(), np.random.get_state()[1].copy()
    with torch.no_grad():
        fit(vectors, labels, classes=[0, 1], seed=1)
        assert not torch.is_grad_enabled()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()


def test_probabilities_sum_to_one_and_do_not_change_with_the_block() -> None:
    vectors, labels = animals(200, [0, 1, 2])
    classifier = fit(vectors, labels, classes=[0, 1, 2], seed=1)
    many = np.concatenate([vectors] * 100)
    found = classifier.probabilities(many)
    assert found.dtype == np.float32 and found.shape == (20_000, 3)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found[-200:] == pytest.approx(classifier.probabilities(vectors), abs=1e-5)


def test_a_warm_start_stays_as_good_and_leaves_the_earlier_one_as_it_was() -> None:
    vectors, labels = animals(600, [0, 1, 2])
    first = fit(vectors[:500], labels[:500], classes=[0, 1, 2], seed=1)
    before = {name: array.copy() for name, array in first.to_arrays().items()}
    second = fit(vectors, labels, classes=[0, 1, 2], seed=2, warm=first)
    assert accuracy(second, *animals(500, [0, 1, 2], seed=3)) > 0.97
    assert second.n_labels == 600
    assert all((array == before[name]).all() for name, array in first.to_arrays().items())
    assert (second.mean == first.mean).all()


def test_a_warm_start_grows_a_new_class_and_drops_a_removed_one() -> None:
    first = fit(*animals(500, [5, 9, 2]), classes=[5, 9, 2], seed=1)
    vectors, labels = animals(600, [9, 5, 30], seed=4)
    second = fit(vectors, labels, classes=[9, 30, 5], seed=1, warm=first)
    assert second.classes == [9, 30, 5]
    assert second.output.shape == (3, 100)
    assert accuracy(second, *animals(500, [9, 5, 30], seed=5)) > 0.95


def test_a_class_without_a_label_has_probability_zero_until_it_has_one() -> None:
    vectors, labels = animals(200, [0, 1])
    first = fit(vectors, labels, classes=[0, 1, 2], seed=1)
    assert (first.probabilities(vectors)[:, 2] == 0).all()
    assert first.named() == {0, 1}
    more, names = animals(300, [0, 1, 2], seed=2)
    second = fit(more, names, classes=[0, 1, 2], seed=1, warm=first)
    assert accuracy(second, more, names) > 0.95


def test_one_labelled_class_is_certain_and_none_is_open() -> None:
    vectors, _ = animals(5, [0])
    for warm in [None, fit(*animals(50, [1, 2]), classes=[1, 2], seed=1)]:
        only = fit(vectors, np.full(5, 7), classes=[3, 7], seed=1, warm=warm)
        assert only.probabilities(vectors).tolist() == [[0, 1]] * 5
        none = fit(vectors[:0], np.empty(0, dtype=np.int64), classes=[3, 7], seed=1, warm=warm)
        assert none.probabilities(vectors).tolist() == [[0.5, 0.5]] * 5
    assert fit(vectors[:0], np.empty(0, dtype=np.int64), classes=[], seed=1).probabilities(vectors).shape == (5, 0)


def test_a_blank_classifier_is_no_warm_start() -> None:
    vectors, labels = animals(300, [0, 1])
    blank = fit(vectors[:1], labels[:1], classes=[0, 1], seed=1)
    cold = fit(vectors, labels, classes=[0, 1], seed=1)
    assert same(fit(vectors, labels, classes=[0, 1], seed=1, warm=blank), cold)
    assert same(
        fit(vectors, labels, classes=[0, 1], seed=1, warm=fit(vectors[:, :4], labels, classes=[0, 1], seed=1)), cold
    )


@pytest.mark.parametrize("m", [2, 3, 255, 256, 257])
def test_any_number_of_labels_can_be_learned(m: int) -> None:
    vectors, labels = animals(m, [0, 1], seed=1)
    labels[:2] = [0, 1]
    assert np.isfinite(fit(vectors, labels, classes=[0, 1], seed=1).probabilities(vectors)).all()


def test_a_rare_class_is_found_among_many() -> None:
    share = [0.985, 0.01, 0.005]
    classifier = fit(*animals(3000, [0, 1, 2], share=share), classes=[0, 1, 2], seed=1)
    for rare in [1, 2]:
        assert accuracy(classifier, *animals(200, [rare], seed=7)) > 0.9


def test_rare_classes_weigh_more_but_not_without_limit() -> None:
    outputs = np.array([0] * 10_000 + [1] * 100 + [2])
    weights = class_weights(outputs, 3)
    assert weights[outputs].mean() == pytest.approx(1, abs=1e-3)
    assert weights[0] < weights[1] < weights[2] < 101 * weights[0]


def test_labels_without_trust_teach_nothing() -> None:
    vectors, labels = animals(400, [0, 1, 2])
    wrong = np.where(np.arange(400) < 250, (labels + 1) % 3, labels)
    trust = (np.arange(400) >= 250).astype(np.float32)
    trusting, wary = (fit(vectors, wrong, classes=[0, 1, 2], seed=1, trust=each) for each in (None, trust))
    more = animals(300, [0, 1, 2], seed=2)
    assert accuracy(trusting, *more) < 0.5 < 0.95 < accuracy(wary, *more)
    for bad in (trust[:9], -trust):
        with pytest.raises(ValueError, match="trust"):
            fit(vectors, wrong, classes=[0, 1, 2], seed=1, trust=bad)


def test_equal_vectors_and_flat_dimensions_do_not_break_it() -> None:
    vectors = np.ones((20, D), dtype=np.float32)
    labels = np.array([0, 1] * 10)
    assert fit(vectors, labels, classes=[0, 1], seed=1).probabilities(vectors) == pytest.approx(0.5, abs=0.1)


def test_arrays_bring_the_same_classifier_back_and_bad_ones_are_refused() -> None:
    vectors, labels = animals(100, [0, 1])
    classifier = fit(vectors, labels, classes=[0, 1], seed=1)
    arrays = classifier.to_arrays()
    back = Classifier.from_arrays(arrays)
    assert same(back, classifier)
    assert (back.probabilities(vectors) == classifier.probabilities(vectors)).all()
    with pytest.raises(ValueError, match="output_bias"):
        Classifier.from_arrays({name: array for name, array in arrays.items() if name != "output_bias"})
    with pytest.raises(ValueError, match="hidden"):
        Classifier.from_arrays({**arrays, "hidden": arrays["hidden"][:, :3]})
    with pytest.raises(ValueError, match="scale"):
        Classifier.from_arrays({**arrays, "scale": arrays["scale"] * np.nan})
    with pytest.raises(ValueError, match="temperature"):
        Classifier.from_arrays({**arrays, "temperature": np.zeros(1)})
    older = Classifier.from_arrays({name: array for name, array in arrays.items() if name != "temperature"})
    assert older.temperature == 1


def test_what_cannot_be_meant_is_refused() -> None:
    vectors, labels = animals(40, [0, 1])
    classifier = fit(vectors, labels, classes=[0, 1], seed=1)
    broken = vectors.copy()
    broken[31, 2] = np.nan
    with pytest.raises(ValueError, match="row 31"):
        fit(broken, labels, classes=[0, 1], seed=1)
    with pytest.raises(ValueError, match="row 31"):
        classifier.probabilities(broken)
    with pytest.raises(ValueError, match="not listed"):
        fit(vectors, labels, classes=[0], seed=1)
    with pytest.raises(ValueError, match="twice"):
        fit(vectors, labels, classes=[0, 1, 1], seed=1)
    with pytest.raises(ValueError, match=r"\(m,\)"):
        fit(vectors, labels[:5], classes=[0, 1], seed=1)
    with pytest.raises(ValueError, match="16"):
        classifier.probabilities(vectors[:, :5])
