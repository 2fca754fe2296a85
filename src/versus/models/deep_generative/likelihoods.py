r"""Likelihoods p(x | z, y) of variational autoencoders: densities of an event given a decoder's output.

.. math:: \log p(x \mid z, y) = \sum_{d \text{ observed}} \log p_d(x_d \mid f_d(z, y)) - \log u_d

with Gaussian p_d for numbers (standardised by the unit u_d, whose logarithm brings the density back to the raw space),
softmax for categories, Bernoulli for binarised pixels and logistic for levels. Missing features drop out of the sum:
they are marginalised. The Gaussians' deviations are learned, one a feature and class: Rybkin et al., "Simple and
effective VAE training with calibrated decoders" (2021). Pixels are Gaussian but for a small share, which may have any
level: without it, the deviation of a pixel that is black in all but a few images shrinks until one of those few costs a
hundred thousand nats (the contaminated normal of Tukey, "A survey of sampling from contaminated distributions", 1960).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

# Deviations below this share of a feature's own cannot be learned: a repeated value would have infinite density.
SMALLEST_DEVIATION = 1e-3
# Adam moves each parameter by about the learning rate; deviations must cover decades in as many steps as weights do.
DEVIATION_SPEED = 5.0
LEAST_LOG_SCALE = -9.0  # of logistic distributions: a hundredth of one of 256 levels
OUTLIERS = 0.01  # the share of pixels that may have any level


class ColumnLikelihood(nn.Module):
    """Gaussians for numeric features, softmax for categorical ones.

    Targets are (N, D): standardised numbers, category codes, NaN where missing.

    Args:
        cardinalities: for each of D features the number of categories, 0 where numeric.
        n_classes: classes that each have deviations of their own; 0 or 1 for deviations common to all.
        levels: of pixels, which then lie between 0 and this and have outliers; None for columns, which have none.
    """

    log_unit: Tensor
    zero: Tensor

    def __init__(self, cardinalities: tuple[int, ...], n_classes: int = 0, levels: int | None = None) -> None:
        super().__init__()
        self.levels = levels
        self.numeric = [d for d, size in enumerate(cardinalities) if size == 0]
        self.categorical = [d for d, size in enumerate(cardinalities) if size > 0]
        self.sizes = [cardinalities[d] for d in self.categorical]
        self.width = len(self.numeric) + sum(self.sizes)
        self.n_features = len(cardinalities)
        self.raw_log_deviation = nn.Parameter(torch.zeros(max(1, n_classes), len(self.numeric)))
        self.register_buffer("log_unit", torch.zeros(len(self.numeric)))
        if levels is not None:
            self.register_buffer("zero", torch.zeros(len(self.numeric)))  # the raw 0, in standardised units

    def deviation(self, label: Tensor | None) -> Tensor:
        """Standard deviations, (N,) class codes or None -> (N or 1, numeric features), in standardised units."""
        deviations = torch.exp(DEVIATION_SPEED * self.raw_log_deviation) + SMALLEST_DEVIATION
        if label is None or len(deviations) == 1:
            return deviations[:1]
        # The gradient of deviations[label] is in no fixed order.
        return functional.embedding(label.to(deviations.device), deviations)

    def log_prob(self, parameters: Tensor, target: Tensor, label: Tensor | None = None) -> Tensor:
        """Log p(x | z, y), (…, N, width) outputs, (N, D) targets, (N,) classes -> (…, N) nats in the raw space."""
        n_numeric = len(self.numeric)
        total = parameters.new_zeros(parameters.shape[:-1])
        if n_numeric:
            x, deviation = target[:, self.numeric] if self.categorical else target, self.deviation(label)
            observed = ~torch.isnan(x)
            squares = ((torch.where(observed, x, 0.0) - parameters[..., :n_numeric]) / deviation) ** 2
            constants = torch.log(deviation) + self.log_unit + 0.5 * math.log(2 * math.pi)
            log_density = -(0.5 * squares + constants)
            if self.levels is not None:
                anywhere = torch.full_like(log_density, math.log(OUTLIERS / self.levels))
                log_density = torch.logaddexp(log_density + math.log1p(-OUTLIERS), anywhere)
            total = total + (observed * log_density).sum(dim=-1)
        logits = torch.split(parameters[..., n_numeric:], self.sizes, dim=-1) if self.sizes else ()
        for d, scores in zip(self.categorical, logits, strict=True):
            observed = ~torch.isnan(target[:, d])
            code = torch.where(observed, target[:, d], 0.0).long().expand(scores.shape[:-1]).unsqueeze(-1)
            total = total + observed * functional.log_softmax(scores, dim=-1).gather(-1, code).squeeze(-1)
        return total

    def mode(self, parameters: Tensor) -> Tensor:
        """Means of the Gaussians and most probable categories, (N, width) -> (N, D)."""
        return self._assemble(parameters, parameters[:, : len(self.numeric)], lambda scores: scores.argmax(dim=1))

    def mean(self, parameters: Tensor) -> Tensor:
        """Means of the Gaussians and probabilities of the categories, (…, width) -> (…, width)."""
        numbers, scores = parameters[..., : len(self.numeric)], parameters[..., len(self.numeric) :]
        shares = [part.softmax(dim=-1) for part in torch.split(scores, self.sizes, dim=-1)] if self.sizes else []
        return torch.cat([numbers, *shares], dim=-1)

    def sample(self, parameters: Tensor, label: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw an event for each row, (N, width) -> (N, D)."""
        means = parameters[:, : len(self.numeric)]
        noise = torch.randn(means.shape, generator=generator, dtype=means.dtype)
        numbers = means + self.deviation(label).to(means) * noise
        if self.levels is not None:
            which, where = torch.rand((2, *means.shape), generator=generator, dtype=means.dtype)
            anywhere = self.zero.to(means) + where * self.levels / torch.exp(self.log_unit.to(means))
            numbers = torch.where(which < OUTLIERS, anywhere, numbers)

        def draw(scores: Tensor) -> Tensor:
            return torch.multinomial(scores.softmax(dim=1), 1, generator=generator)[:, 0]

        return self._assemble(parameters, numbers, draw)

    def _assemble(self, parameters: Tensor, numbers: Tensor, choose: Callable[[Tensor], Tensor]) -> Tensor:
        """Targets (N, D) of the numbers (N, numeric features) and, from each column's scores, a chosen category."""
        target = parameters.new_zeros(len(parameters), self.n_features)
        target[:, self.numeric] = numbers
        logits = torch.split(parameters[:, len(self.numeric) :], self.sizes, dim=1) if self.sizes else ()
        for d, scores in zip(self.categorical, logits, strict=True):
            target[:, d] = choose(scores).to(target.dtype)
        return target


class UnitDeviations(ColumnLikelihood):
    """`ColumnLikelihood` whose deviations are 1, without its constant: minus half the squared error, minus surprises.

    Args:
        cardinalities: for each of D features the number of categories, 0 where numeric.
    """

    def __init__(self, cardinalities: tuple[int, ...]) -> None:
        super().__init__(cardinalities)
        del self.raw_log_deviation
        self.log_unit.fill_(-0.5 * math.log(2 * math.pi))

    def deviation(self, label: Tensor | None) -> Tensor:
        """Ones, (1, numeric features)."""
        return torch.ones_like(self.log_unit)[None]


class BernoulliLikelihood(nn.Module):
    """Independent binary features; targets are (N, D) of zeros and ones.

    Args:
        n_features: D.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.width = n_features

    def log_prob(self, parameters: Tensor, target: Tensor, label: Tensor | None = None) -> Tensor:
        """Log p(x | z, y), (…, N, D) logits, (N, D) targets -> (…, N) nats."""
        losses = functional.binary_cross_entropy_with_logits(parameters, target.expand_as(parameters), reduction="none")
        return -losses.sum(dim=-1)

    def mode(self, parameters: Tensor) -> Tensor:
        """Probabilities of a one, (N, D) -> (N, D), as shown in pictures of reconstructions."""
        return torch.sigmoid(parameters)

    mean = mode

    def sample(self, parameters: Tensor, label: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw zeros and ones for each row, (N, D) -> (N, D)."""
        return torch.bernoulli(torch.sigmoid(parameters), generator=generator)


class LogisticLikelihood(nn.Module):
    r"""Levels of pixels, each the part of a logistic distribution that is nearer to it than to any other level.

    .. math:: P(x) = \sigma\Bigl(\frac{x + \frac12 - m}{s}\Bigr) - \sigma\Bigl(\frac{x - \frac12 - m}{s}\Bigr)

    with all that is below or above for the lowest and the highest level; the scale s is learned, one a pixel and class.
    Salimans et al., "PixelCNN++: improving the PixelCNN with discretized logistic mixture likelihood" (2017), with one
    component. Targets are levels (N, D); the decoder gives m, from -1 for the lowest level to 1 for the highest.

    Args:
        n_features: D.
        levels: number of values that a pixel can take.
        n_classes: classes that each have scales of their own; 0 or 1 for scales common to all.
    """

    def __init__(self, n_features: int, levels: int, n_classes: int = 0) -> None:
        super().__init__()
        self.width, self.levels = n_features, levels
        self.raw_log_scale = nn.Parameter(torch.full((max(1, n_classes), n_features), -1.0 / DEVIATION_SPEED))

    def scale(self, label: Tensor | None) -> Tensor:
        """Scales, (N,) class codes or None -> (N or 1, D)."""
        scales = torch.exp(torch.clamp(DEVIATION_SPEED * self.raw_log_scale, min=LEAST_LOG_SCALE))
        if label is None or len(scales) == 1:
            return scales[:1]
        return functional.embedding(label.to(scales.device), scales)

    def log_prob(self, parameters: Tensor, target: Tensor, label: Tensor | None = None) -> Tensor:
        """Log P(x | z, y), (…, N, D) outputs, (N, D) levels, (N,) classes -> (…, N) nats."""
        scale, half = self.scale(label), 1.0 / (self.levels - 1)
        distance = 2 * half * target - 1 - parameters
        up_to = functional.logsigmoid((distance + half) / scale)
        from_here = functional.logsigmoid((half - distance) / scale)
        # σ(a) - σ(b) = σ(a) σ(-b) (1 - exp(b - a)), without cancellation
        within = up_to + from_here + torch.log(-torch.expm1(-2 * half / scale))
        edges = torch.where(target <= 0, up_to, from_here)
        return torch.where((target > 0) & (target < self.levels - 1), within, edges).sum(dim=-1)

    def mode(self, parameters: Tensor) -> Tensor:
        """The level in the middle of the distribution, as a real number, (N, D) -> (N, D)."""
        return (parameters.clamp(-1, 1) + 1) / 2 * (self.levels - 1)

    mean = mode

    def sample(self, parameters: Tensor, label: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw levels for each row, (N, D) -> (N, D)."""
        u = torch.rand(parameters.shape, generator=generator, dtype=parameters.dtype).clamp(1e-6, 1 - 1e-6)
        drawn = parameters + self.scale(label).to(parameters) * torch.logit(u)
        return torch.round((drawn + 1) / 2 * (self.levels - 1)).clamp(0, self.levels - 1)
