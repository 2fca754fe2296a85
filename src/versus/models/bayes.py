r"""Generative classifiers from any density.

.. math:: \log p(x, y) = \log p(x \mid y) + \log p(y), \qquad p(y \mid x) = p(x, y) / \sum_{y'} p(x, y')

Bishop, *Pattern Recognition and Machine Learning* (2006), section 1.5.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Events, Labels, Measure, joined
from versus.models.arguments import Model
from versus.models.checks import check_names, check_shape, classification_data, restored_schema


def class_log_prior(y: Labels, n_classes: int, weights: Array | None = None) -> Array:
    """Laplace-smoothed log class frequencies of rows (N,), which may have weights, -> (K,) nats.

    A class without members keeps a finite prior.
    """
    counts = np.bincount(y, weights, minlength=n_classes).astype(float) + 1.0
    log_prior: Array = np.log(counts / counts.sum())
    return log_prior


class GenerativeClassifier:
    """Bayes' rule over one hook, ``log_joint(X)``: (N, *event) -> (N, K), log p(x, y) in nats.

    A class that has the hook inherits prediction and, where its p(x | y) is exact, the marginal density.
    """

    def log_joint(self, X: Array) -> Array:
        """Log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        raise NotImplementedError

    def predict_log_proba(self, X: Array) -> Array:
        """Log p(y | x), (N, *event) -> (N, K) nats."""
        joint = self.log_joint(X)
        normalised: Array = joint - logsumexp(joint, axis=1, keepdims=True)
        return normalised

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K)."""
        probabilities: Array = np.exp(self.predict_log_proba(X))
        return probabilities

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self.log_joint(X).argmax(axis=1), dtype=np.int64)


@dataclass(eq=False, kw_only=True)
class ClassConditionalDensity(Model, GenerativeClassifier):
    """A joint density p(x, y) whose p(x | y) is exact and can be drawn from.

    A model defines how its p(x | y) is learned (``fit_density``), evaluated (``log_likelihoods``) and drawn from
    (``draw``), and which attributes hold what it learned (``learned``). Prediction, the marginal density, samples by
    class and the arrays for persistence follow. Learned: ``schema_``, ``log_prior_`` (K,) nats.

    Args:
        prior: "empirical" (Laplace-smoothed class frequencies) or "uniform".
    """

    measure: ClassVar[Measure]
    learned: ClassVar[tuple[str, ...]] = ()

    prior: Literal["empirical", "uniform"] = "empirical"

    def fit_density(self, X: Array, y: Labels, weights: Array | None) -> None:
        """Learn p(x | y) from X (N, *event), codes y (N,) and weights (N,), if any; ``schema_`` is set."""
        raise NotImplementedError

    def log_likelihoods(self, X: Array) -> Array:
        """Log p(x | y) for every class, (N, *event) -> (N, K) nats."""
        raise NotImplementedError

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Events:
        """Draw ``n`` events of one class, (n, *event)."""
        raise NotImplementedError

    def fit(self, X: Array, y: Labels | None = None, sample_weight: Array | None = None) -> Self:
        """Learn p(y) and p(x | y) from X (N, *event) and class codes y (N,); a row of weight 2 counts as two.

        Raises:
            ValueError: where y is missing, holds other than the schema's codes, or the model cannot take such data.
        """
        self.schema_, labels = classification_data(type(self).__name__, self.schema, X, y)
        k = self.schema_.n_classes
        self.log_prior_ = (
            np.full(k, -np.log(k)) if self.prior == "uniform" else class_log_prior(labels, k, sample_weight)
        )
        self.fit_density(X, labels, sample_weight)
        return self

    def log_joint(self, X: Array) -> Array:
        """Log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        joint: Array = self.log_likelihoods(X) + self.log_prior_
        return joint

    def log_prob(self, X: Array) -> Array:
        """Log p(x) = log of the sum over y of p(x, y), (N, *event) -> (N,) nats."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Events:
        """Draw ``n`` events (n, *event) of the classes ``y`` (n,), which are drawn from the prior where not given.

        Raises:
            ValueError: where ``y`` has another length than ``n`` or holds an unknown class.
        """
        rng = np.random.default_rng(random_state)
        n_classes = self.schema_.n_classes
        labels = rng.choice(n_classes, size=n, p=np.exp(self.log_prior_)) if y is None else np.asarray(y)
        if labels.shape != (n,) or (n and not 0 <= labels.min() <= labels.max() < n_classes):
            raise ValueError(f"y must be {n} class codes from 0 to {n_classes - 1}; its shape is {labels.shape}")
        drawn = [self.draw(int(k), int((labels == k).sum()), rng) for k in np.unique(labels)]
        if not drawn:
            return self.draw(0, 0, rng)
        place = np.argsort(np.argsort(labels, kind="stable"), kind="stable")  # among those drawn class by class
        events: Events = joined(drawn)[place]
        return events

    def get_arrays(self) -> dict[str, Array]:
        """Return the learned state: flat names to finite arrays."""
        return {name: np.asarray(getattr(self, f"{name}_")) for name in self._names()}

    def _names(self) -> tuple[str, ...]:
        """Names of the arrays that hold what was learned from data of this form."""
        return ("log_prior", *self.learned)

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, self._names())
        check_shape(arrays, "log_prior", (self.schema_.n_classes,))
        for name in self._names():
            setattr(self, f"{name}_", arrays[name])
        self.restore()

    def restore(self) -> None:
        """Check the learned attributes' shapes after `set_arrays` and rebuild what derives from them."""
