"""What an embedder is shown and what it is asked: views of labelled crops that teach, and held-out crops that judge.

Decisions: crops are read a batch at a time; what the frozen stages say about a crop that judges is kept, since it never
changes; chance follows from seed and step alone.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.learning.descent import Floats, Ids
from worker.learning.judging import Held, named_right
from worker.learning.metric_training import Diverged, Recipe, Shares
from worker.learning.triplets import draw_batch
from worker.networks.embedder import CropEmbedder, shrunk
from worker.networks.embedding import DIM, EmbeddingNetwork


class CropReader(Protocol):
    """Crops by row; a NumPy array is one, and so is a reader that decodes files when asked."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Ids, /) -> NDArray[np.uint8]:
        """rows: (m,) -> (m, h, w, 3) uint8."""
        ...


class Lessons:
    """Which crops teach and which judge. species: the ids of the classes that teach, ascending."""

    def __init__(self, embedder: CropEmbedder, crops: CropReader, labels: Ids, held: Held, recipe: Recipe) -> None:
        self.embedder, self.crops, self.labels, self.recipe = embedder, crops, labels, recipe
        self.kept = held.kept
        self.species, self.outputs = np.unique(labels[held.kept], return_inverse=True)
        chance = np.random.default_rng([recipe.seed, 0])
        self.teach = np.sort(chance.permutation(held.kept)[: recipe.judges])
        self.judge = np.sort(chance.permutation(held.held)[: recipe.judges])
        self.plain: dict[int, Tensor] = {}

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """What the frozen stages make of the views of this step's crops, and their class numbers."""
        recipe = self.recipe
        drawn = draw_batch(self.outputs, recipe.classes, recipe.crops, np.random.default_rng([recipe.seed, 1, step]))
        pixels = self._pixels(self.kept[drawn])
        side_px = round(recipe.view_share * pixels.shape[1])
        pixels = recipe.augmentation.views(pixels, side_px, [recipe.seed, 2, step])
        outputs = torch.from_numpy(self.outputs[drawn]).to(self.embedder.device.torch_device)
        return self._lower(pixels), outputs

    def named_right(self, network: EmbeddingNetwork) -> Shares:
        """(h,) how often each held crop is named right by classifiers that learned from the kept ones.

        Raises Diverged where the vectors are no numbers any more.
        """
        teach, judge = self._vectors(network, self.teach), self._vectors(network, self.judge)
        if not (np.isfinite(teach).all() and np.isfinite(judge).all()):
            raise Diverged
        return named_right(teach, self.labels[self.teach], judge, self.labels[self.judge], self.recipe.seed)

    @torch.inference_mode()
    def _vectors(self, network: EmbeddingNetwork, rows: Ids) -> Floats:
        """(m, 256), the crops as they are. What the frozen stages say is kept for the next time."""
        vectors = np.empty((len(rows), DIM), np.float32)
        device = self.embedder.device
        for first in range(0, len(rows), device.crops):
            some = rows[first : first + device.crops]
            features = self._plain(some)
            with torch.autocast(device.torch_device.type, torch.bfloat16, enabled=device.fast_bf16):
                found = network.head(network.features(features, first=self.recipe.frozen))
            vectors[first : first + len(some)] = found.float().cpu().numpy()
        return vectors

    def _plain(self, rows: Ids) -> Tensor:
        """The frozen stages' features of these crops without augmentation, kept where they are smaller than the crops."""
        if int(rows[0]) in self.plain:
            return self.plain[int(rows[0])].to(self.embedder.device.torch_device).float()
        pixels = self._pixels(rows)
        features = self._lower(pixels)
        if 2 * features.numel() <= pixels.numel():
            self.plain[int(rows[0])] = features.half().cpu()
            return self.plain[int(rows[0])].to(features.device).float()
        return features

    def _pixels(self, rows: Ids) -> Tensor:
        """(m, side, side, 3) on the device, 0..255."""
        pixels = torch.from_numpy(np.require(self.crops[rows], requirements=("C", "W")))
        return shrunk(pixels.to(self.embedder.device.torch_device), self.embedder.crop_px)

    @torch.no_grad()
    def _lower(self, pixels: Tensor) -> Tensor:
        device, network = self.embedder.device, self.embedder.network
        with torch.autocast(device.torch_device.type, torch.bfloat16, enabled=device.fast_bf16):
            return network.features(network.normalised(pixels), last=self.recipe.frozen).float()
