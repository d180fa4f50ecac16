"""Names that nobody gave: when they are believed, how far they flow, and that they teach."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from worker.learning.classifier import Classifier, fit
from worker.learning.named_crops import NamedCrops
from worker.learning.propagation import propagate
from worker.learning.pseudo_labels import ceal, doubts, propagation, threshold
from worker.learning.ways import WAYS, taught


def moons(seed: int = 0, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 2) points, their moons, and one row of each moon."""
    points, moon = make_moons(n, noise=0.05, random_state=seed)
    return points.astype(np.float32), moon, np.array([np.flatnonzero(moon == kind)[0] for kind in (0, 1)])


def clouds(per_class: int, seed: int = 0, apart: float = 4) -> tuple[NamedCrops, np.ndarray]:
    """Four clouds of 200 crops, a few named in each; and the true names, 10 to 13."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(10, 14), 200)
    vectors = (rng.standard_normal((4, 12))[true - 10] * apart + rng.standard_normal((800, 12))).astype(np.float32)
    rows = np.concatenate([np.flatnonzero(true == kind)[:per_class] for kind in range(10, 14)])
    numbers = np.arange(len(rows))
    return NamedCrops(vectors, rows, true[rows], numbers, numbers), true


def first_fit(crops: NamedCrops) -> Classifier:
    return fit(crops.vectors[crops.rows], crops.labels, classes=np.unique(crops.labels).tolist(), seed=1)


@pytest.mark.parametrize("seed", range(3))
def test_one_label_each_names_the_two_moons(seed: int) -> None:
    points, moon, rows = moons(seed)
    shares = propagate(points, rows, moon[rows], 2)
    assert (shares.argmax(axis=1) == moon).all()
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    nearest = ((points[:, None] - points[rows]) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == moon).mean() < 0.95  # the nearest name is not enough


def test_names_flow_as_the_matrix_says() -> None:
    """A slow twin: the inverse of the whole matrix of a small graph (Zhou et al. 2004, sec. 2)."""
    points, moon, rows = moons(n=40)
    apart = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    order = np.sort(apart, axis=1)
    width = np.median(order[:, 10])
    near = np.where((apart <= order[:, [10]]) | (apart <= order[:, 10]), np.exp(-(apart**2) / (2 * width**2)), 0)
    np.fill_diagonal(near, 0)
    degree = near.sum(axis=1)
    flow = np.linalg.inv(np.eye(40) - 0.99 * near / np.sqrt(np.outer(degree, degree)))[:, rows]
    expected = flow / flow.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(propagate(points, rows, moon[rows], 2), expected, atol=0.01)


def test_an_island_without_a_name_stays_without() -> None:
    points, moon, rows = moons()
    island = points[:20] + 1000
    shares = propagate(np.concatenate([points, island]), rows, moon[rows], 2)
    assert (shares[300:] == 0).all()
    crops = NamedCrops(np.concatenate([points, island]), rows, moon[rows], rows, rows)
    guessed = propagation(crops, first_fit(crops), 1)
    assert (guessed.trust[np.isin(guessed.rows, np.arange(300, 320))] == 0).all()
    assert not np.isin(rows, guessed.rows).any() and len(guessed.rows) == 318


def test_the_threshold_falls_and_ends_at_nothing() -> None:
    assert threshold(1) == 0.05
    assert threshold(11) == pytest.approx(0.05 - 0.033)
    assert threshold(16) == pytest.approx(0.0005) and threshold(17) == 0
    crops, _ = clouds(8)
    classifier = first_fit(crops)
    counts = [len(ceal(NamedCrops(crops.vectors, crops.rows, crops.labels, crops.rows, crops.rows, at), classifier, 1).rows)
              for at in (1, 8, 16, 17)]  # fmt: skip
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[1] > counts[2] >= counts[3] == 0


def test_only_what_the_classifier_is_sure_of_is_believed() -> None:
    crops, true = clouds(8)
    classifier = first_fit(crops)
    guessed = ceal(crops, classifier, 1)
    doubt = doubts(classifier.probabilities(crops.vectors))
    sure = np.setdiff1d(np.flatnonzero(doubt < 0.05), crops.rows)
    assert (guessed.rows == sure).all() and 100 < len(sure) < 768
    assert (guessed.labels == true[sure]).mean() > 0.99


def test_a_classifier_of_one_class_guesses_nothing() -> None:
    crops, _ = clouds(3)
    one = crops.only(np.arange(3))
    for way in ("ceal", "propagation"):
        assert taught(one, 1, None, WAYS[way]).to_arrays()["n_labels"] == 3
    assert len(ceal(one, first_fit(one), 1).rows) == len(propagation(one, first_fit(one), 1).rows) == 0


@pytest.mark.parametrize("way", ["ceal", "propagation"])
def test_guesses_teach_where_clusters_are_clean_and_are_no_labels(way: str) -> None:
    right: dict[str, list[float]] = {"plain": [], way: []}
    for seed in range(6):
        crops, true = clouds(2, seed, apart=1.5)
        before = crops.labels.copy()
        for name, shares in right.items():
            classifier = taught(crops, seed, None, WAYS[name])
            named = np.array(classifier.classes)[classifier.probabilities(crops.vectors).argmax(axis=1)]
            shares.append(float((named == true).mean()))
            assert classifier.n_labels == 8
        assert (crops.labels == before).all()
    assert np.mean(right[way]) > np.mean(right["plain"]) + 0.008
