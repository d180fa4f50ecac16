"""Classes become kinds: which ones do, and that probabilities of one kind add up."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights

from worker.networks.kinds import ANIMAL, PERSON, VEHICLE, KindPredictor, kinds_of

COCO = FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"][1:]


class Says(nn.Module):
    """A predictor that always gives the same logits; the shifts of class c are all c."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = torch.tensor([logits])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        numbers = torch.arange(self.logits.shape[1], dtype=torch.float32)
        return self.logits.expand(len(x), -1), numbers.repeat_interleave(4).expand(len(x), -1)


def test_of_coco_ten_animals_people_and_eight_vehicles_are_kept() -> None:
    kinds = kinds_of(COCO)
    assert [kinds.count(kind) for kind in (ANIMAL, PERSON, VEHICLE, None)] == [10, 1, 8, 71]
    assert {name for name, kind in zip(COCO, kinds, strict=True) if kind == ANIMAL} == {
        "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe",
    }  # fmt: skip


def test_a_hot_dog_is_no_dog_and_a_human_is_a_person() -> None:
    assert kinds_of(["hot dog", "teddy bear", "Human", "animal"]) == (None, None, PERSON, ANIMAL)


def test_the_probability_of_a_kind_is_the_sum_of_its_classes() -> None:
    classes = ["cow", "fork", "person", "horse"]
    logits = [0.3, 1.2, 2.0, -1.0, 1.1]
    each = np.exp(logits) / np.exp(logits).sum()
    merged = KindPredictor(Says(logits), kinds_of(classes))
    assert merged.kinds == (ANIMAL, PERSON)
    found = torch.softmax(merged(torch.zeros(3, 2))[0], dim=1).numpy()
    np.testing.assert_allclose(found, [[each[0] + each[2], each[1] + each[4], each[3]]] * 3, rtol=1e-5)


def test_the_box_of_a_kind_is_that_of_its_most_probable_class() -> None:
    _logits, shifts = KindPredictor(Says([0, 1.2, 5.0, -1.0, 1.3]), kinds_of(["cow", "fork", "person", "horse"]))(
        torch.zeros(2, 2)
    )
    assert shifts.shape == (2, 12)
    assert shifts[:, 4:8].tolist() == [[4.0] * 4] * 2, "the horse's, class 4"
    assert shifts[:, 8:].tolist() == [[3.0] * 4] * 2, "the person's, class 3"
