"""The small networks: their shapes are the paper's, and their codes are normal distributions."""

import numpy as np
import pytest
import torch

from worker.networks.latent import Code, Decoder, Discriminator, Encoder, Sizes


def test_the_defaults_are_the_paper_s() -> None:
    sizes = Sizes()
    encoder, decoder = Encoder(2, sizes), Decoder(sizes.latent, sizes)
    discriminator = Discriminator(2 * sizes.latent, sizes.hidden)
    with torch.no_grad():
        codes = encoder(torch.rand(2, 3, 64, 64))
        assert [(code.mean.shape, code.log_variance.shape) for code in codes] == [((2, 64), (2, 64))] * 2
        assert decoder(codes[0].mean).shape == (2, 3, 64, 64)
    convolutions = [(c.in_channels, c.out_channels, c.stride) for c in encoder.convolutions]
    assert convolutions == [(3, 64, (2, 2)), (64, 128, (2, 2)), (128, 256, (2, 2)), (256, 512, (2, 2))]
    mirrored = [(c.out_channels, c.in_channels, c.stride) for c in decoder.convolutions]
    assert mirrored == convolutions[::-1]
    layers = [(m.in_features, m.out_features) for m in discriminator.modules() if isinstance(m, torch.nn.Linear)]
    assert layers == [(128, 512), (512, 512), (512, 1)]


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    mean, log_variance = np.array([[0.0, 0.0], [1.0, -2.0]]), np.array([[0.0, 0.0], [0.0, np.log(4)]])
    code = Code(torch.tensor(mean), torch.tensor(log_variance))
    # of one number: (m^2 + s^2 - 1 - log s^2) / 2
    by_hand = [0, (1 + 1 - 1 - 0) / 2 + (4 + 4 - 1 - np.log(4)) / 2]
    assert code.divergence().numpy() == pytest.approx(by_hand)


def test_a_sample_has_the_mean_and_the_deviation_of_its_code() -> None:
    code = Code(torch.tensor([[3.0]]), torch.tensor([[np.log(4.0)]]))
    assert float(code.sample(torch.tensor([[-1.5]]))) == pytest.approx(0)


def test_the_code_of_a_crop_does_not_depend_on_its_company() -> None:
    torch.manual_seed(0)
    encoder = Encoder(1, Sizes(side_px=8, widths=(4, 4), latent=3, hidden=4))
    pictures = torch.rand(5, 3, 8, 8)
    alone, together = encoder(pictures[:1])[0], encoder(pictures)[0]
    assert torch.allclose(alone.mean[0], together.mean[0], atol=1e-6)
    assert not torch.allclose(together.mean[0], together.mean[1], atol=1e-3)


def test_painted_pictures_lie_between_0_and_1() -> None:
    sizes = Sizes(side_px=8, widths=(4, 4), latent=3, hidden=4)
    painted = Decoder(3, sizes)(100 * torch.randn(4, 3)).detach()
    assert painted.shape == (4, 3, 8, 8)
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="30 px"):
        Sizes(side_px=30, widths=(4, 4))
