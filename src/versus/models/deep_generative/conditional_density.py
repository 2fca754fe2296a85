"""Exact densities of events given their class by one network for all classes, and Bayes' rule over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import logsumexp
from torch import nn

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.models.bayes import GenerativeClassifier, class_log_prior
from versus.models.checks import classification_data


class ConditionalDensity(GenerativeClassifier):
    """Mixin of a joint density p(x, y) whose network is told the class; what the classes share is learned once.

    It comes before the class that defines the network, ``_log_probs(X, label)`` in nats, and ``_draw(n, labels, rng)``.
    p(y) is a buffer of the network.
    """

    schema_: Schema
    network_: Any
    _log_probs: ClassVar[Callable[..., Array]]
    _draw: ClassVar[Callable[..., Any]]

    def log_joint(self, X: Any) -> Array:
        """Log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        conditional = [self._log_probs(X, label) for label in range(self.schema_.n_classes)]
        joint: Array = np.stack(conditional, axis=1) + self.log_prior_
        return joint

    def log_prob(self, X: Any) -> Array:
        """Log p(x), the log of the sum over y of p(x, y), (N, *event) -> (N,) nats."""
        marginal: Array = logsumexp(self.log_joint(X), axis=1)
        return marginal

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Any:
        """Draw ``n`` events (n, *event) in the raw space, of the classes ``y`` (n,), or of classes drawn from p(y).

        Raises:
            ValueError: where ``y`` has another length than ``n``.
        """
        rng = np.random.default_rng(random_state)
        prior = np.exp(self.log_prior_)
        labels = rng.choice(len(prior), n, p=prior / prior.sum()) if y is None else np.asarray(y, np.int64)
        if len(labels) != n:
            raise ValueError(f"y has {len(labels)} classes for n={n} events; one for each is needed")
        return self._draw(n, labels, rng)

    @property
    def log_prior_(self) -> Array:
        """Log probability of each class (K,), nats."""
        prior: Array = self.network_.get_buffer("log_prior").double().cpu().numpy()
        return prior

    def _n_conditions(self) -> int:
        return self.schema_.n_classes

    def _build(self) -> nn.Module:
        if self.schema_.y.task != "classification":
            raise ValueError(f"{type(self).__name__} needs classes, and the task is {self.schema_.y.task}")
        network: nn.Module = super()._build()  # type: ignore[misc]
        network.register_buffer("log_prior", torch.zeros(self.schema_.n_classes))
        return network

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)  # type: ignore[misc]
        _, labels = classification_data(type(self).__name__, self.schema_, X, y)
        prior = class_log_prior(labels, self.schema_.n_classes, weights)
        self.network_.get_buffer("log_prior").copy_(torch.from_numpy(prior))
