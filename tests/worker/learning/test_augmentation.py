"""Views of a crop."""

import numpy as np
import pytest
import torch

from worker.learning.augmentation import Augmentation

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40, 24, 24, 3), dtype=np.uint8))
STILL = Augmentation(closest=1, light=0, grey=0)


def test_equal_seeds_give_equal_views_and_others_differ() -> None:
    first, again, other = (Augmentation().views(PIXELS, 24, [1, number]) for number in (5, 5, 6))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert (first != other).any()
    assert first.shape == PIXELS.shape
    assert 0 <= float(first.min()) <= float(first.max()) <= 255


def test_without_crop_light_and_grey_about_half_are_mirrored_and_none_changed() -> None:
    views, pixels = STILL.views(PIXELS, 24, [3]), PIXELS.float()
    same = (views - pixels).abs().amax(dim=(1, 2, 3)) < 0.1
    mirrored = (views - pixels.flip(2)).abs().amax(dim=(1, 2, 3)) < 0.1
    assert (same ^ mirrored).all()
    assert 8 <= int(mirrored.sum()) <= 32


def test_grey_views_have_no_colour_and_light_moves_the_mean() -> None:
    grey = Augmentation(closest=1, light=0, grey=1).views(PIXELS, 24, [1])
    assert float((grey.amax(3) - grey.amin(3)).max()) < 0.1
    lit = Augmentation(closest=1, light=0.4, grey=0).views(PIXELS, 24, [1])
    means = lit.mean(dim=(1, 2, 3)) / PIXELS.float().mean(dim=(1, 2, 3))
    assert 0.55 < float(means.min()) < 0.95
    assert 1.05 < float(means.max()) < 1.45


def test_a_closer_view_shows_a_part_of_the_crop_only() -> None:
    ramp = torch.arange(64.0).repeat(1, 64, 1)[..., None].repeat(30, 1, 1, 3)
    spans = [float(view.max() - view.min()) for view in Augmentation(closest=0.5, light=0, grey=0).views(ramp, 64, [2])]
    assert min(spans) == pytest.approx(33, abs=4)
    assert max(spans) == pytest.approx(62, abs=4)


def test_views_may_be_smaller_than_the_crop() -> None:
    assert Augmentation().views(PIXELS, 16, [1]).shape == (40, 16, 16, 3)
