"""What an embedder learns from: batches of a few classes, triplets of them, and what is wrong with their vectors.

Decisions: triplets are random semi-hard ones (Norouzzadeh et al. 2019, S1; Schroff et al. 2015, sec. 3.2): every pair of
one class meets ONE negative, drawn from those that are farther than the positive by less than the margin; easy triplets
are left out. Softmax is the paper's ablation: cross-entropy over the species, on the same vectors.
"""

import numpy as np
import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from torch import Tensor, nn
from torch.nn import functional as F

from worker.learning.descent import Ids

Triplets = tuple[Tensor, Tensor, Tensor]  # rows of anchors, positives, negatives


def draw_batch(outputs: Ids, classes: int, crops: int, chance: np.random.Generator) -> Ids:
    """Rows of one batch: `crops` of each of `classes` classes, about classes x crops rows in all.

    outputs: (n,) class numbers from 0, n > 0. Frequent classes are drawn more often, by the root of their count, so that
    rare ones are seen and one crop of a rare one is not seen all the time. With fewer classes than asked for each gives
    more crops; a class with too few crops gives some of them again (augmentation makes another view of them).
    """
    counts = np.bincount(outputs)
    present = np.flatnonzero(counts)
    asked, classes = classes * crops, min(classes, len(present))
    shares = np.sqrt(counts[present])
    drawn = chance.choice(present, classes, replace=False, p=shares / shares.sum())
    return np.concatenate([_rows_of(np.flatnonzero(outputs == number), asked // classes, chance) for number in drawn])


def _rows_of(rows: Ids, crops: int, chance: np.random.Generator) -> Ids:
    """`crops` of these rows, none twice before each was taken once."""
    rounds = -(-crops // len(rows))
    return np.concatenate([chance.permutation(rows) for _ in range(rounds)])[:crops]


class RandomSemiHard(TripletMarginMiner):  # type: ignore[misc]  # the package has no types
    """Of all semi-hard triplets one for each pair of anchor and positive, drawn by `chance`."""

    def __init__(self, margin: float, chance: torch.Generator) -> None:
        super().__init__(margin=margin, type_of_triplets="semihard")
        self.chance = chance

    def mine(self, embeddings: Tensor, labels: Tensor, ref_emb: Tensor, ref_labels: Tensor) -> Triplets:
        """embeddings: (n, d), labels: (n,) -> rows of anchors, positives, negatives; the package calls this."""
        anchors, positives, negatives = super().mine(embeddings, labels, ref_emb, ref_labels)
        shuffled = torch.randperm(len(anchors), generator=self.chance).to(anchors.device)
        pairs = (anchors * len(ref_emb) + positives)[shuffled]
        _, pair = torch.unique(pairs, return_inverse=True)
        first = torch.full((int(pair.max()) + 1 if len(pair) else 0,), len(pair), device=pair.device)
        first.scatter_reduce_(0, pair, torch.arange(len(pair), device=pair.device), "amin")
        drawn = shuffled[first]
        return anchors[drawn], positives[drawn], negatives[drawn]


class TripletLoss(nn.Module):
    """L = max(d(A, P) - d(A, N) + margin, 0), the mean over the triplets that are not easy (Norouzzadeh et al. 2019, S1)."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin
        self.loss = TripletMarginLoss(margin=margin)

    def forward(self, vectors: Tensor, outputs: Tensor, seed: int) -> Tensor:
        """vectors: (n, d) of length 1, outputs: (n,) -> a number; 0 where no triplet is semi-hard."""
        chance = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            mined = RandomSemiHard(self.margin, chance)(vectors, outputs)
        loss: Tensor = self.loss(vectors, outputs, mined)
        return loss


class SoftmaxLoss(nn.Module):
    """Cross-entropy of a linear layer on the vectors; the layer is thrown away after training."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.scale = dim**0.5  # of length 1 the numbers would be too small to be told apart by AdamW's first steps
        self.name = nn.Linear(dim, classes)

    def forward(self, vectors: Tensor, outputs: Tensor, seed: int) -> Tensor:
        """vectors: (n, d) of length 1, outputs: (n,) -> a number. seed: unused, as TripletLoss has it."""
        logits: Tensor = self.name(vectors * self.scale)
        return F.cross_entropy(logits, outputs)


def loss_named(name: str, dim: int, classes: int, margin: float) -> nn.Module:
    """`triplet` or `softmax`. Raises ValueError."""
    if name not in ("triplet", "softmax"):
        raise ValueError(f"loss {name!r} is unknown; there are triplet and softmax")
    return TripletLoss(margin) if name == "triplet" else SoftmaxLoss(dim, classes)
