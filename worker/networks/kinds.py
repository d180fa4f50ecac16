"""What a detector's class means to a study: an animal, a person, a vehicle, or nothing that it asks about.

Decisions: a box has one of three kinds, whatever the weights call their classes, because people and vehicles are hidden
or counted apart and never named as species. COCO's ten animals and its eight vehicles (its own supercategories; boats
and aeroplanes carry people too) are mapped, its 61 other things are dropped. The probabilities of a kind's classes are
added: a deer that COCO calls half a cow and half a horse is one sure animal. A detector of species names the kind of each class
on its card. Names are compared whole: a hot dog is no
dog, a teddy bear no bear. Lin et al. 2014 (COCO).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ANIMAL, PERSON, VEHICLE = "animal", "person", "vehicle"
KINDS = (ANIMAL, PERSON, VEHICLE)
KIND_OF = {
    **{name: name for name in KINDS},
    "human": PERSON,
    **dict.fromkeys(("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"), ANIMAL),
    **dict.fromkeys(("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"), VEHICLE),
}


def kinds_of(classes: Sequence[str]) -> tuple[str | None, ...]:
    """The kind of each class, None for what is dropped."""
    return tuple(KIND_OF.get(name.strip().lower()) for name in classes)


class KindPredictor(nn.Module):
    """A box predictor of many classes, made to answer for kinds; what is dropped becomes background.

    The logit of a kind is the log of the sum of its classes' exponentials, so that softmax afterwards gives exactly the sum
    of their probabilities; the kind's box is that of its most probable class.
    """

    def __init__(self, predictor: nn.Module, kinds: Sequence[str | None]) -> None:
        """predictor: (n, d) -> logits (n, 1 + c), shifts (n, 4 (1 + c)); 0 is the background. kinds: of its c classes."""
        super().__init__()
        self.predictor = predictor
        self.kinds = tuple(kind for kind in KINDS if kind in kinds)
        self.members = [
            [0, *(number for number, kind in enumerate(kinds, start=1) if kind is None)],
            *([number for number, kind in enumerate(kinds, start=1) if kind == each] for each in self.kinds),
        ]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (n, d) -> logits (n, 1 + k), shifts (n, 4 (1 + k)), float32."""
        logits, shifts = (answer.float() for answer in self.predictor(x))
        merged, best = [], []
        for numbers in self.members:
            own = logits[:, numbers]
            merged.append(own.logsumexp(dim=1))
            best.append(torch.tensor(numbers, device=own.device)[own.argmax(dim=1)])
        rows = torch.arange(len(x), device=logits.device)[:, None]
        boxes = shifts.unflatten(1, (-1, 4))[rows, torch.stack(best, dim=1)]
        return torch.stack(merged, dim=1), boxes.flatten(1)
