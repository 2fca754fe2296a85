r"""A variational autoencoder's network and its evidence lower bounds.

.. math:: \log p(x) \ge \mathbb{E}_{q(z \mid x)} \log p(x \mid z) - \mathrm{KL}(q(z \mid x) \,\|\, p(z)), \qquad
    q(z \mid x) = N(\mu(x), \operatorname{diag} \sigma^2(x)), \quad p(z) = N(0, I)

Kingma & Welling, "Auto-encoding variational Bayes" (2014); Burda et al., "Importance weighted autoencoders" (2016)
for the bound that grows with the number of samples. Everything may be conditional on a class (Sohn et al., 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.models.deep_generative.autoencoder_networks import Encoder
from versus.models.deep_generative.event_views import (
    BinarisedPixels,
    ContinuousPixels,
    DrawnCodes,
    LevelPixels,
    TableView,
)
from versus.models.deep_generative.likelihoods import BernoulliLikelihood, ColumnLikelihood, LogisticLikelihood


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)), (N, L), (N, L) -> (N,) nats."""
    return 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=-1)


class VariationalNetwork(nn.Module):
    """View of the events, encoder, decoder and likelihood.

    Args:
        view: raw events -> encoder inputs and targets.
        encoder: inputs (and class) -> mean and log-variance of a code.
        decoder: code (and class) -> parameters of the likelihood.
        likelihood: parameters, target -> nats.
    """

    def __init__(
        self,
        view: TableView | DrawnCodes | BinarisedPixels | ContinuousPixels | LevelPixels,
        encoder: Encoder,
        decoder: nn.Module,
        likelihood: ColumnLikelihood | BernoulliLikelihood | LogisticLikelihood,
    ) -> None:
        super().__init__()
        self.view, self.encoder, self.decoder, self.likelihood = view, encoder, decoder, likelihood

    def forward(
        self,
        events: tuple[Tensor, ...],
        label: Tensor | None,
        generator: torch.Generator,
        samples: int = 1,
        beta: float = 1.0,
    ) -> tuple[Tensor, ...]:
        """`terms` of events in training."""
        inputs, target = self.view(*events, generator)
        return self.terms(self.encoder.features(inputs), target, label, generator, samples, beta)

    def terms(
        self,
        features: Tensor,
        target: Tensor,
        label: Tensor | None,
        generator: torch.Generator,
        samples: int,
        beta: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        r"""Reconstruction term, KL and training bound of each event, with S codes from the generator, (N,) nats each.

        The bound is :math:`\log \frac1S \sum_s p(x \mid z_s) (p(z_s) / q(z_s \mid x))^\beta`; for one code the ratio
        of densities is replaced by its expectation, the KL.
        """
        mean, log_variance = self.encoder.posterior(features, label)
        shape = (len(mean), samples, mean.shape[1])
        noise = torch.randn(shape, generator=generator, dtype=mean.dtype, device=mean.device)
        z, reconstruction = self._reconstruct(mean, log_variance, target, label, noise)
        kl = kl_to_standard_normal(mean, log_variance)
        if samples == 1:
            return reconstruction[0], kl, reconstruction[0] - beta * kl
        weighted = reconstruction + beta * log_ratio(z, log_variance, noise)
        return reconstruction.mean(dim=0), kl, torch.logsumexp(weighted, dim=0) - math.log(samples)

    def posterior(self, events: tuple[Tensor, ...]) -> Tensor:
        """Means of codes beside their deviations, (N, 2L), of events without a class."""
        mean, log_variance = self.encoder.posterior(self.read(events)[0], None)
        return torch.cat([mean, (0.5 * log_variance).exp()], dim=1)

    def read(self, events: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Features (N, F) that do not depend on the class, and targets (N, D)."""
        inputs, target = self.view(*events, None)
        return self.encoder.features(inputs), target

    def elbo(self, features: Tensor, target: Tensor, label: Tensor | None, noise: Tensor) -> Tensor:
        """The bound, with its expectation over S codes given by noise (N, S, L) -> (N,) nats."""
        mean, log_variance = self.encoder.posterior(features, label)
        _, reconstruction = self._reconstruct(mean, log_variance, target, label, noise)
        return reconstruction.mean(dim=0) - kl_to_standard_normal(mean, log_variance)

    def importance_bound(self, features: Tensor, target: Tensor, label: Tensor | None, noise: Tensor) -> Tensor:
        """Logarithm of the mean of p(x, z) / q(z | x) over S codes given by noise (N, S, L) -> (N,) nats."""
        return torch.logsumexp(self.weighted_codes(features, target, label, noise)[1], dim=0) - math.log(noise.shape[1])

    def weighted_codes(
        self, features: Tensor, target: Tensor, label: Tensor | None, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Codes of q(z | x) given by noise (N, S, L), and log of p(x, z) / q(z | x): (S, N, L) and (S, N) nats."""
        mean, log_variance = self.encoder.posterior(features, label)
        z, reconstruction = self._reconstruct(mean, log_variance, target, label, noise)
        return z, reconstruction + log_ratio(z, log_variance, noise)

    def expected(
        self, features: Tensor, target: Tensor, labels: Sequence[Tensor | None], log_prior: Tensor, noise: Tensor
    ) -> Tensor:
        """Mean of all columns given those that are observed, numbers and probabilities of categories -> (N, width).

        Codes of each class of a prior (K,) count by their importance, which sums to 1: Mattei & Frellsen, "MIWAE"
        (2019).
        """
        found = [self.weighted_codes(features, target, label, noise) for label in labels]
        log_weights = torch.stack([log_weight for _, log_weight in found]) + log_prior[:, None, None]  # (K, S, N)
        weights = torch.softmax(log_weights.flatten(0, 1), dim=0).reshape(log_weights.shape)
        total = torch.zeros((), dtype=weights.dtype, device=weights.device)
        for (z, _), label, share in zip(found, labels, weights, strict=True):
            means = self.likelihood.mean(self._outputs(z, label))
            total = total + (share.unsqueeze(-1) * means).sum(dim=0)
        return total

    def _reconstruct(
        self, mean: Tensor, log_variance: Tensor, target: Tensor, label: Tensor | None, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Codes (S, N, L) and log p(x | z, y) (S, N)."""
        z = mean + torch.exp(0.5 * log_variance) * noise.movedim(1, 0)
        return z, self.likelihood.log_prob(self._outputs(z, label), target, label)

    def _outputs(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Parameters of the likelihood of codes (S, N, L) and classes (N,) -> (S, N, width)."""
        labels = None if label is None else label.repeat(len(z))
        found: Tensor = self.decoder(z.flatten(0, 1), labels).unflatten(0, (len(z), -1))
        return found


def log_ratio(z: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Log of p(z) / q(z | x) of codes (S, N, L), made of noise (N, S, L) -> (S, N) nats."""
    # The normal density's constants cancel.
    return 0.5 * (noise.movedim(1, 0) ** 2 - z**2 + log_variance).sum(dim=-1)


class RowNoise:
    """Noise (S, L) for each of N events, generated when its slice is requested.

    Estimates of a bound are random numbers. Drawn from a stream, an event's would depend on which events came before
    it; drawn from the event's own bytes and a seed, it is the same alone, in a batch and in another order, while
    errors of different events stay independent. Samples come in pairs of opposite sign, which cancels odd terms.

    Args:
        X: (N, *event), the raw events.
        samples: S.
        latent: L.
        seed: of all the noise.
    """

    def __init__(self, X: Array, samples: int, latent: int, seed: int) -> None:
        if samples < 1:
            raise ValueError(f"{samples} samples; at least 1 is needed to estimate a bound")
        self.X, self.samples, self.latent, self.seed = X, samples, latent, seed

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: slice) -> Array:
        """Noise (n, S, L) for the rows of a slice."""
        events = np.ascontiguousarray(self.X[rows], dtype=np.float64)
        noise = np.empty((len(events), self.samples, self.latent), np.float32)
        pairs = -(-self.samples // 2)
        for place, event in zip(noise, events, strict=True):
            drawn = np.random.Generator(np.random.Philox(key=[self.seed, crc32(event.data)]))
            half = drawn.standard_normal((pairs, self.latent), np.float32)
            place[:] = np.concatenate([half, -half])[: self.samples]
        return noise
