"""Shared parts of variational autoencoders: building the network, its loss, its bounds, drawing from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from versus.arrays import Array, Measure
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.models.arguments import Between, Count, NonNegative, SearchSpace
from versus.models.deep_generative.autoencoder_networks import (
    ConvolutionalDecoder,
    DenseNetwork,
    Encoder,
)
from versus.models.deep_generative.event_views import (
    BinarisedPixels,
    ContinuousPixels,
    DrawnCodes,
    DrawnPixels,
    LevelPixels,
    TableView,
)
from versus.models.deep_generative.likelihoods import BernoulliLikelihood, ColumnLikelihood, LogisticLikelihood
from versus.models.deep_generative.snapshots import DrawsOnTheWay
from versus.models.deep_generative.variational_network import RowNoise, VariationalNetwork
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.models.events import columns_measure, is_of_tables
from versus.models.image_features import ConvolutionalFeatures
from versus.training.batches import Batch

# The weight of the KL term grows from 0 over this share of the training; at full weight from the start, codes are often
# never put to use (Bowman et al., "Generating sentences from a continuous space", 2016).
WARMUP = 0.2
DECODED_AT_ONCE = 2048  # codes; bounds the memory of activations
IMPUTATION_CODES = 20  # a row and class
# What a likelihood of pixels is one of; Gaussians are densities of the columns as they are.
MEASURES: Mapping[str, Measure] = {
    "bernoulli": "binarised",
    "dynamic_bernoulli": "dynamically_binarised",
    "logistic": "discrete",
}


@dataclass(eq=False, kw_only=True)
class VariationalModel(DrawsOnTheWay, DescendingModel):
    """A variational autoencoder, conditional on the class where ``_n_conditions`` is not 0."""

    network_: VariationalNetwork = field(init=False, repr=False)
    warmup: ClassVar[float] = WARMUP

    search_space: ClassVar[SearchSpace] = {
        "n_latent": Between(2, 32),
        "hidden_layer_sizes": ([32], [64, 64], [128], [256, 128]),
        "learning_rate": Between(1e-3, 2e-2),
    }

    n_latent: Count = 8
    hidden_layer_sizes: Sequence[Count] = (64, 64)
    channels: Count | None = 16
    likelihood: Literal["gaussian", "bernoulli", "dynamic_bernoulli", "logistic"] = "gaussian"
    beta: NonNegative = 1.0
    n_importance_samples: Count = 1
    evaluation_samples: Count = 4
    weight_decay: NonNegative = 1e-4

    @property
    def measure(self) -> Measure:
        """Reference measure of the density: binarised pixels, numbers, codes, or a mixture of these."""
        schema: Schema | None = getattr(self, "schema_", self.schema)
        return MEASURES.get(self.likelihood) or columns_measure(schema)

    def _build(self) -> VariationalNetwork:
        self._check_likelihood()
        schema, n_classes = self._events_schema, self._n_conditions()
        if isinstance(schema.x, Table):
            return self._build_for_tables(schema, n_classes)
        encoder, decoder = self._networks_of_images(schema, n_classes)
        if self.likelihood == "logistic" and schema.levels is not None:
            logistic = LogisticLikelihood(schema.n_features, schema.levels, n_classes)
            return VariationalNetwork(LevelPixels(schema.shape, schema.levels), encoder, decoder, logistic)
        if self.likelihood != "gaussian" and schema.levels is not None:
            pixels = BinarisedPixels if self.likelihood == "bernoulli" else DrawnPixels
            bits = pixels(schema.shape, schema.levels)
            return VariationalNetwork(bits, encoder, decoder, BernoulliLikelihood(schema.n_features))
        gaussian = ColumnLikelihood((0,) * schema.n_features, n_classes, schema.levels)
        return VariationalNetwork(ContinuousPixels(schema.shape, schema.levels), encoder, decoder, gaussian)

    def _features(self, schema: Schema) -> tuple[nn.Module, int]:
        """Build what an encoder begins with: events as the view gives them -> (N, F); and F."""
        if isinstance(schema.x, Table):
            return nn.Identity(), self.preprocessor_.n_columns
        if self.channels is None:
            return nn.Flatten(), schema.n_features
        features = ConvolutionalFeatures(_planes(schema), self.channels)
        return features, features.n_outputs

    def _networks_of_images(self, schema: Schema, n_classes: int) -> tuple[Encoder, nn.Module]:
        hidden = tuple(self.hidden_layer_sizes)
        encoder = Encoder(*self._features(schema), hidden, self.n_latent, n_classes)
        if self.channels is None:
            return encoder, DenseNetwork(self.n_latent, hidden[::-1], schema.n_features, n_classes)
        return encoder, ConvolutionalDecoder(self.n_latent, hidden[::-1], _planes(schema), self.channels, n_classes)

    def _build_for_tables(self, schema: Schema, n_classes: int) -> VariationalNetwork:
        view, cardinalities = self._table_view(schema)
        hidden, likelihood = tuple(self.hidden_layer_sizes), ColumnLikelihood(cardinalities, n_classes)
        encoder = Encoder(*self._features(schema), hidden, self.n_latent, n_classes)
        decoder = DenseNetwork(self.n_latent, hidden[::-1], likelihood.width, n_classes)
        return VariationalNetwork(view, encoder, decoder, likelihood)

    def _table_view(self, schema: Schema) -> tuple[TableView | DrawnCodes, tuple[int, ...]]:
        """View of rows, and the number of categories of each column of its targets, 0 where numeric."""
        return TableView(self.preprocessor_), schema.cardinalities

    def _check_likelihood(self) -> None:
        if self.likelihood != "gaussian" and self.schema_.levels is None:
            raise ValueError(
                f"likelihood={self.likelihood!r} is one of pixels with whole levels, and these data have none; use "
                "'gaussian', which takes tables (with categorical columns, too) and continuous images"
            )

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        view, likelihood = self.network_.view, self.network_.likelihood
        if isinstance(view, ContinuousPixels | LevelPixels):
            view.learn(X)
        if isinstance(likelihood, ColumnLikelihood) and isinstance(view, TableView | ContinuousPixels):
            likelihood.log_unit.copy_(torch.from_numpy(view.log_unit()))
            if isinstance(view, ContinuousPixels) and likelihood.levels is not None:
                likelihood.zero.copy_((-view.pixel_mean / view.pixel_scale).flatten())

    def _events(self, X: Array) -> tuple[Array, ...]:
        self._events_schema.x.check(X)
        return self.network_.view.arrays(X)

    def _keeping(self) -> dict[str, Any]:
        return super()._keeping() | {"unjudged_epochs": int(np.ceil(self.warmup * self.epochs))}

    def _max_gradient_norm(self) -> float:
        return float(self._events_schema.n_features)  # the loss is a sum over features

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        rows, weights = self._apart(batch)
        events, label = (rows[:-1], rows[-1]) if self._n_conditions() else (rows, None)
        terms = network(events, label, generator, self.n_importance_samples, self._beta(progress))
        return self._named(*(weighted_mean(term, weights) for term in terms))

    def _beta(self, progress: float) -> float:
        """Weight of the KL term once ``progress`` of the training is done."""
        return self.beta * min(1.0, progress / self.warmup) if self.warmup else self.beta

    def _named(self, reconstruction: Tensor, kl: Tensor, bound: Tensor) -> dict[str, Tensor]:
        """Losses of a batch; the evidence lower bound stands beside another one that is trained on."""
        losses = {"loss": -bound, "reconstruction": -reconstruction, "kl": kl}
        if self.beta != 1.0 or self.n_importance_samples > 1:
            losses["negative_elbo"] = kl - reconstruction
        return losses

    @available_if(is_of_tables)  # type: ignore[untyped-decorator]
    def impute(self, X: Array) -> Array:
        """Fill missing values from the others: conditional means, most probable categories; (N, D) -> (N, D)."""
        network, gaps = self.network_, np.isnan(X)
        means = torch.from_numpy(self._over_events(self._expected, X, IMPUTATION_CODES))
        return np.where(gaps, network.view.to_raw(network.likelihood.mode(means).numpy()), X)

    def _expected(self, features: Tensor, target: Tensor, noise: Tensor) -> Tensor:
        """Means of all columns of a batch given those observed, (N, width)."""
        return self.network_.expected(features, target, [None], noise.new_zeros(1), noise)

    def _over_events(self, function: Callable[..., Tensor], X: Array, samples: int) -> Array:
        """Apply ``function(features, targets, noise)`` over batches of X."""
        noise = RowNoise(X, samples, self.n_latent, self.random_state or 0)

        def of_batch(*arrays: Tensor) -> Tensor:
            features, target = self.network_.read(arrays[:-1])
            return function(features, target, arrays[-1]).double()

        batch_rows = max(1, DECODED_AT_ONCE // samples)
        return self._apply(of_batch, *self._events(X), noise, batch_rows=batch_rows)

    def _decoded(self, Z: Array, label: Array | None) -> Tensor:
        """Likelihood parameters of codes, (N, L), (N,) -> (N, width), on the CPU."""
        decoder = self.network_.decoder
        if label is None:
            return torch.from_numpy(self._apply(lambda z: decoder(z, None), Z, batch_rows=DECODED_AT_ONCE))
        return torch.from_numpy(self._apply(decoder, Z, label, batch_rows=DECODED_AT_ONCE))

    @torch.no_grad()
    def _draw(self, n: int, label: Array | None, random_state: int | None) -> Array:
        """Draw ``n`` events in the raw space."""
        rng = np.random.default_rng(random_state)
        return self._emitted(rng.standard_normal((n, self.n_latent), np.float32), label, rng)

    @torch.no_grad()
    def _emitted(self, Z: Array, label: Array | None, rng: np.random.Generator) -> Array:
        """Draw an event of each code, (N, L), (N,) -> (N, *event) in the raw space."""
        parameters = self._decoded(Z, label)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        labels = None if label is None else torch.from_numpy(label)
        target = self.network_.likelihood.sample(parameters, labels, generator)
        return self.network_.view.to_raw(target.numpy())


def _planes(schema: Schema) -> tuple[int, int, int]:
    """Channels, height and width of images."""
    height, width, *rest = schema.shape
    return rest[0] if rest else 1, height, width
