r"""Autoencoders, plain, denoising and sparse: a code of each event, from which the event is rebuilt.

.. math:: \min_{f, g}\; \frac1N \sum_i L\bigl(x_i, g(f(\tilde x_i))\bigr) + \lambda\, \Omega(f), \qquad
    L = \tfrac12 \sum_{d \text{ numeric}} (x_d - \hat x_d)^2 - \sum_{d \text{ categorical}} \log \hat p_d(x_d)

in standard deviations of the columns, or of all pixels. Plain: :math:`\tilde x = x`, no penalty; without hidden layers
the codes span the principal components (Baldi & Hornik, "Neural networks and principal component analysis", 1989).
Denoising: :math:`\tilde x` has noise that x has not (Vincent et al., "Extracting and composing robust features with
denoising autoencoders", 2008). Sparse: units between 0 and 1 of which few are active (Ng, "Sparse autoencoder", 2011).
An error is no probability: none of them has a density, and none draws events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from versus.arrays import Array
from versus.data.spaces import Table
from versus.models.arguments import Between, Count, NonNegative, SearchSpace, Share
from versus.models.deep_generative.autoencoder_networks import (
    ConvolutionalDecoder,
    DenseNetwork,
)
from versus.models.deep_generative.event_views import ScaledPixels, TableView
from versus.models.deep_generative.likelihoods import UnitDeviations
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.models.events import is_of_tables
from versus.models.image_features import ConvolutionalFeatures
from versus.training.batches import Batch

__all__ = ["Autoencoder", "DenoisingAutoencoder", "SparseAutoencoder"]

ROUNDS = 30  # of filling gaps from what was rebuilt
DECODED_AT_ONCE = 2048


class CodingNetwork(nn.Module):
    """View of the events, encoder, activation of the codes, decoder, and the error of what is rebuilt.

    ``corrupt`` makes inputs of training of clean ones and a generator.
    """

    def __init__(
        self,
        view: TableView | ScaledPixels,
        encoder: nn.Module,
        activation: nn.Module,
        decoder: nn.Module,
        errors: UnitDeviations,
        corrupt: Callable[[Tensor, torch.Generator], Tensor],
    ) -> None:
        super().__init__()
        self.corrupt = corrupt
        self.view, self.encoder, self.activation, self.decoder, self.errors = view, encoder, activation, decoder, errors

    def codes(self, inputs: Tensor) -> Tensor:
        """Encode inputs, (N, …) -> (N, L)."""
        found: Tensor = self.activation(self.encoder(inputs))
        return found

    def forward(self, events: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Error of each event (N,) and its code (N, L), in training."""
        inputs, target = self.view(*events, generator)
        codes = self.codes(self.corrupt(inputs, generator))
        return -self.errors.log_prob(self.decoder(codes, None), target), codes


@dataclass(eq=False, kw_only=True)
class Autoencoder(DescendingModel):
    """Dense networks for tables (missing values have no error), convolutional ones for images.

    Args, besides those of `DescendingModel`:
        n_latent: L, the size of a code.
        hidden_layer_sizes: widths of the dense layers, from the events to the code; the decoder has them in reverse.
        channels: feature maps of the convolutions on images (twice as many in the middle).
    """

    no_density: ClassVar[str] = "rebuilds x from a code, without saying how probable x is"
    search_space: ClassVar[SearchSpace] = {
        "n_latent": Between(2, 64),
        "hidden_layer_sizes": ([32], [64, 64], [128], [256, 128]),
        "learning_rate": Between(1e-3, 2e-2),
    }

    network_: CodingNetwork = field(init=False, repr=False)

    n_latent: Count = 8
    hidden_layer_sizes: Sequence[Count] = (64, 64)
    channels: Count = 16
    weight_decay: NonNegative = 1e-4

    def encode(self, X: Array) -> Array:
        """Encode events, (N, *event) -> (N, L)."""
        network = self.network_
        return self._apply(lambda *rows: network.codes(network.view(*rows, None)[0]).double(), *self._events(X))

    def decode(self, Z: Array) -> Array:
        """Decode codes, (N, L) -> (N, *event): numbers, pixels within their range, most probable categories."""
        network = self.network_
        found = self._apply(lambda z: network.errors.mode(network.decoder(z, None)), Z, batch_rows=DECODED_AT_ONCE)
        return network.view.to_raw(found)

    def reconstruct(self, X: Array) -> Array:
        """Encode and decode events, (N, *event) -> (N, *event)."""
        return self.decode(self.encode(X))

    @available_if(is_of_tables)  # type: ignore[untyped-decorator]
    def impute(self, X: Array) -> Array:
        """Fill missing values from what is rebuilt, again and again, (N, D) -> (N, D) without NaN."""
        gaps = np.isnan(X)
        filled = np.where(gaps, self.reconstruct(X), X)
        for _ in range(ROUNDS - 1 if gaps.any() else 0):
            filled = np.where(gaps, self.reconstruct(filled), X)
        return filled

    def _activation(self) -> nn.Module:
        return nn.Identity()

    def _corrupted(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Inputs of the encoder in training, (N, …) -> (N, …)."""
        return inputs

    def _penalty(self, codes: Tensor, weights: Tensor | None) -> Tensor | None:
        """What is added to the mean error of a batch with these codes (N, L)."""
        return None

    def _build(self) -> CodingNetwork:
        schema, hidden, reverse = self.schema_, self.hidden_layer_sizes, tuple(self.hidden_layer_sizes)[::-1]
        if isinstance(schema.x, Table):
            errors = UnitDeviations(schema.cardinalities)
            encoder = DenseNetwork(self.preprocessor_.n_columns, hidden, self.n_latent, 0)
            decoder = DenseNetwork(self.n_latent, reverse, errors.width, 0)
            view = TableView(self.preprocessor_)
            return CodingNetwork(view, encoder, self._activation(), decoder, errors, self._corrupted)
        height, width, *colours = schema.shape
        shape = (colours[0] if colours else 1, height, width)
        features = ConvolutionalFeatures(shape, self.channels)
        return CodingNetwork(
            ScaledPixels(schema.shape, schema.levels),
            nn.Sequential(features, DenseNetwork(features.n_outputs, hidden, self.n_latent, 0)),
            self._activation(),
            ConvolutionalDecoder(self.n_latent, reverse, shape, self.channels, 0),
            UnitDeviations((0,) * schema.n_features),
            self._corrupted,
        )

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        if isinstance(self.network_.view, ScaledPixels):
            self.network_.view.learn(X)

    def _events(self, X: Array) -> tuple[Array, ...]:
        self.schema_.x.check(X)
        return self.network_.view.arrays(X)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._events(X)

    def _max_gradient_norm(self) -> float:
        return float(self.schema_.n_features)  # the loss is a sum over features

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        rows, weights = self._apart(batch)
        errors, codes = network(rows, generator)
        error = weighted_mean(errors, weights)
        penalty = self._penalty(codes, weights)
        return {"loss": error} if penalty is None else {"loss": error + penalty, "error": error, "penalty": penalty}


@dataclass(eq=False, kw_only=True)
class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that sees noisy events in training and rebuilds the clean ones.

    Args, besides those of `Autoencoder`:
        noise: standard deviation of normal noise, in those of the inputs.
        masked: share of the inputs that are set to their mean instead.
    """

    noise: NonNegative = 0.5
    masked: Share = 0.0

    def _corrupted(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        shape, dtype, device = inputs.shape, inputs.dtype, inputs.device
        noisy = inputs + self.noise * torch.randn(shape, generator=generator, dtype=dtype, device=device)
        if not self.masked:
            return noisy
        kept = torch.rand(shape, generator=generator, dtype=dtype, device=device) >= self.masked
        return noisy * kept.to(dtype)


@dataclass(eq=False, kw_only=True)
class SparseAutoencoder(Autoencoder):
    """An autoencoder with many units between 0 and 1, of which each event activates few.

    Args, besides those of `Autoencoder`:
        n_latent: L, the number of units.
        penalty: "kl" draws each unit's mean activity to ``activity``, "l1" all activities to 0.
        penalty_weight: of the penalty, beside the error of an event.
        activity: mean activity of a unit that costs nothing under "kl".
    """

    n_latent: Count = 64
    penalty: Literal["kl", "l1"] = "kl"
    penalty_weight: NonNegative = 1.0
    activity: Share = 0.05

    def _activation(self) -> nn.Module:
        return nn.Sigmoid()

    def _penalty(self, codes: Tensor, weights: Tensor | None) -> Tensor:
        share = None if weights is None else weights.to(codes)[:, None]
        mean = codes.mean(dim=0) if share is None else (codes * share).sum(dim=0) / share.sum().clamp(min=1e-12)
        return self.penalty_weight * (mean.sum() if self.penalty == "l1" else activity_divergence(self.activity, mean))


def activity_divergence(wanted: float, activity: Tensor) -> Tensor:
    r"""Sum over units of the divergence of Bernoulli variables, nats: wanted and mean activity, (L,) -> ().

    .. math:: \sum_j \rho \log \frac{\rho}{\hat\rho_j} + (1 - \rho) \log \frac{1 - \rho}{1 - \hat\rho_j}
    """
    found = activity.clamp(1e-6, 1 - 1e-6)
    rho = torch.tensor(wanted, dtype=found.dtype, device=found.device)
    return (torch.xlogy(rho, rho / found) + torch.xlogy(1 - rho, (1 - rho) / (1 - found))).sum()
