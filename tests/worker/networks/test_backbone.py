"""The trunk: shapes, padding, and that the published weights still mean what they meant."""

import pytest
import torch
from torch.nn import functional as F

from worker.networks.backbone import CHANNELS, MEAN, POOLED_DIM, STD, EfficientNetLite0, FrozenConv, from_imagenet
from worker.networks.weights import imagenet_tensors

PINNED_CLASS, PINNED_LOGIT = 885, 6.0514  # measured once in float32; the next best class has 5.1


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 33), (32, 200), (1, 1)])
def test_features_have_the_documented_shapes_at_every_size(height: int, width: int) -> None:
    features = EfficientNetLite0(with_head=False).eval()(torch.zeros(2, 3, height, width))
    for stride, channels in CHANNELS.items():
        assert features[stride].shape == (2, channels, -(-height // stride), -(-width // stride))


def test_the_pooled_vector_has_1280_numbers() -> None:
    assert EfficientNetLite0().eval().pooled(torch.zeros(2, 3, 64, 64)).shape == (2, POOLED_DIM)
    with pytest.raises(ValueError, match="without its head"):
        EfficientNetLite0(with_head=False).pooled(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2), (1, 1)])
def test_padding_is_tensorflows_same_with_the_odd_pixel_behind(size: int, kernel: int, stride: int) -> None:
    conv = FrozenConv(2, 3, kernel, stride)
    x = torch.randn(1, 2, size, size)
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before, behind = total // 2, total - total // 2
    expected = F.conv2d(F.pad(x, (before, behind, before, behind)), conv.weight, stride=stride)
    torch.testing.assert_close(conv(x), expected)


def test_the_folded_norm_equals_convolution_then_batch_norm() -> None:
    published = imagenet_tensors()
    trunk = from_imagenet(published)
    x = torch.randn(1, 3, 32, 32)
    plain = F.conv2d(F.pad(x, (0, 1, 0, 1)), published["_conv_stem.weight"], stride=2)
    names = ("running_mean", "running_var", "weight", "bias")
    expected = F.batch_norm(plain, *(published[f"_bn0.{name}"] for name in names), eps=1e-3)
    torch.testing.assert_close(trunk.stem(x), expected, rtol=1e-4, atol=1e-4)


def test_the_published_classifier_on_our_trunk_is_sure_of_a_drawn_picture() -> None:
    """Pinned: any slip in padding, stages or order of the 16 blocks moves this logit."""
    published = imagenet_tensors()
    y, x = torch.meshgrid(torch.arange(224), torch.arange(224), indexing="ij")
    picture = torch.stack([(x % 56) / 56, (y % 56) / 56, ((x + y) % 112) / 112])[None]
    with torch.inference_mode():
        pooled = from_imagenet(published).eval().pooled((picture - MEAN) / STD)
    logits = pooled @ published["_fc.weight"].T + published["_fc.bias"]
    assert int(logits.argmax()) == PINNED_CLASS
    assert float(logits.max()) == pytest.approx(PINNED_LOGIT, abs=0.02)
