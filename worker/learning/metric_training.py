"""Teach an embedder to put crops of one species near one another: the course behind fine-tuning and pre-training.

Decisions: the first stages are frozen and run without gradient; AdamW with a warm-up and a cosine; what is judged and
kept is the moving average of the weights, the best one of all judgements; a course that no longer gets better ends;
batches and views follow from seed and step alone and the state is written whole, so that a course can be cut anywhere and
goes on as if it had not been.
Loshchilov & Hutter 2019 (AdamW); Norouzzadeh et al. 2019, S1 (triplets).
"""

import copy
import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.device import Device
from worker.learning.augmentation import Augmentation
from worker.learning.descent import Ids
from worker.learning.triplets import loss_named
from worker.networks.embedding import DIM, EmbeddingNetwork
from worker.networks.weights import WeightsError, read_weights, sha256_of, write_weights

Shares = NDArray[np.floating]  # (h,) of each held crop, how often it is named right, 0..1

STATE_KIND = "embedder-training"
SAVE_EVERY_S = 50.0  # the job promises a state no older than 60 s


class Diverged(Exception):
    """The loss is no number any more."""

    def __str__(self) -> str:
        return "The training broke off because its numbers ran out of bounds."


@dataclass(frozen=True)
class Recipe:
    """How to teach. rate: of the trunk's learning stages, head_rate: of the head. frozen: stages that stay as they are.

    classes, crops: of a batch. validations: how often a course is judged; patience: how many of them may be no better than
    the best before it ends. held_share: of the labels that judge instead of teaching. view_share: side of what teaches as a
    share of the crop's side; smaller is quicker, and what is judged keeps its side (Touvron et al. 2019). judges: kept
    crops that the judging classifier learns from, and held ones that it names, at most.
    """

    loss: str = "triplet"
    margin: float = 0.2
    classes: int = 8
    crops: int = 8
    frozen: int = 6
    steps: int = 300
    rate: float = 3e-4
    head_rate: float = 1e-3
    warm_up_share: float = 0.1
    weight_decay: float = 1e-2
    average_decay: float = 0.98
    validations: int = 6
    patience: int = 3
    held_share: float = 0.2
    view_share: float = 1.0
    judges: int = 4000
    seed: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def validate_every(self) -> int:
        """Steps."""
        return max(1, math.ceil(self.steps / self.validations))


@dataclass(frozen=True)
class Progress:
    """One finished step. validation: the judge's word, 0..1, where this step was followed by one."""

    step: int
    steps: int
    loss: float
    validation: float | None
    seconds_left: float


class Trainer:
    """A network, the moving average of its weights, the best so far and the optimiser, at some step."""

    def __init__(self, network: EmbeddingNetwork, classes: int, recipe: Recipe, device: Device) -> None:
        """network: is taught in place. classes: how many species teach."""
        self.recipe, self.device, self.step = recipe, device, 0
        place = device.torch_device
        self.network = network.to(place).to(memory_format=torch.channels_last)
        self._in_bf16 = device.teaches_in_bf16(network)
        network.requires_grad_(True)
        nn.ModuleList(network.stages()[: recipe.frozen]).requires_grad_(False)
        network.train()  # this freezes batch norm
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            self.loss = loss_named(recipe.loss, DIM, classes, recipe.margin).to(place)
        head = [*network.project.parameters(), *self.loss.parameters()]
        in_head = {id(weight) for weight in head}
        trunk = [w for w in network.parameters() if w.requires_grad and id(w) not in in_head]
        groups = [{"params": trunk, "peak": recipe.rate}, {"params": head, "peak": recipe.head_rate}]
        self.optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0, weight_decay=recipe.weight_decay)
        self.averaged = copy.deepcopy(network).eval()
        self.best: dict[str, Tensor] = {}
        self.best_right: Shares = np.zeros(0)
        self.best_step, self.no_better = 0, 0

    def learn(self, features: Tensor, outputs: Tensor) -> float:
        """One step on what the frozen stages made of a batch; returns its loss. Raises Diverged, weights as before."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * self._rate_share()
        with torch.autocast(self.device.torch_device.type, torch.bfloat16, enabled=self._in_bf16):
            vectors = self.network.head(self.network.features(features, first=self.recipe.frozen))
        loss = self.loss(vectors, outputs, self.recipe.seed * 1_000_003 + self.step)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise Diverged
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_([w for g in self.optimizer.param_groups for w in g["params"]], 5.0)
        if not torch.isfinite(norm):
            raise Diverged
        self.optimizer.step()
        self.step += 1
        self._follow()
        return value

    def judged(self, right: Shares) -> None:
        """Take note of what the judge says about the moving average."""
        if not self.best or right.mean() > self.best_right.mean():
            self.best_right, self.best_step, self.no_better = right, self.step, 0
            self.best = {name: weight.detach().cpu().clone() for name, weight in learning(self.averaged).items()}
        else:
            self.no_better += 1

    @property
    def is_over(self) -> bool:
        return self.step >= self.recipe.steps or self.no_better >= self.recipe.patience

    def save(self, state: Path, fingerprint: str) -> None:
        """Everything that resume() needs. fingerprint: of what is learned from; another course's state is refused."""
        tensors = {f"network.{name}": weight for name, weight in learning(self.network).items()}
        tensors |= {f"averaged.{name}": weight for name, weight in learning(self.averaged).items()}
        tensors |= {f"loss.{name}": weight for name, weight in self.loss.state_dict().items()}
        tensors |= {f"best.{name}": weight for name, weight in self.best.items()}
        tensors["right"] = torch.from_numpy(self.best_right.astype(np.float32))
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": moment for name, moment in moments.items()}
        card = {
            "kind": STATE_KIND,
            "fingerprint": fingerprint,
            "step": self.step,
            "best_step": self.best_step,
            "no_better": self.no_better,
        }
        write_weights(state, tensors, card, half=False)

    def resume(self, state: Path, fingerprint: str) -> None:
        """Go on from a file that save() wrote. Raises WeightsError where it is damaged or of another course."""
        tensors, card = read_weights(state, STATE_KIND)
        if card.get("fingerprint") != fingerprint:
            raise WeightsError(
                f"{state.name} is the state of another training: other crops, labels, weights or settings"
            )
        put(self.network, below("network.", tensors))
        put(self.averaged, below("averaged.", tensors))
        self.loss.load_state_dict(below("loss.", tensors))
        self.best, self.best_right = below("best.", tensors), tensors["right"].numpy()
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in below("adam.", tensors).items():
            number, moment = name.split(".")
            moments.setdefault(int(number), {})[moment] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.step, self.best_step, self.no_better = card["step"], card["best_step"], card["no_better"]

    def _rate_share(self) -> float:
        """Linear warm-up, then a cosine from 1 to 0.02."""
        warm = max(1, round(self.recipe.steps * self.recipe.warm_up_share))
        if self.step < warm:
            return (self.step + 1) / warm
        done = (self.step - warm) / max(1, self.recipe.steps - warm)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))

    @torch.no_grad()
    def _follow(self) -> None:
        """The moving average follows; faster in the first steps, when there is little to average."""
        decay = min(self.recipe.average_decay, (1 + self.step) / (10 + self.step))
        followers = learning(self.averaged)
        for name, weight in learning(self.network).items():
            followers[name].lerp_(weight, 1 - decay)


def run_course(
    trainer: Trainer,
    draw: Callable[[int], tuple[Tensor, Tensor]],
    judge: Callable[[EmbeddingNetwork], Shares],
    *,
    state: Path | None,
    fingerprint: str,
    report: Callable[[Progress], None] | None,
) -> None:
    """Teach until the course is over; trainer.best is then the best there was, and trainer.best_right its judgement.

    draw: step -> features of the frozen stages (n, ...), class numbers (n,). judge: the averaged network -> (h,) how
    often each held crop is named right, 0..1.
    report is called after every step and may raise to stop: the state is written first. Raises Diverged.
    """
    clock, saved_at = Clock(trainer), time.monotonic()
    while not trainer.is_over:
        loss = trainer.learn(*draw(trainer.step))
        validation: float | None = None
        clock.stepped()
        if trainer.step % trainer.recipe.validate_every == 0 or trainer.step == trainer.recipe.steps:
            right = judge(trainer.averaged)
            trainer.judged(right)
            validation = float(right.mean())
            clock.judged()
        if state is not None and (validation is not None or time.monotonic() - saved_at > SAVE_EVERY_S):
            trainer.save(state, fingerprint)
            saved_at = time.monotonic()
        if report is None:
            continue
        try:
            report(Progress(trainer.step, trainer.recipe.steps, loss, validation, clock.seconds_left()))
        except BaseException:
            if state is not None:
                trainer.save(state, fingerprint)
            raise


class Clock:
    """How long a course still takes, from how long its steps and judgements took so far."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.last = time.monotonic()
        self.step_s: list[float] = []
        self.judge_s = 0.0

    def stepped(self) -> None:
        self.step_s = [*self.step_s[-19:], self._since()]

    def judged(self) -> None:
        self.judge_s = self._since()

    def seconds_left(self) -> float:
        recipe = self.trainer.recipe
        steps = recipe.steps - self.trainer.step
        return steps * float(np.mean(self.step_s)) + math.ceil(steps / recipe.validate_every) * self.judge_s

    def _since(self) -> float:
        before, self.last = self.last, time.monotonic()
        return self.last - before


def fingerprint_of(start: Path, recipe: Recipe, *learned: Ids) -> str:
    """Equal for the same start, recipe and numbers of what is learned from: labels, deployments, ids of the crops."""
    digest = hashlib.sha256(sha256_of(start).encode())
    for array in learned:
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    digest.update(json.dumps(asdict(recipe), sort_keys=True).encode())
    return digest.hexdigest()


def learning(network: nn.Module) -> dict[str, Tensor]:
    """The weights that learn, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


@torch.no_grad()
def put(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copy these weights into the network, by name. Raises WeightsError if one does not fit."""
    parameters = dict(network.named_parameters())
    for name, weight in weights.items():
        if name not in parameters or parameters[name].shape != weight.shape:
            raise WeightsError(f"{name} does not fit this network")
        parameters[name].copy_(weight)


def below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
