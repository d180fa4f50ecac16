"""Fine-tuning: it helps where there is something to learn, says why where not, and can be cut at any step."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from worker.device import find_device
from worker.learning.augmentation import Augmentation
from worker.learning.finetuning import Verdict, fine_tune, taught_ids
from worker.learning.judging import hold_out
from worker.learning.metric_training import Progress, Recipe
from worker.networks.embedder import card_of, load_embedder
from worker.networks.embedding import ResNet50Embedding
from worker.networks.weights import STARTER_DIR, WeightsError, read_weights, sha256_of, write_weights

STARTER = STARTER_DIR / "embedder.safetensors"
DEVICE = find_device("cpu")
VIEWS = Augmentation(closest=0.9)
QUICK = Recipe(classes=3, crops=2, frozen=15, steps=3, validations=1, augmentation=VIEWS)
TAUGHT = Recipe(classes=3, crops=5, frozen=10, steps=16, validations=1, held_share=0.4, augmentation=VIEWS)
Crops = NDArray[np.uint8]
Ids = NDArray[np.int64]


@pytest.fixture(scope="module")
def crops() -> Crops:
    """120 small crops of three kinds of stripes under much noise."""
    rng = np.random.default_rng(0)
    x = np.arange(32)
    stripes = [np.sin(x / 1.2)[None, :], np.sin(x / 1.2)[:, None], np.sin((x[:, None] + x) / 1.7)]
    drawn = [128 + 60 * stripes[row % 3] + rng.normal(0, 130, (32, 32)) for row in range(120)]
    return np.clip(np.stack(drawn), 0, 255).astype(np.uint8)[..., None].repeat(3, 3)


LABELS = np.arange(120) % 3 + 7
DEPLOYMENTS = np.arange(120) // 3 % 5


class LazyCrops:
    """Hands out crops by rows and remembers how many were asked for at once."""

    def __init__(self, crops: Crops) -> None:
        self.crops, self.most = crops, 0

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, rows: Ids, /) -> Crops:
        self.most = max(self.most, len(rows))
        return self.crops[rows]


class Cut(Exception):
    """Somebody stops the job."""


def cut_after(step: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.step == step:
            raise Cut

    return report


def test_what_can_be_learned_is_learned_and_the_new_checkpoint_names_its_parent(crops: Crops, tmp_path: Path) -> None:
    out, seen, reader = tmp_path / "new", list[Progress](), LazyCrops(crops)
    verdict = fine_tune(STARTER, out, reader, LABELS, DEPLOYMENTS, DEVICE, TAUGHT, report=seen.append)
    assert verdict.helped
    assert verdict.after > verdict.before
    assert verdict.words == f"Recognises {verdict.after:.1%} of held-out crops, before {verdict.before:.1%}."
    _tensors, card = read_weights(out, "embedder")
    assert (card["parent"], card["name"]) == (sha256_of(STARTER), "starter + 120 labels")
    held = set(hold_out(LABELS, DEPLOYMENTS, TAUGHT.held_share, TAUGHT.seed).held.tolist())
    assert set(taught_ids(out).tolist()) == set(range(120)) - held and not len(taught_ids(STARTER))
    assert load_embedder(out, DEVICE).crop_px == 256
    assert [progress.step for progress in seen] == list(range(1, 17)) == list(range(1, verdict.steps + 1))
    assert seen[-1].validation == pytest.approx(verdict.after)
    assert seen[-1].seconds_left == 0 < seen[-2].seconds_left
    assert reader.most <= DEVICE.crops


def test_what_of_the_usual_recipe_shall_be_otherwise_is_and_the_rest_is_as_usual(crops: Crops, tmp_path: Path) -> None:
    given = (STARTER, tmp_path / "new", crops, LABELS, DEPLOYMENTS, DEVICE, QUICK)
    short, softmax = list[Progress](), list[Progress]()
    assert fine_tune(*given, changed={"steps": 1}, report=short.append).steps == 1
    assert fine_tune(*given, changed={"steps": 1, "loss": "softmax"}, report=softmax.append).steps == 1
    assert short[0].loss != softmax[0].loss  # of the same crops
    with pytest.raises(ValueError, match="loss 'hinge' is unknown"):
        fine_tune(*given, changed={"loss": "hinge"})


def test_a_course_cut_at_any_step_goes_on_as_if_never_cut(crops: Crops, tmp_path: Path) -> None:
    given = (crops, LABELS, DEPLOYMENTS, DEVICE, replace(TAUGHT, steps=5, frozen=15, validations=2))
    state, losses = tmp_path / "state", list[float]()
    whole = list[float]()
    expected = fine_tune(STARTER, tmp_path / "a", *given, report=lambda progress: whole.append(progress.loss))
    for step in (1, 4):  # the second time after a judgement
        with pytest.raises(Cut):
            fine_tune(STARTER, tmp_path / "b", *given, state=state, report=cut_after(step))
        read_weights(state, "embedder-training")
    resumed = fine_tune(
        STARTER, tmp_path / "b", *given, state=state, report=lambda progress: losses.append(progress.loss)
    )
    assert resumed == expected
    assert losses == whole[4:]
    assert fine_tune(STARTER, tmp_path / "b", *given, state=state) == expected  # the job's step may run twice


def test_the_state_of_another_course_is_not_taken_up(crops: Crops, tmp_path: Path) -> None:
    state, seen = tmp_path / "state", list[Progress]()
    with pytest.raises(Cut):
        fine_tune(STARTER, tmp_path / "a", crops, LABELS, DEPLOYMENTS, DEVICE, QUICK, state=state, report=cut_after(2))
    other = np.roll(LABELS, 1)
    fine_tune(STARTER, tmp_path / "a", crops, other, DEPLOYMENTS, DEVICE, QUICK, state=state, report=seen.append)
    assert [progress.step for progress in seen] == [1, 2, 3]


def test_labels_that_mean_nothing_do_not_help_and_the_old_checkpoint_stays(crops: Crops, tmp_path: Path) -> None:
    nonsense = np.random.default_rng(1).permutation(LABELS)
    verdict = fine_tune(STARTER, tmp_path / "new", crops, nonsense, DEPLOYMENTS, DEVICE, QUICK)
    assert not verdict.helped
    assert verdict.words.startswith("It did not help: ")
    assert verdict.words.endswith("The old one stays.")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.full(120, 4), "Only one species has labels."),
        (np.array([1] * 119 + [2]), "120 labels are too few: two species need several each."),
        (np.arange(120), "120 labels are too few: two species need several each."),
    ],
)
def test_what_cannot_be_tried_is_said(labels: Ids, words: str, crops: Crops, tmp_path: Path) -> None:
    verdict = fine_tune(STARTER, tmp_path / "new", crops, labels, DEPLOYMENTS, DEVICE, QUICK)
    assert (verdict.helped, verdict.steps, verdict.words) == (False, 0, words)
    assert math.isnan(verdict.before)
    assert not (tmp_path / "new").exists()


def test_no_labels_and_labels_of_another_length(crops: Crops, tmp_path: Path) -> None:
    none = np.empty(0, np.int64)
    verdict = fine_tune(STARTER, tmp_path / "new", crops[:0], none, none, DEVICE, QUICK)
    assert verdict.words == "No crop has a label."
    with pytest.raises(ValueError, match="120 crops, 119 labels, 120 deployments"):
        fine_tune(STARTER, tmp_path / "new", crops, LABELS[1:], DEPLOYMENTS, DEVICE, QUICK)


def test_species_with_one_crop_and_a_single_deployment_are_survived_and_said(crops: Crops, tmp_path: Path) -> None:
    labels = LABELS.copy()
    labels[:2] = 50, 51
    verdict = fine_tune(STARTER, tmp_path / "new", crops, labels, np.zeros(120, np.int64), DEVICE, QUICK)
    assert verdict.steps == 3
    assert "not by deployment" in verdict.words


def test_numbers_out_of_bounds_end_the_course_and_the_old_checkpoint_stays(crops: Crops, tmp_path: Path) -> None:
    wild = replace(QUICK, rate=1e36, head_rate=1e36, warm_up_share=0)
    verdict = fine_tune(STARTER, tmp_path / "new", crops, LABELS, DEPLOYMENTS, DEVICE, wild, state=tmp_path / "state")
    assert (verdict.helped, verdict.words) == (
        False,
        "The training broke off because its numbers ran out of bounds. The old one stays.",
    )
    assert not (tmp_path / "new").exists()


def test_softmax_and_a_resnet50_of_small_crops_are_taught_alike(crops: Crops, tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = tmp_path / "resnet"
    write_weights(start, ResNet50Embedding().state_dict(), card_of("r", ResNet50Embedding.architecture, crop_px=32))
    recipe = replace(QUICK, loss="softmax", frozen=16, steps=1)
    verdict = fine_tune(start, tmp_path / "new", crops, LABELS, DEPLOYMENTS, DEVICE, recipe)
    assert isinstance(verdict, Verdict)
    assert verdict.steps == 1
    with pytest.raises(WeightsError, match="no weights file"):
        fine_tune(tmp_path / "nothing", tmp_path / "new", crops, LABELS, DEPLOYMENTS, DEVICE, recipe)
