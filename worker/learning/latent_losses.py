"""The losses of VAAL, TA-VAAL and SRAAL, each as its paper writes it.

Decisions: a loss is a mean over crops. The squared error is summed over a picture and the KL term over a code: then both are
nats, the squared error is the -log p(x|z) of the paper, and no weight is needed between them. As a mean over 12,288 numbers it
would be 0.02 beside an adversarial term of 1.4, and the codes would say nothing but "labelled". Beside the cross-entropy the KL
has a weight of its own: at 1 the best code says nothing, since whatever it tells about the name costs as many nats.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from worker.networks.latent import Code


def picture_loss(painted: Tensor, pictures: Tensor, code: Code) -> Tensor:
    """L_UIR: squared error of (n, 3, h, w) plus KL. Zhang et al. 2020, eq. 1; Sinha et al. 2019, eq. 1."""
    return (painted - pictures).square().sum(dim=(1, 2, 3)).mean() + code.divergence().mean()


def label_loss(logits: Tensor, outputs: Tensor, code: Code, kl_weight: float) -> Tensor:
    """L_STL: cross-entropy of (n, C) logits with the right outputs (n,) plus KL. Zhang et al. 2020, eq. 2."""
    return cross_entropy(logits, outputs) + kl_weight * code.divergence().mean()


def disguise_loss(labelled: Tensor, unlabelled: Tensor) -> Tensor:
    """L_adv: how far both are from being taken for labelled; logits (n,), (m,). Zhang et al. 2020, eq. 6."""
    return toward(labelled, torch.ones_like(labelled)) + toward(unlabelled, torch.ones_like(unlabelled))


def discrimination_loss(labelled: Tensor, unlabelled: Tensor, states: Tensor) -> Tensor:
    """The discriminator's: labelled ones are to be 1, unlabelled ones their states; logits (n,), (m,), states (m,) in 0..1.

    SRAAL relabels the state of a crop as 1 - u (Zhang et al. 2020, eq. 5, as DECISIONS 12 reads it); VAAL says 0 to all
    (Sinha et al. 2019, eq. 4).
    """
    return toward(labelled, torch.ones_like(labelled)) + toward(unlabelled, states)


def toward(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of logits with targets in 0..1."""
    return binary_cross_entropy_with_logits(logits, targets)
