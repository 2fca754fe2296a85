r"""Latent diffusion: a diffusion of the codes of an autoencoder, conditional on the class.

.. math:: \log p(x, y) \ge \mathbb{E}_{q(z \mid x)} \left[\log p(x \mid z) + \log p(z \mid y)\right]
    + H(q(z \mid x)) + \log p(y)

The autoencoder is trained first, by its own bound with p(z) = N(0, I); then it stays as it is, and a diffusion of its
codes takes the place of that prior. Rombach et al., "High-resolution image synthesis with latent diffusion models"
(2022); Vahdat, Kreis and Kautz, "Score-based generative modeling in latent space" (2021) for the bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Measure, Step
from versus.models.arguments import Count
from versus.models.deep_generative.diffusion import ConditionalDiffusion
from versus.models.deep_generative.vae import VAE
from versus.models.deep_generative.variational_network import VariationalNetwork
from versus.models.deep_model import DeepModel, one_after_the_other
from versus.models.repeats import Repeats, Rows

__all__ = ["LatentDiffusion"]


class Codes(nn.Module):
    """Events as codes of an autoencoder, drawn from q(z | x) afresh each time, and scaled to a variance of 1.

    Args:
        network: the autoencoder, which is not trained any more.
        n_latent: L.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: VariationalNetwork, n_latent: int) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.shape, self.n_numbers, self.n_noise = (n_latent,), n_latent, n_latent
        for name in ("mean", "scale"):
            self.register_buffer(name, torch.ones(n_latent))

    def arrays(self, X: Array) -> tuple[Array, ...]:
        """Arrays that batches are cut from, as the autoencoder reads them."""
        return self.network.view.arrays(X)

    def keys(self, X: Array) -> Array:
        """Give what the noise of an event's estimates goes by, (N, D)."""
        first = np.nan_to_num(self.arrays(X)[0].reshape(len(X), -1).astype(np.float64))
        keys: Array = np.floor(first) if X.ndim > 2 else np.round(first, 2) + 0.0
        return keys

    def posterior(self, *events: Tensor) -> Tensor:
        """Mean and log-variance of q(z | x), -> (N, 2 L)."""
        return torch.cat(self.network.encoder(self.network.view(*events, None)[0], None), dim=1)

    def forward(self, *events: Tensor | torch.Generator | None) -> Tensor:
        """Draw scaled codes of events, -> (N, L); the last argument is the generator."""
        *given, generator = events
        with torch.no_grad():
            inputs, _ = self.network.view(*given, generator)
            mean, log_variance = self.network.encoder(inputs, None)
            noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)  # type: ignore[arg-type]
            return torch.div(mean + torch.exp(0.5 * log_variance) * noise - self.mean, self.scale)

    def read(self, events: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled codes (N · M, L) given by noise (N, M, L), and what their bound is to gain for one of events (N,).

        That is the mean of log p(x | z) and the entropy of q(z | x), less the logarithms of the scales.
        """
        inputs, target = self.network.view(*events, None)
        mean, log_variance = self.network.encoder(inputs, None)
        z = mean + torch.exp(0.5 * log_variance) * noise.movedim(1, 0)  # (M, N, L)
        parameters = self.network.decoder(z.flatten(0, 1), None).view(*z.shape[:2], -1)
        rebuilt = self.network.likelihood.log_prob(parameters, target, None).mean(dim=0)
        entropy = 0.5 * (log_variance + 1 + math.log(2 * math.pi)).sum(dim=1)
        return ((z - self.mean) / self.scale).movedim(0, 1).flatten(0, 1), rebuilt + entropy - self.scale.log().sum()

    def to_raw(self, x: Array, random_state: int | None = None) -> Array:
        """Draw events of scaled codes, (N, L) -> (N, *event)."""
        codes = torch.from_numpy(x).to(self.mean) * self.scale + self.mean
        generator = torch.Generator().manual_seed(int(np.random.default_rng(random_state).integers(2**62)))
        with torch.inference_mode():
            parameters = self.network.decoder(codes, None).cpu()
            target = self.network.likelihood.cpu().sample(parameters, None, generator)
        self.network.likelihood.to(self.mean.device)
        return self.network.view.to_raw(target.numpy())


@dataclass(eq=False, kw_only=True)
class LatentDiffusion(ConditionalDiffusion):
    """A `ConditionalDiffusion` of the codes of a `VAE`, which is trained before it in the same fit.

    Args:
        n_latent: L, the size of a code.
        autoencoder_epochs: passes of the autoencoder's training; ``epochs`` are the diffusion's.
        autoencoder_layer_sizes: its dense layers, as `VAE` takes them; ``channels`` are those of its convolutions.
        likelihood: p(x | z), as `VAE` takes it.
    """

    is_of_events: ClassVar[bool] = False
    draws_on_the_way: ClassVar[bool] = False  # it cannot before the diffusion has begun

    n_latent: Count = 8
    autoencoder_epochs: Count = 50
    autoencoder_layer_sizes: Sequence[Count] = (64, 64)
    likelihood: Literal["gaussian", "bernoulli", "dynamic_bernoulli", "logistic"] = "gaussian"

    @staticmethod
    def fit_together(models: Sequence[DeepModel], rows: Sequence[Rows]) -> list[Repeats]:
        """Group no models: a fit has two phases."""
        return []

    @property
    def measure(self) -> Measure:
        """Reference measure of the density: that of the autoencoder's likelihood."""
        return self._autoencoder().measure

    def _autoencoder(self) -> VAE:
        return VAE(
            n_latent=self.n_latent,
            hidden_layer_sizes=self.autoencoder_layer_sizes,
            channels=self.channels or 16,
            likelihood=self.likelihood,
            epochs=self.autoencoder_epochs,
            batch_size=self.batch_size,
            patience=None,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
            random_state=self.random_state,
            schema=getattr(self, "schema_", self.schema),
        )

    def _steps(
        self,
        X: Array,
        y: Array | None,
        validation: tuple[Array, ...] | None,
        resume: Mapping[str, Array] | None,
        weights: Array | None,
    ) -> Iterator[Step]:
        """Train the autoencoder, then the diffusion."""
        self._first = self._autoencoder()
        diffuse = super()._steps
        yield from one_after_the_other(
            ("autoencoder", lambda state: self._first.fit_steps(X, y, validation, state, weights)),
            ("diffusion", lambda state: diffuse(X, y, validation, state, weights)),
            self.autoencoder_epochs,
            resume,
        )

    def _view(self) -> Codes:
        first: VAE | None = getattr(self, "_first", None)
        if first is None or not hasattr(first, "network_"):  # its weights are to be restored
            first = self._autoencoder()
            first.schema_ = self.schema_
            if hasattr(self, "preprocessor_"):
                first.preprocessor_ = self.preprocessor_
            first.network_ = first._build()
        return Codes(first.network_.cpu(), self.n_latent)

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)
        view = self.network_.view
        mean, log_variance = np.split(self._apply(view.posterior, *self._events(X)).astype(np.float64), 2, axis=1)
        deviation = np.sqrt(mean.var(axis=0) + np.exp(log_variance).mean(axis=0))
        view.mean.copy_(torch.from_numpy(mean.mean(axis=0)))
        view.scale.copy_(torch.from_numpy(deviation))
