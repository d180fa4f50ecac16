"""One whole game: what is unlike the labelled crops scores low, by the given chance alone."""

import numpy as np
import pytest
import torch

from tests.worker.learning.small_games import BLINK, CPU, RECIPE, kinds_of_crops
from worker.learning import adversarial, state_relabeling

KINDS = np.arange(120) % 2
LABELLED = np.flatnonzero(KINDS == 0)[:30]
OPEN = np.setdiff1d(np.arange(120), LABELLED)


def test_what_the_decoder_is_told_tells_the_sides_apart() -> None:
    crops = kinds_of_crops(np.zeros(120, np.int64), 1)
    told = np.zeros(120, np.float32)
    told[OPEN[::2]] = 1  # half of the open ones differ from the labelled ones in this number alone
    rng = np.random.default_rng(0)
    scores = adversarial.likeness(crops, LABELLED, OPEN, rng, condition=told, device=CPU, recipe=RECIPE)
    assert scores[::2].max() < scores[1::2].min()


def test_chance_comes_from_the_generator_alone() -> None:
    crops = kinds_of_crops(KINDS, 2)
    labels = LABELLED % 3
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[union-attr]

    def play(seed: int) -> list[bytes]:
        rng = np.random.default_rng(seed)
        some = {"device": CPU, "recipe": BLINK}
        return [
            state_relabeling.likeness(crops, LABELLED, labels, OPEN, rng, **some).tobytes(),  # type: ignore[arg-type]
            adversarial.likeness(crops, LABELLED, OPEN, rng, **some).tobytes(),  # type: ignore[arg-type]
            adversarial.latents(crops, OPEN, rng, **some).tobytes(),  # type: ignore[arg-type]
        ]

    first, again, other = play(1), play(1), play(2)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))
    assert (np.random.get_state()[1] == np_state).all()  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_a_report_counts_the_steps_and_may_stop_them() -> None:
    seen: list[tuple[int, int]] = []
    crops = kinds_of_crops(KINDS, 3)
    rng = np.random.default_rng(0)
    adversarial.likeness(
        crops, LABELLED, OPEN, rng, device=CPU, recipe=BLINK, report=lambda done, of: seen.append((done, of))
    )
    assert seen == [(1, 2), (2, 2)]

    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adversarial.latents(crops, OPEN, rng, device=CPU, recipe=BLINK, report=stop)


def test_an_empty_side_is_said_or_scores_nothing() -> None:
    crops, nothing = kinds_of_crops(KINDS, 4), np.empty(0, np.int64)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="labelled"):
        adversarial.likeness(crops, nothing, OPEN, rng, device=CPU, recipe=BLINK)
    assert adversarial.likeness(crops, LABELLED, nothing, rng, device=CPU, recipe=BLINK).shape == (0,)
    assert adversarial.latents(crops, nothing, rng, device=CPU, recipe=BLINK).shape == (0, 2)


def test_codes_of_one_kind_lie_together() -> None:
    crops = kinds_of_crops(KINDS, 5)
    codes = adversarial.latents(crops, np.arange(120), np.random.default_rng(0), device=CPU, recipe=RECIPE)
    middles = np.stack([codes[kind == KINDS].mean(axis=0) for kind in (0, 1)])
    nearest = np.linalg.norm(codes[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == KINDS).mean() > 0.95
