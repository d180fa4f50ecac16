"""Who judges, and when one embedding is better than another."""

import numpy as np

from worker.learning.judging import hold_out, is_better, named_right


def test_whole_deployments_are_held_out_and_no_class_loses_its_last_label() -> None:
    rng = np.random.default_rng(0)
    deployments, labels = rng.integers(0, 15, 400), rng.integers(0, 6, 400)
    parted = hold_out(labels, deployments, 0.2, seed=1)
    assert parted.whole
    assert not set(deployments[parted.kept]) & set(deployments[parted.held])
    assert set(labels[parted.held]) <= set(labels[parted.kept])
    assert 40 <= len(parted.held) <= 120
    np.testing.assert_array_equal(np.sort(np.concatenate([parted.kept, parted.held])), np.arange(400))


def test_one_deployment_and_deployments_of_one_species_each_are_parted_by_rows() -> None:
    labels = np.arange(200) % 4
    for deployments in (np.zeros(200, np.int64), labels):
        parted = hold_out(labels, deployments, 0.2, seed=1)
        assert not parted.whole
        assert np.bincount(labels[parted.held]).tolist() == [10, 10, 10, 10]


def test_who_was_held_stays_held_when_more_is_said() -> None:
    """So an embedder that was fine-tuned once is judged by crops that did not teach it then."""
    rng = np.random.default_rng(0)
    ids, labels = rng.permutation(4000)[:2000], rng.integers(0, 5, 2000)
    for deployments in (rng.integers(0, 40, 2000), np.zeros(2000, np.int64)):
        early = hold_out(labels[:1000], deployments[:1000], 0.2, 1, ids[:1000])
        later = hold_out(labels, deployments, 0.2, 1, ids)
        taught = np.isin(later.held, early.kept)  # the later ones stand behind, rows stay what they are
        assert early.whole == later.whole and len(later.held) > 300
        assert taught.sum() < 0.15 * len(later.held)  # by chance it would be 0.4
        other = hold_out(labels, deployments, 0.2, 2, ids)
        assert np.isin(other.held, later.held).mean() < 0.6


def test_a_crop_that_taught_the_embedder_never_judges_it() -> None:
    """Cameras of uneven size, each with its own species: the draw that holds the most classes changes as labels come."""
    for trial in range(6):
        rng = np.random.default_rng(trial)
        cameras = rng.choice(30, 5000, p=rng.dirichlet(np.full(30, 0.7)))
        taste = rng.dirichlet(np.full(8, 0.5), 30)
        labels = np.array([rng.choice(8, p=taste[camera]) for camera in cameras])
        ids, taught, held_again = rng.permutation(9000)[:5000], np.empty(0, np.int64), []
        for n in (1000, 2000, 3000, 4000, 5000):
            parted = hold_out(labels[:n], cameras[:n], 0.2, 1, ids[:n], taught)
            judges = ids[parted.held]
            assert not np.isin(judges, taught).any() and len(judges) > 0.02 * n
            assert not set(cameras[parted.held]) & set(cameras[parted.kept]) or not parted.whole
            taught = np.union1d(taught, ids[parted.kept])
            held_again.append(len(judges) / n)
        assert np.mean(held_again) > 0.1


def test_rows_are_held_by_their_ids_whatever_their_order() -> None:
    rng = np.random.default_rng(1)
    ids, labels, one = rng.permutation(900)[:300], rng.integers(0, 3, 300), np.zeros(300, np.int64)
    turned = np.arange(300)[::-1]
    held = hold_out(labels, one, 0.2, 1, ids).held
    again = hold_out(labels[turned], one, 0.2, 1, ids[turned]).held
    assert sorted(ids[held]) == sorted(ids[turned][again])


def test_a_class_with_one_label_is_never_held() -> None:
    labels = np.array([0] * 30 + [1] * 30 + [2])
    assert 60 not in hold_out(labels, np.zeros(61, np.int64), 0.3, seed=0).held


def test_named_right_is_per_crop_and_near_one_for_plain_classes() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3 + 10
    vectors = (np.eye(8)[labels - 10] + rng.normal(0, 0.05, (60, 8))).astype(np.float32)
    right = named_right(vectors[:45], labels[:45], vectors[45:], labels[45:], seed=0)
    assert right.shape == (15,)
    assert right.mean() > 0.99
    assert named_right(vectors[:45], labels[:45], vectors[45:], labels[45:] % 3 + 10, seed=0).mean() < 0.5


def test_better_needs_more_crops_won_than_chance_would_give() -> None:
    before = np.zeros(200)
    before[:100] = 1
    after = before.copy()
    assert not is_better(before, after)
    after[100:104] = 1  # 4 won, 1 lost
    after[0] = 0
    assert not is_better(before, after)
    after[104:112] = 1  # 12 won, 1 lost
    assert is_better(before, after)
    assert not is_better(after, before)


def test_frames_of_one_burst_count_as_one() -> None:
    before, after = np.zeros(200), np.zeros(200)
    after[:10] = 1  # two bursts of five went right
    assert is_better(before, after)
    assert not is_better(before, after, np.arange(200) // 5)
    after[:100] = np.arange(100) % 5 == 0  # one frame of each of twenty bursts
    assert is_better(before, after, np.arange(200) // 5)
