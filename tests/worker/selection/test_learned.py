"""The learned strategies pick what their papers promise, where a random pick would not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worker.learning import small_games
from tests.worker.learning.small_games import kinds_of_crops, shorten
from tests.worker.selection.pools import make_pool
from worker.learning import latent_game
from worker.learning.classifier import HIDDEN, Classifier
from worker.selection import initial, learning_loss, sraal, ta_vaal, vaal, waal
from worker.selection.pool import Pool
from worker.selection.strategies import Select

KINDS = np.repeat([0, 1, 2], 40)
LABELLED = list(range(0, 80, 2))  # half of two kinds, nothing of the third
K = 20


def picture_pool(seed: int, labelled: list[int] = LABELLED) -> Pool:
    vectors = np.random.default_rng(seed).random((len(KINDS), 3), dtype=np.float32)
    pool = make_pool(vectors, labelled)
    return replace(pool, labels=KINDS[labelled], crops=kinds_of_crops(KINDS, seed))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_game, "recipe_for", lambda _device: small_games.RECIPE)


@pytest.fixture
def blink(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("select", [sraal.select, vaal.select, ta_vaal.select])
def test_crops_of_the_kind_without_a_label_are_picked(select: Select) -> None:
    picks = select(picture_pool(1), K, np.random.default_rng(1))
    assert (KINDS[picks] == 2).mean() > 0.9  # by chance it would be a half


@pytest.mark.usefixtures("small")
def test_the_first_pool_covers_the_rare_kind() -> None:
    kinds = np.r_[np.zeros(118, np.int64), [1, 1]]
    pool = replace(picture_pool(2, []), crops=kinds_of_crops(kinds, 2))
    hits = [kinds[initial.select(pool, 8, np.random.default_rng(seed))].any() for seed in range(2)]
    assert all(hits)  # by chance one in eight would hit


@pytest.mark.usefixtures("blink")
def test_the_first_pool_begins_by_chance_and_goes_on_far_from_what_is_gone() -> None:
    pool = picture_pool(3)
    picks = initial.select(pool, 30, np.random.default_rng(4))
    open_rows = np.setdiff1d(np.arange(120), LABELLED)
    assert picks[:3] == np.random.default_rng(4).permutation(open_rows)[:3].tolist()
    assert len(set(picks)) == 30
    assert not set(picks) & set(LABELLED)


@pytest.mark.usefixtures("blink")
@pytest.mark.parametrize("select", [sraal.select, vaal.select, ta_vaal.select, initial.select])
def test_without_crops_it_says_so_and_without_labels_it_starts(select: Select) -> None:
    with pytest.raises(ValueError, match="crops"):
        select(replace(picture_pool(1), crops=None), 2, np.random.default_rng(0))
    blank = picture_pool(1, [])
    assert select(blank, 5, np.random.default_rng(0)) == initial.select(blank, 5, np.random.default_rng(0))
    assert select(blank, 0, np.random.default_rng(0)) == []


@pytest.mark.usefixtures("blink")
@pytest.mark.parametrize("select", [sraal.select, vaal.select, ta_vaal.select, waal.select, learning_loss.select])
@pytest.mark.parametrize("labelled", [[5], list(range(3, 120))])
def test_one_label_and_few_open_rows_are_enough(select: Select, labelled: list[int]) -> None:
    pool = picture_pool(1, labelled)
    assert sorted(select(pool, 3, np.random.default_rng(0)))[-1] < 120
    one_class = replace(pool, labels=np.zeros(len(labelled), np.int64))
    assert len(set(select(one_class, 3, np.random.default_rng(0)))) == 3


def test_waal_picks_the_heap_without_a_label() -> None:
    vectors = np.random.default_rng(0).normal(0, 0.3, (120, 2)).astype(np.float32)
    vectors[KINDS == 1, 0] += 3
    vectors[KINDS == 2, 1] += 3
    pool = replace(make_pool(vectors, LABELLED), labels=KINDS[LABELLED])
    picks = waal.select(pool, K, np.random.default_rng(0))
    assert (KINDS[picks] == 2).mean() > 0.9  # by chance it would be a half


def test_waal_asks_what_is_unlike_the_labelled_and_what_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = replace(make_pool(np.zeros((6, 2), np.float32), [0, 1]), labels=np.array([0, 1]))
    sure, doubtful = [0.99, 0.01], [0.55, 0.45]
    chances = np.array([sure, sure, sure, doubtful], np.float32)  # of the open rows 2 to 5
    unlike = np.array([0, 0, 0.9, 0], np.float32)
    monkeypatch.setattr(waal, "judgements", lambda *_: (chances, unlike))
    assert set(waal.select(pool, 2, np.random.default_rng(0))) == {4, 5}


def test_the_discriminators_are_told_what_their_papers_tell_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """TA-VAAL how wrong the classifier will be about each crop, SRAAL the names, VAAL nothing."""
    told: dict[str, tuple[object, ...]] = {}

    def hear(name: str) -> None:
        def likeness(*given: object, **more: object) -> np.ndarray:
            told[name] = (*given, *more.values())
            return np.zeros(len(pool.open_rows(0)), np.float32)

        monkeypatch.setattr({"ta_vaal": ta_vaal, "sraal": sraal, "vaal": vaal}[name], "likeness", likeness)

    pool = picture_pool(1)
    for name, select in (("ta_vaal", ta_vaal.select), ("sraal", sraal.select), ("vaal", vaal.select)):
        hear(name)
        select(pool, 3, np.random.default_rng(0))

    def heard(name: str, wanted: np.ndarray) -> bool:
        return any(isinstance(each, np.ndarray) and np.array_equal(each, wanted) for each in told[name])

    ranks = ta_vaal.ranks_of(pool, np.random.default_rng(0))
    assert heard("ta_vaal", ranks) and not heard("vaal", ranks)
    assert heard("sraal", pool.labels) and not heard("vaal", pool.labels)


def test_sureness_is_least_where_all_classes_are_alike() -> None:
    chances = np.array([[0.5, 0.5], [0.9, 0.1], [1, 0]], dtype=np.float32)
    two, nine = np.log(2), (-np.log(0.9), -np.log(0.1))
    by_hand = [two, (sum(nine) / 2 + np.sqrt((nine[0] ** 2 + nine[1] ** 2) / 2)) / 2]
    assert waal.sureness(chances)[:2] == pytest.approx(by_hand, rel=1e-5)
    assert (np.diff(waal.sureness(chances)) > 0).all()


def plain_classifier() -> Classifier:
    """Two classes; its hidden layer is the vector itself, class 1 is likelier the larger the first number."""
    hidden, output = np.zeros((HIDDEN, 2), np.float32), np.zeros((2, HIDDEN), np.float32)
    hidden[0, 0] = hidden[1, 1] = 1
    output[1, 0] = 1
    flat = [np.zeros(2, np.float32), np.ones(2, np.float32), np.zeros(HIDDEN, np.float32)]
    return Classifier([0, 1], 0, 0, flat[0], flat[1], hidden, flat[2], output, np.array([0, -2], np.float32))


def wrong_where_the_second_number_is_large(seed: int) -> Pool:
    rng = np.random.default_rng(seed)
    vectors = (4 * rng.random((200, 2))).astype(np.float32)
    labels = (vectors[:100, 0] > 2) ^ (vectors[:100, 1] > 3)  # the classifier cannot know that second part
    return replace(
        make_pool(vectors, list(range(100)), classes=2),
        labels=labels.astype(np.int64),
        classifier=plain_classifier(),
    )


def test_learning_loss_picks_where_the_classifier_was_wrong() -> None:
    pool = wrong_where_the_second_number_is_large(0)
    picks = learning_loss.select(pool, 20, np.random.default_rng(0))
    assert (pool.vectors[picks, 1] > 3).mean() > 0.8  # by chance a quarter


def test_the_ranks_of_ta_vaal_are_places_from_0_to_1_and_high_where_the_classifier_was_wrong() -> None:
    pool = wrong_where_the_second_number_is_large(1)
    ranks = ta_vaal.ranks_of(pool, np.random.default_rng(0))
    assert np.sort(ranks) == pytest.approx(np.arange(200) / 199)
    wrong = pool.vectors[:, 1] > 3
    assert ranks[wrong].mean() - ranks[~wrong].mean() > 0.4


def test_without_a_classifier_at_hand_one_is_fitted() -> None:
    pool = replace(wrong_where_the_second_number_is_large(2), classifier=None)
    picks = learning_loss.select(pool, 20, np.random.default_rng(0))
    assert picks == learning_loss.select(pool, 20, np.random.default_rng(0))
    assert min(picks) >= 100
