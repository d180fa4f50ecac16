"""Three networks against each other: encoder and decoder hide which crops are labelled, the discriminator finds out.

Decisions:
* A crop's code is the mean, without noise, wherever the discriminator looks: what it learns from is what it scores.
* A turn is one batch of labelled and one of unlabelled crops, so that neither side outweighs the other.
* The time is bounded: at most most_steps turns on at most most_crops crops of either side, drawn by chance.
Sinha et al. 2019, sec. 4 and Alg. 1; a condition beside the code as in Kim et al. 2021, sec. 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from worker.device import Device
from worker.learning.descent import Floats, Ids
from worker.learning.latent_losses import discrimination_loss, disguise_loss, picture_loss
from worker.learning.lessons import CropReader
from worker.learning.small_crops import as_pictures, small_crops
from worker.networks.latent import Code, Decoder, Discriminator, Encoder, Sizes


@dataclass(frozen=True)
class Recipe:
    """How to play. weights: of L_UIR, L_STL and L_adv (Zhang et al. 2020, eq. 7). rate, judge_rate: of Adam, for the
    autoencoder and for the discriminator. label_kl: weight of the KL term beside the cross-entropy. epochs: passes over the
    larger side, within least_steps and most_steps. batch: crops of either side a step.
    """

    sizes: Sizes = field(default_factory=Sizes)
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rate: float = 5e-4
    judge_rate: float = 5e-4
    label_kl: float = 1e-3
    batch: int = 128
    epochs: int = 20
    least_steps: int = 200
    most_steps: int = 3000
    most_crops: int = 32_768

    def steps(self, crops: int) -> int:
        """For so many crops of the larger side."""
        return int(np.clip(math.ceil(self.epochs * crops / self.batch), self.least_steps, self.most_steps))


def recipe_for(device: Device) -> Recipe:
    """The paper's widths on a GPU. On a CPU a quarter of them, at the same side, and at most 200 steps: under a minute."""
    if device.is_gpu:
        return Recipe()
    sizes = Sizes(widths=(16, 32, 64, 128), hidden=128)
    return Recipe(sizes=sizes, batch=32, least_steps=100, most_steps=200, most_crops=4096)


@dataclass(frozen=True, eq=False)
class Side:
    """Crops of one side, labelled or not. pictures: (m, 3, side, side) uint8 or, in a batch, float32 in 0..1. outputs: (m,)
    class numbers, of no meaning where unlabelled. condition: (m, 0 or 1)."""

    pictures: Tensor
    outputs: Tensor
    condition: Tensor

    @classmethod
    def read(
        cls, game: Game, crops: CropReader, rows: Ids, outputs: Ids, told: Floats, rng: np.random.Generator
    ) -> Side:
        """At most most_crops of these rows, by chance."""
        few = np.sort(rng.permutation(len(rows))[: game.recipe.most_crops])
        place = game.device.torch_device
        return cls(
            small_crops(crops, rows[few], game.recipe.sizes.side_px, game.device),
            torch.from_numpy(outputs[few].astype(np.int64)).to(place),
            torch.from_numpy(told[rows[few]]).to(place),
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def draw(self, size: int, rng: np.random.Generator) -> Side:
        """A batch, with replacement: a side may be smaller than a batch."""
        rows = torch.from_numpy(rng.integers(0, len(self), size)).to(self.pictures.device)
        return Side(as_pictures(self.pictures[rows]), self.outputs[rows], self.condition[rows])


class Game:
    """The three networks and their two optimisers. This one is VAAL's; a subclass may say more of labels and states."""

    heads = 1

    def __init__(self, recipe: Recipe | None, device: Device, rng: np.random.Generator, *, conditions: int = 0) -> None:
        """recipe: default recipe_for() the device. conditions: how many numbers a crop are told beside its code, 0 or 1."""
        self.recipe = recipe = recipe or recipe_for(device)
        self.device = device
        sizes, seed = recipe.sizes, int(rng.integers(2**62))
        with torch.random.fork_rng(devices=[]):  # torch.manual_seed() would seed the GPUs too
            torch.default_generator.manual_seed(seed)
            self.encoder = Encoder(self.heads, sizes)
            self.decoder = Decoder(sizes.latent + conditions, sizes)
            self.discriminator = Discriminator(self.heads * sizes.latent + conditions, sizes.hidden)
            self.namer = self.build_namer()
        self.networks = torch.nn.ModuleList([self.encoder, self.decoder, self.namer, self.discriminator])
        self.networks.to(device.torch_device).to(memory_format=torch.channels_last)
        self.noise = torch.Generator(device.torch_device).manual_seed(seed)
        makers = [*self.encoder.parameters(), *self.decoder.parameters(), *self.namer.parameters()]
        self.maker = torch.optim.Adam(makers, lr=recipe.rate)
        self.judge = torch.optim.Adam(self.discriminator.parameters(), lr=recipe.judge_rate)

    def build_namer(self) -> torch.nn.Module:
        """The network that names crops, part of the game in SRAAL alone."""
        return torch.nn.Identity()

    def turn(self, known: Side, unknown: Side) -> None:
        """One batch of either side: the autoencoder learns, then the discriminator. Sinha et al. 2019, Alg. 1."""
        with torch.enable_grad():
            descend(self.maker, self.making_loss(known, unknown))
            descend(self.judge, self.judging_loss(known, unknown))

    def paint(self, batch: Side) -> None:
        """The autoencoder alone learns from one batch."""
        with torch.enable_grad():
            descend(self.maker, self.picture_loss(batch.pictures, self.encode(batch.pictures)[0], batch.condition))

    def making_loss(self, known: Side, unknown: Side) -> Tensor:
        """Of encoder and decoder, which want both sides to look labelled. Zhang et al. 2020, eq. 7."""
        both, told = torch.cat([known.pictures, unknown.pictures]), torch.cat([known.condition, unknown.condition])
        codes = self.encode(both)
        logits = self.judged(codes, told)
        picture, label, disguise = self.recipe.weights
        return (
            picture * self.picture_loss(both, codes[0], told)
            + label * self.naming_loss([first(code, len(known)) for code in codes], known.outputs)
            + disguise * disguise_loss(logits[: len(known)], logits[len(known) :])
        )

    def judging_loss(self, known: Side, unknown: Side) -> Tensor:
        """Of the discriminator, which wants to tell them apart; the codes stay as they are."""
        with torch.no_grad():
            known_codes, unknown_codes = self.encode(known.pictures), self.encode(unknown.pictures)
            states = self.states(unknown_codes)
        logits = self.judged(known_codes, known.condition)
        return discrimination_loss(logits, self.judged(unknown_codes, unknown.condition), states)

    def picture_loss(self, pictures: Tensor, code: Code, told: Tensor) -> Tensor:
        """Of painting the pictures again from noisy codes."""
        with self.fast():
            painted = self.decoder(torch.cat([self.noisy(code), told], dim=1))
        return picture_loss(painted, pictures, code)

    def naming_loss(self, codes: list[Code], outputs: Tensor) -> Tensor:
        """Of naming the labelled crops."""
        return codes[0].mean.new_zeros(())

    def states(self, codes: list[Code]) -> Tensor:
        """(m,) what the discriminator is to say of unlabelled crops: 0."""
        return torch.zeros(len(codes[0].mean), device=codes[0].mean.device)

    def judged(self, codes: list[Code], told: Tensor) -> Tensor:
        """(n,) logits of "labelled", from the codes of all heads side by side."""
        logits: Tensor = self.discriminator(torch.cat([*(code.mean for code in codes), told], dim=1))
        return logits

    def encode(self, pictures: Tensor) -> list[Code]:
        with self.fast():
            codes: list[Code] = self.encoder(pictures)
        return codes

    def noisy(self, code: Code) -> Tensor:
        noise = torch.randn(code.mean.shape, generator=self.noise, device=code.mean.device)
        return code.sample(noise)

    def fast(self) -> torch.autocast:
        """bf16 for the convolutions of a GPU that multiplies it in hardware."""
        wanted = self.device.is_gpu and self.device.fast_bf16
        return torch.autocast(self.device.torch_device.type, torch.bfloat16, enabled=wanted)

    @torch.no_grad()
    def codes(self, crops: CropReader, rows: Ids) -> Floats:
        """(m, latent) the means of the first head. Raises FloatingPointError where one is no number."""
        found: Floats = torch.cat([codes[0].mean.cpu() for _rows, codes in self.encoded(crops, rows)]).numpy()
        refuse_endless(found)
        return found

    @torch.no_grad()
    def likeness(self, crops: CropReader, rows: Ids, told: Floats) -> Floats:
        """(m,) the discriminator's word on these rows, 0..1. Raises FloatingPointError where it is no number."""
        logits = [
            self.judged(codes, torch.from_numpy(told[some]).to(self.device.torch_device)).cpu()
            for some, codes in self.encoded(crops, rows)
        ]
        scores: Floats = torch.cat(logits).sigmoid().numpy()
        refuse_endless(scores)
        return scores

    def encoded(self, crops: CropReader, rows: Ids) -> Iterator[tuple[Ids, list[Code]]]:
        """The rows a batch at a time, and their codes."""
        for lo in range(0, len(rows), self.device.crops):
            some = rows[lo : lo + self.device.crops]
            yield some, self.encode(as_pictures(small_crops(crops, some, self.recipe.sizes.side_px, self.device)))


def refuse_endless(numbers: Floats) -> None:
    """Raise FloatingPointError where one is not finite."""
    if not np.isfinite(numbers).all():
        raise FloatingPointError("the numbers of the crop networks ran out of bounds; a lower rate may help")


def descend(optimizer: torch.optim.Adam, loss: Tensor) -> None:
    """One step of this optimiser's weights alone."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    for weight, slope in zip(weights, slopes, strict=True):
        weight.grad = slope
    optimizer.step()


def first(code: Code, n: int) -> Code:
    """The code of the first n crops."""
    return Code(code.mean[:n], code.log_variance[:n])
