"""The losses of a turn against the formulas in NumPy, and who learns from which."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.worker.learning.small_games import CPU, SIZES
from tests.worker.selection.test_uncertainty import slow_uncertainty
from worker.learning.latent_game import Game, Recipe, Side, recipe_for
from worker.learning.small_crops import small_crops
from worker.learning.state_relabeling import RelabelingGame
from worker.networks.latent import Code, Sizes

Numbers = NDArray[np.float64]
RECIPE = Recipe(sizes=SIZES, weights=(2.0, 3.0, 5.0), label_kl=0.25)


def sides(conditions: int = 0) -> tuple[Side, Side]:
    chance = torch.Generator().manual_seed(5)
    shapes = [(3, torch.tensor([0, 2, 1])), (4, torch.zeros(4, dtype=torch.int64))]
    known, unknown = (
        Side(torch.rand(n, 3, 16, 16, generator=chance), outputs, torch.rand(n, conditions, generator=chance))
        for n, outputs in shapes
    )
    return known, unknown


def still(game: Game) -> Game:
    """The same without noise, so that a loss can be computed again."""
    game.noisy = lambda code: code.mean  # type: ignore[method-assign]
    return game


def relabeling_game() -> RelabelingGame:
    game = RelabelingGame(RECIPE, CPU, np.random.default_rng(3), classes=3)
    still(game)
    return game


def numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().numpy().astype(np.float64)


def divergence(code: Code) -> Numbers:
    mean, log_variance = numbers(code.mean), numbers(code.log_variance)
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)


def softmax(logits: Numbers) -> Numbers:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(logits: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-logits))


def test_the_making_loss_is_eq_7_of_sraal() -> None:
    game = relabeling_game()
    known, unknown = sides()
    both = torch.cat([known.pictures, unknown.pictures])
    uir, stl = game.encoder(both)
    squares = (numbers(game.decoder(uir.mean)) - numbers(both)) ** 2
    painting = (squares.sum(axis=(1, 2, 3)) + divergence(uir)).mean()
    shares = softmax(numbers(game.namer(stl.mean[:3])))
    naming = (-np.log(shares[[0, 1, 2], [0, 2, 1]]) + 0.25 * divergence(stl)[:3]).mean()
    d = sigmoid(numbers(game.discriminator(torch.cat([uir.mean, stl.mean], dim=1))))
    disguise = -np.log(d[:3]).mean() - np.log(d[3:]).mean()
    expected = 2 * painting + 3 * naming + 5 * disguise
    assert float(game.making_loss(known, unknown).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_judging_loss_relabels_unlabelled_crops_by_their_uncertainty() -> None:
    game = relabeling_game()
    known, unknown = sides()
    d = [
        sigmoid(numbers(game.discriminator(torch.cat([code.mean for code in game.encoder(side.pictures)], dim=1))))
        for side in (known, unknown)
    ]
    shares = softmax(numbers(game.namer(game.encoder(unknown.pictures)[1].mean)))
    state = 1 - np.array([slow_uncertainty(row.tolist()) for row in shares])
    assert state.max() > state.min() > 0  # or the test could not tell eq. 5 from VAAL's
    expected = -np.log(d[0]).mean() - (state * np.log(d[1]) + (1 - state) * np.log(1 - d[1])).mean()
    assert float(game.judging_loss(known, unknown).detach()) == pytest.approx(expected, rel=1e-5)


def test_vaal_has_no_names_and_calls_every_unlabelled_crop_0() -> None:
    game = still(Game(RECIPE, CPU, np.random.default_rng(3), conditions=1))
    known, unknown = sides(conditions=1)
    both, told = torch.cat([known.pictures, unknown.pictures]), torch.cat([known.condition, unknown.condition])
    (code,) = game.encoder(both)
    d = sigmoid(numbers(game.discriminator(torch.cat([code.mean, told], dim=1))))
    squares = (numbers(game.decoder(torch.cat([code.mean, told], dim=1))) - numbers(both)) ** 2
    making = 2 * (squares.sum(axis=(1, 2, 3)) + divergence(code)).mean()
    making += 5 * (-np.log(d[:3]).mean() - np.log(d[3:]).mean())
    judging = -np.log(d[:3]).mean() - np.log(1 - d[3:]).mean()
    assert float(game.making_loss(known, unknown).detach()) == pytest.approx(making, rel=1e-5)
    assert float(game.judging_loss(known, unknown).detach()) == pytest.approx(judging, rel=1e-5)


def test_each_loss_moves_its_own_networks_alone() -> None:
    game = relabeling_game()
    known, unknown = sides()
    made = [*game.encoder.parameters(), *game.decoder.parameters(), *game.namer.parameters()]
    assert all(slope is not None for slope in slopes(game.making_loss(known, unknown), made))
    assert all(slope is None for slope in slopes(game.judging_loss(known, unknown), made))
    assert {id(w) for group in game.maker.param_groups for w in group["params"]} == {id(w) for w in made}
    judging = {id(w) for group in game.judge.param_groups for w in group["params"]}
    assert judging == {id(w) for w in game.discriminator.parameters()}


def slopes(loss: Tensor, weights: list[Tensor]) -> tuple[Tensor | None, ...]:
    found: tuple[Tensor | None, ...] = torch.autograd.grad(loss, weights, allow_unused=True)
    return found


def test_in_half_precision_the_losses_are_nearly_the_same() -> None:
    game = relabeling_game()
    known, unknown = sides()
    exact = float(game.making_loss(known, unknown).detach())
    game.fast = lambda: torch.autocast("cpu", torch.bfloat16)  # type: ignore[method-assign]
    rough = game.making_loss(known, unknown)
    assert rough.dtype == torch.float32
    assert float(rough.detach()) == pytest.approx(exact, rel=0.01)
    assert float(rough.detach()) != exact


def test_a_gpu_plays_as_the_paper_does_and_a_cpu_less() -> None:
    gpu, cpu = recipe_for(replace(CPU, torch_name="cuda:0")), recipe_for(CPU)
    assert gpu.sizes == Sizes()
    assert cpu.sizes.side_px == gpu.sizes.side_px
    assert gpu.weights == cpu.weights == (1, 1, 1)
    assert cpu.steps(10**6) * cpu.batch < gpu.steps(10**6) * gpu.batch / 10


def test_the_steps_grow_with_the_crops_up_to_a_bound() -> None:
    recipe = Recipe(batch=100, epochs=10, least_steps=7, most_steps=50)
    assert [recipe.steps(crops) for crops in (0, 10, 101, 250, 10**9)] == [7, 7, 11, 25, 50]


def test_small_crops_are_the_mean_of_what_they_cover() -> None:
    crops = np.zeros((4, 32, 32, 3), np.uint8)
    crops[2, :16], crops[3, :, :, 1] = 200, 90
    small = small_crops(crops, np.array([3, 2]), 16, CPU)
    assert small.shape == (2, 3, 16, 16)
    assert small[0, 1].unique().tolist() == [90]
    assert small[0, [0, 2]].unique().tolist() == [0]
    assert small[1, :, :7].unique().tolist() == [200]
    assert small[1, :, 9:].unique().tolist() == [0]
    with pytest.raises(ValueError, match="uint8"):
        small_crops(crops.astype(np.float32), np.array([0]), 16, CPU)  # type: ignore[arg-type]
