"""Train the detector: the trainer behind `waterhole train-detector`.

Decisions: the trunk starts from ImageNet, its blocks down to stride 8 and every batch norm stay frozen (4 photos a step
are too few for batch statistics); AdamW with a warm-up and a cosine; what is exported is the moving average of the
weights, steadier than the last step; state is written as safetensors so that a training can be cut at any step.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from worker.device import Device, find_device
from worker.learning.detector_classes import begin_with
from worker.learning.detector_examples import (
    Example,
    Sources,
    draw_batch,
    read_boxed_photos,
    split_boxed_photos,
)
from worker.learning.detector_views import KEPT_BLOCKS, View, draw_view_batch, labels_of, losses_of
from worker.learning.embedder_examples import read_small_pictures
from worker.learning.field_photos import FieldPhoto
from worker.networks.backbone import from_imagenet
from worker.networks.detector import build_network, card_of
from worker.networks.kinds import ANIMAL
from worker.networks.weights import WeightsError, fill, imagenet_tensors, read_weights, write_weights

STATE_KIND = "detector-training"
FROZEN_BLOCKS = 5  # the stem and the blocks down to stride 8: edges, colours and textures, good as they are

SMALL_ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
SMALL_PICTURES = 6000


@dataclass(frozen=True)
class Recipe:
    """How to train. Rates are AdamW's; the trunk moves more slowly than the new layers."""

    steps: int = 1000
    batch: int = 4
    seed: int = 1
    rate: float = 4e-4
    trunk_rate: float = 1.5e-4
    warm_up_steps: int = 40
    weight_decay: float = 1e-3
    average_decay: float = 0.98
    save_every_steps: int = 25


@dataclass(frozen=True)
class Progress:
    """One finished step. losses: torchvision's four, by name."""

    step: int
    steps: int
    loss: float
    losses: dict[str, float]
    step_s: float


def train_detector(
    boxes: Path,
    out: Path,
    *,
    steps: int = Recipe.steps,
    batch: int = Recipe.batch,
    seed: int = Recipe.seed,
    pictures: Path | None = None,
    state_path: Path | None = None,
    device: Device | None = None,
    report: Callable[[Progress], None] | None = None,
) -> str:
    """Train the first stage from folders and write a checkpoint named after its file; returns its sha256.

    boxes: boxes.csv and boxes.tar. pictures: cifar10.tar.gz and labels.csv, for distant animals and decoys. state_path:
    see train_on(). The second stage, on camera-trap photos, is in detector_folds.
    """
    sources = read_sources(boxes, pictures)
    recipe = Recipe(steps=steps, batch=batch, seed=seed)
    return train_on(sources, out, device or find_device(), recipe, state_path, report, name=out.stem)


def read_sources(boxes: Path, pictures: Path | None, field_photos: Sequence[FieldPhoto] = ()) -> Sources:
    """The web photos that are not held out, and small pictures where a folder of them is named."""
    web, _held_out = split_boxed_photos(read_boxed_photos(boxes))
    if pictures is None:
        return Sources(web, (), field_photos)
    small, names = read_small_pictures(pictures, "train", SMALL_PICTURES, 1, side_px=32)
    is_animal = np.isin(names, SMALL_ANIMALS)
    return Sources(web, (), field_photos, small[is_animal], small[~is_animal])


def train_on(
    sources: Sources,
    out: Path,
    device: Device,
    recipe: Recipe = Recipe(),
    state: Path | None = None,
    report: Callable[[Progress], None] | None = None,
    name: str = "detector",
    stop_after_step: int | None = None,
) -> str:
    """Train one class, animal, and write a checkpoint to `out`; returns its sha256.

    state: where to keep what a resumed training needs; if the file is there, training goes on from it.
    The checkpoint and the state are written every recipe.save_every_steps steps and at the end.
    stop_after_step: cut the training there (the learning rate still follows recipe.steps).
    """
    trainer = Trainer(recipe, device)
    last = min(recipe.steps, stop_after_step or recipe.steps)

    def draw(step: int) -> Sequence[Example]:
        return draw_batch(sources, recipe.seed, step, recipe.batch)

    return _train(trainer, draw, last, out, state, report, name)


def train_on_views(
    views: Sequence[View],
    start: Path,
    out: Path,
    device: Device,
    recipe: Recipe,
    state: Path | None = None,
    report: Callable[[Progress], None] | None = None,
    name: str = "detector",
    stop_after_step: int | None = None,
    classes: tuple[str, ...] = (ANIMAL,),
) -> str:
    """The second stage: what lies above stride 16 learns from kept views; returns the checkpoint's sha256.

    start: the detector whose lower trunk made the views. state, report, stop_after_step: as in train_on(). classes: what the
    labels of the views count, every one of them an animal.
    """
    network = begin_with(start, classes)
    freeze(network, KEPT_BLOCKS)
    trainer = Trainer(recipe, device, network, classes)
    last = min(recipe.steps, stop_after_step or recipe.steps)

    def draw(step: int) -> Sequence[View]:
        return draw_view_batch(views, recipe.seed, step, recipe.batch)

    return _train(trainer, draw, last, out, state, report, name)


def _train(
    trainer: "Trainer",
    draw: Callable[[int], Sequence[Example] | Sequence[View]],
    last: int,
    out: Path,
    state: Path | None,
    report: Callable[[Progress], None] | None,
    name: str,
) -> str:
    """From where the state file stands to the last step; what is exported is written at each save and at the end."""
    if state is not None and state.exists():
        trainer.resume(state)
    sha256 = trainer.export(out, name) if trainer.step >= last else ""
    while trainer.step < last:
        progress = trainer.learn(draw(trainer.step))
        if report is not None:
            report(progress)
        if trainer.step % trainer.recipe.save_every_steps == 0 or trainer.step == last:
            sha256 = trainer.export(out, name)
            if state is not None:
                trainer.save(state)
    return sha256


class Trainer:
    """The network, its moving average and its optimiser, at some step."""

    def __init__(
        self, recipe: Recipe, device: Device, network: FasterRCNN | None = None, classes: tuple[str, ...] = (ANIMAL,)
    ) -> None:
        """network: of these classes, with the frozen weights frozen; without one the trunk starts from ImageNet."""
        self.recipe, self.device, self.classes, self.step = recipe, device, classes, 0
        torch.manual_seed(recipe.seed)
        self.network = (network or new_network()).to(device.torch_device, memory_format=torch.channels_last)
        self.network.train()
        self._in_bf16 = device.teaches_in_bf16(self.network)
        trunk = [weight for weight in self.network.backbone.trunk.parameters() if weight.requires_grad]
        in_trunk = {id(weight) for weight in trunk}
        rest = [weight for weight in self.network.parameters() if weight.requires_grad and id(weight) not in in_trunk]
        self.optimizer = torch.optim.AdamW(
            [{"params": trunk, "peak": recipe.trunk_rate}, {"params": rest, "peak": recipe.rate}],
            lr=recipe.rate,
            weight_decay=recipe.weight_decay,
        )
        self.average = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def learn(self, examples: Sequence[Example] | Sequence[View]) -> Progress:
        """One step on these examples: pictures, or what the lower trunk made of them."""
        started = time.monotonic()
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)  # torchvision samples anchors at random
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * self._rate_share()
        with torch.autocast(self.device.torch_device.type, torch.bfloat16, enabled=self._in_bf16):
            losses = self._losses(examples)
        loss = torch.stack([value.float() for value in losses.values()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_([p for group in self.optimizer.param_groups for p in group["params"]], 5.0)
        self.optimizer.step()
        self.step += 1
        self._follow()
        return Progress(
            self.step,
            self.recipe.steps,
            loss.item(),
            {name: value.item() for name, value in losses.items()},
            time.monotonic() - started,
        )

    def export(self, out: Path, name: str) -> str:
        """Write the moving average as a checkpoint that load_detector() reads; returns its sha256."""
        kinds = None if self.classes == (ANIMAL,) else [ANIMAL] * len(self.classes)
        card = card_of(name, self.classes, kinds) | {"steps": self.step, "seed": self.recipe.seed}
        return write_weights(out, self.average, card)

    def save(self, state: Path) -> None:
        """Write everything that resume() needs, in float32."""
        tensors: dict[str, Tensor] = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{k}": v for k, v in moments.items()}
        write_weights(state, tensors, {"kind": STATE_KIND, "step": self.step, "seed": self.recipe.seed}, half=False)

    def resume(self, state: Path) -> None:
        """Go on from a file that save() wrote. Raises WeightsError if it is another training's."""
        tensors, card = read_weights(state, STATE_KIND)
        if card["seed"] != self.recipe.seed:
            raise WeightsError(f"{state.name} was trained with seed {card['seed']}, not {self.recipe.seed}")
        fill(self.network, _below("network.", tensors), state.name)
        self.average = {
            name: tensor.to(self.device.torch_device) for name, tensor in _below("average.", tensors).items()
        }
        moments: dict[int, dict[str, Any]] = {}
        for name, tensor in _below("adam.", tensors).items():
            number, moment = name.split(".")
            moments.setdefault(int(number), {})[moment] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.step = int(card["step"])

    def _rate_share(self) -> float:
        """Linear warm-up, then a cosine from 1 to 0.02."""
        warm, steps = self.recipe.warm_up_steps, self.recipe.steps
        if self.step < warm:
            return (self.step + 1) / warm
        done = min(1.0, (self.step - warm) / max(1, steps - warm))
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))

    def _losses(self, examples: Sequence[Example] | Sequence[View]) -> dict[str, Tensor]:
        views = [example for example in examples if isinstance(example, View)]
        if views:
            return losses_of(self.network, views, self.device)
        losses: dict[str, Tensor] = self.network(
            *self._tensors([example for example in examples if isinstance(example, Example)])
        )
        return losses

    def _tensors(self, examples: list[Example]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
        place = self.device.torch_device
        photos = [torch.from_numpy(e.photo.copy()).permute(2, 0, 1).to(place).float() / 255 for e in examples]
        targets = [
            {
                "boxes": torch.from_numpy(e.boxes_xyxy).to(place),
                "labels": torch.from_numpy(labels_of(e)).to(place),
            }
            for e in examples
        ]
        return photos, targets

    @torch.no_grad()
    def _follow(self) -> None:
        """The moving average follows the network; faster in the first steps, when the network is still nothing."""
        decay = min(self.recipe.average_decay, (1 + self.step) / (10 + self.step))
        for name, tensor in self.network.state_dict().items():
            self.average[name].lerp_(tensor, 1 - decay)


def new_network() -> FasterRCNN:
    """One class, the trunk from ImageNet, its lowest blocks frozen."""
    network = build_network(1)
    network.backbone.trunk = from_imagenet(imagenet_tensors(), with_head=False)
    freeze(network, FROZEN_BLOCKS)
    return network


def freeze(network: FasterRCNN, blocks: int) -> None:
    """The stem and the first blocks of the trunk learn nothing."""
    frozen: list[nn.Module] = [network.backbone.trunk.stem, *network.backbone.trunk.blocks[:blocks]]
    for module in frozen:
        module.requires_grad_(False)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
