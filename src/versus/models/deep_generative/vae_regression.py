r"""Variational autoencoder of features and a number, and so a regression.

.. math:: p(x, y) = \int p(x \mid z)\, p(y \mid z)\, p(z)\, dz, \qquad
    p(y \mid x) \approx \sum_s w_s\, N(y; m(z_s), \sigma^2), \quad
    w_s \propto \frac{p(x, z_s)}{q(z_s \mid x)}, \quad z_s \sim q(z \mid x)

The target is one more column, standardised as they are. The encoder learns both q(z | x, y) and q(z | x), where y is
missing, so that the second is at hand when y is asked for; the loss is the mean of the two bounds. Kingma & Welling
(2014); missing columns as in Mattei & Frellsen, "MIWAE: deep generative modelling and imputation of incomplete data
sets" (2019), whose self-normalised importance weights give the conditional mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.models.arguments import Count
from versus.models.deep_generative.likelihoods import ColumnLikelihood
from versus.models.deep_generative.variational_model import VariationalModel
from versus.models.deep_generative.variational_network import VariationalNetwork
from versus.models.events import is_of_tables
from versus.models.predictive_mixtures import PredictsByMixture, target_values
from versus.models.preprocessing import Preprocessor
from versus.training.batches import Batch

__all__ = ["VAERegression"]


@dataclass(eq=False, kw_only=True)
class VAERegression(PredictsByMixture, VariationalModel):
    """One autoencoder of the columns of a table and its target; takes the arguments of `VAE`.

    Args:
        evaluation_samples: codes over which bounds, predictions and intervals are estimated.
    """

    evaluation_samples: Count = 64

    def elbo(self, X: Array) -> Array:
        """Lower bound of log p(x) of what is observed, (N, D) -> (N,) nats; see `VAE.elbo`."""
        return self._bound(self._with_target(X, np.full(len(X), np.nan)))

    def elbo_pairs(self, X: Array, y: Array) -> Array:
        """Lower bound of log p(x, y), (N, D) and (N,) -> (N,) nats."""
        return self._bound(self._with_target(X, y))

    @available_if(is_of_tables)  # type: ignore[untyped-decorator]
    def impute(self, X: Array) -> Array:
        """Fill missing values of features, the target unknown, (N, D) -> (N, D); see `VAE.impute`."""
        filled: Array = super().impute(self._with_target(X, np.full(len(X), np.nan)))[:, :-1]
        return filled

    def condition(self, X: Array) -> tuple[Array, Array, Array]:
        """p(y | x) as a normal for each code, (N, D) -> log-weights, means and deviations, (N, S) each."""
        network, place = self.network_, len(self.preprocessor_.numeric) - 1
        decoder = network.decoder

        def normals(features: Tensor, target: Tensor, noise: Tensor) -> Tensor:
            codes, log_weights = network.weighted_codes(features, target, None, noise)
            means = decoder(codes.flatten(0, 1), None)[:, place].unflatten(0, codes.shape[:2])
            return torch.stack([log_weights, means]).permute(2, 1, 0)  # (N, S, 2)

        rows = self._with_target(X, np.full(len(X), np.nan))
        found = self._over_events(normals, rows, self.evaluation_samples)
        log_weights, means = found[..., 0], found[..., 1]
        assert isinstance(network.likelihood, ColumnLikelihood)
        with torch.no_grad():
            deviation = float(network.likelihood.deviation(None)[0, place])
        centre, scale = self.preprocessor_.centre_[-1], self.preprocessor_.scale_[-1]
        deviations = np.full(means.shape, deviation * scale)
        return log_weights - logsumexp(log_weights, axis=1, keepdims=True), means * scale + centre, deviations

    def sample_pairs(self, n: int, random_state: int | None = None) -> tuple[Array, Array]:
        """Draw ``n`` pairs: features (n, D) and targets (n,)."""
        drawn = self._draw(n, None, random_state)
        return drawn[:, :-1], drawn[:, -1]

    @property
    def _events_schema(self) -> Schema:
        return replace(self.schema_, x=Table((*self.schema_.columns, Column("y"))))

    def _bound(self, rows: Array) -> Array:
        network = self.network_
        return self._over_events(lambda h, t, noise: network.elbo(h, t, None, noise), rows, self.evaluation_samples)

    def _with_target(self, X: Array, y: Array) -> Array:
        self.schema_.x.check(X)
        return np.column_stack([X, y])

    def _build(self) -> VariationalNetwork:
        if not isinstance(self.schema_.x, Table):
            raise ValueError(f"VAERegression takes tables, and the data are a {self.schema_.x.form}")
        return super()._build()

    def _fitted_preprocessor(self, X: Array, y: Array | None, weights: Array | None) -> Preprocessor:
        rows = self._with_target(X, target_values("VAERegression", X, y))
        fitted = super()._fitted_preprocessor(rows, None, weights)
        fitted.can_miss_ = np.union1d(fitted.can_miss_, [len(fitted.numeric) - 1])  # the target, when it is asked for
        return fitted

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        """Events with the target, and without."""
        target = target_values("VAERegression", X, y)
        known, asked = (self._with_target(X, values) for values in (target, np.full(len(X), np.nan)))
        return *self._events(known), *self._events(asked)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        rows, weights = self._apart(batch)
        own = () if weights is None else (weights,)
        both = [
            super(VAERegression, self)._losses(network, (*half, *own), generator, progress)
            for half in (rows[:2], rows[2:])
        ]
        return {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}
