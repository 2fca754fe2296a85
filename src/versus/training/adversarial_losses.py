r"""Losses of the games of `versus.training.updates.Adversarial`, and critics of bounded slope.

.. math:: L_D = \mathbb{E}\,D(G(z)) - \mathbb{E}\,D(x)
    + \lambda\,\mathbb{E}\bigl(\|\nabla_{\hat x} D(\hat x)\| - 1\bigr)^2,
    \qquad \hat x = \epsilon x + (1 - \epsilon)\,G(z)

Gulrajani et al., "Improved training of Wasserstein GANs" (2017); for the hinge loss Lim & Ye, "Geometric GAN" (2017);
for least squares Mao et al., "Least squares generative adversarial networks" (2017);
Miyato et al., "Spectral normalization for generative adversarial networks" (2018).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus
from torch.nn.utils.parametrizations import spectral_norm

from versus.training.updates import AdversarialLoss, Shown


class OfScores:
    r"""Losses that are functions of the scores of real and of drawn events, and a penalty on the slope at real ones.

    .. math:: L_D = l(D(x), D(G(z))) + \tfrac{\gamma}{2} \|\nabla_x D(x)\|^2

    The penalty, without which a game may circle for ever, is that of Mescheder et al., "Which training methods for GANs
    do actually converge?" (2018).

    Args:
        penalty: gamma.
    """

    def __init__(self, penalty: float = 0.0) -> None:
        self.penalty = _weight(penalty)

    def of_critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss of the critic by its scores of real and of drawn events, (N,), (N,) -> ()."""
        raise NotImplementedError

    def of_generator(self, fake: Tensor) -> Tensor:
        """Loss of the generator by the critic's scores of what it draws, (N,) -> ()."""
        raise NotImplementedError

    def critic(self, critic: nn.Module, real: Shown, fake: Shown, noise: torch.Generator) -> Tensor:  # noqa: D102
        events = real[0].requires_grad_() if self.penalty else real[0]
        scores = critic(events, *real[1:])
        loss = self.of_critic(scores, critic(*fake))
        return loss + 0.5 * self.penalty * squared_slopes(scores, events).mean() if self.penalty else loss

    def generator(self, critic: nn.Module, fake: Shown) -> Tensor:  # noqa: D102
        return self.of_generator(critic(*fake))


class NonSaturating(OfScores):
    r"""Cross-entropy of a critic that separates real from drawn events; the generator aims for the wrong answer.

    .. math:: L_D = -\log \sigma(D(x)) - \log \sigma(-D(G(z))), \qquad L_G = -\log \sigma(D(G(z)))

    Goodfellow et al., "Generative adversarial nets" (2014).
    """

    won_below = 1e-4  # loss of a critic that is never wrong, from whom the generator learns nothing

    def of_critic(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return softplus(-real).mean() + softplus(fake).mean()

    def of_generator(self, fake: Tensor) -> Tensor:  # noqa: D102
        return softplus(-fake).mean()


class Hinge(OfScores):
    """Margins of a critic that need not be exceeded, max(0, 1 - D(x)) and max(0, 1 + D(G(z)))."""

    def of_critic(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def of_generator(self, fake: Tensor) -> Tensor:  # noqa: D102
        return -fake.mean()


class LeastSquares(OfScores):
    r"""Squared distances of scores from 1 for real events and 0 for drawn ones; the generator aims for 1.

    .. math:: L_D = \tfrac12 (D(x) - 1)^2 + \tfrac12 D(G(z))^2, \qquad L_G = \tfrac12 (D(G(z)) - 1)^2
    """

    def of_critic(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())

    def of_generator(self, fake: Tensor) -> Tensor:  # noqa: D102
        return 0.5 * (fake - 1).square().mean()


class Wasserstein:
    """Difference of mean scores, an estimate of the Wasserstein distance while the critic's slope is 1 or less.

    Args:
        penalty: lambda, the weight of the slope's distance from 1 between real and drawn events.
    """

    def __init__(self, penalty: float = 10.0) -> None:
        self.penalty = _weight(penalty)

    def critic(self, critic: nn.Module, real: Shown, fake: Shown, noise: torch.Generator) -> Tensor:  # noqa: D102
        loss: Tensor = critic(*fake).mean() - critic(*real).mean()
        if not self.penalty:
            return loss
        events = real[0]
        share = torch.rand(
            (len(events), *[1] * (events.ndim - 1)), generator=noise, dtype=events.dtype, device=events.device
        )
        between = torch.lerp(fake[0], events, share).requires_grad_()
        # The root has no gradient at 0, where a critic that knows nothing yet begins.
        slopes = (squared_slopes(critic(between, *real[1:]), between) + 1e-12).sqrt()
        return loss + self.penalty * (slopes - 1).square().mean()

    def generator(self, critic: nn.Module, fake: Shown) -> Tensor:  # noqa: D102
        loss: Tensor = -critic(*fake).mean()
        return loss


def _weight(penalty: float) -> float:
    if not 0 <= penalty < math.inf:
        raise ValueError(f"penalty={penalty}; at least 0 is needed")
    return penalty


# As params.yaml names them, with the weight of the penalty that each has by default.
LOSSES: dict[str, tuple[type[OfScores | Wasserstein], float]] = {
    "non_saturating": (NonSaturating, 0.1),
    "wasserstein": (Wasserstein, 10.0),
    "hinge": (Hinge, 0.0),
    "least_squares": (LeastSquares, 0.0),
}


def named(loss: str, penalty: float | None) -> AdversarialLoss:
    """Return a loss by its name, with the given weight of its penalty or, where None, its own."""
    made, own = LOSSES[loss]
    return made(own if penalty is None else penalty)


def squared_slopes(scores: Tensor, events: Tensor) -> Tensor:
    """Squared norm of each score's gradient at its event, (N, …), (N, *event) -> (N,), to be differentiated again."""
    (slope,) = torch.autograd.grad(scores.sum(), events, create_graph=True)
    return slope.square().flatten(1).sum(dim=1)


def with_spectral_norm(network: nn.Module) -> nn.Module:
    """Divide the weights of all layers by their largest singular value, found by a power iteration a step."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)
    return network
