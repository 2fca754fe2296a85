"""A scikit-learn estimator behind this project's contract: the data supply the sizes, missing values are accepted.

Each wrapper names its estimator; preprocessing, classes without members, and persistence are written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.arguments import Model
from versus.models.counts import TokenCounts
from versus.models.preprocessing import Preprocessor, StandardisedTarget


class PreprocessedModel(Model):
    """Base of models that read the data through a `Preprocessor`."""

    dtype: ClassVar[type[np.floating[Any]]] = np.float64

    def _fit_transform(self, X: Array, y: Array | None, weights: Array | None = None) -> tuple[Array, Array]:
        """Settle the schema and fit the preprocessing, (N, *event), (N,) -> (N, F), (N,)."""
        if y is None:
            raise ValueError(f"{type(self).__name__}.fit needs y: it models y given x")
        self._settle(self.schema or Schema.of(X, y))
        weighted = {} if weights is None else {"weights": weights}  # which tokens do not have
        return self.preprocessor_.fit(X, **weighted).transform(X), y

    def _settle(self, schema: Schema) -> None:
        self.schema_ = schema
        self.preprocessor_ = self._new_preprocessor(schema)

    def _new_preprocessor(self, schema: Schema) -> Any:
        if isinstance(schema.x, Tokens):
            return TokenCounts(schema, tfidf=True)
        return Preprocessor(schema, self.dtype)

    def get_arrays(self) -> dict[str, Array]:
        """The learned preprocessing."""
        return {f"preprocessing.{name}": array for name, array in self.preprocessor_.get_arrays().items()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take over the learned preprocessing; needs the schema that the arrays were learned under.

        Raises:
            ValueError: where an array does not fit the schema.
        """
        if self.schema is None:
            raise ValueError("schema is None; a model that takes over arrays must be built with their schema")
        self._settle(self.schema)
        start = len("preprocessing.")
        self.preprocessor_.set_arrays({n[start:]: a for n, a in arrays.items() if n.startswith("preprocessing.")})


class EstimatorModel(PreprocessedModel):
    """A model that keeps a fitted scikit-learn estimator in ``estimator_``.

    ``trusted_types`` names the only types a file of that estimator may hold (see `versus.models.persistence`).
    """

    trusted_types: ClassVar[tuple[str, ...]] = ()

    def new_estimator(self) -> Any:
        """Build an unfitted estimator with the arguments of this model."""
        raise NotImplementedError

    def check_estimator(self, estimator: Any) -> None:
        """Raise ValueError where compiled code would read outside the arrays of a fitted estimator."""
        raise NotImplementedError

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Any:
        """Learn from X (N, *event), y (N,) and weights (N,), if any; returns self."""
        Z, y = self._fit_transform(X, y, sample_weight)
        self.estimator_ = self.new_estimator().fit(Z, y, sample_weight=sample_weight)
        return self


@dataclass(eq=False, kw_only=True)
class EstimatorClassifier(EstimatorModel):
    """A classifier around a scikit-learn classifier.

    Args:
        class_weight: "balanced" weighs each row by N / (K · members of its class), so that all classes count alike.
    """

    class_weight: Literal["balanced"] | None = None

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K); a class unseen in training gets 0."""
        probabilities = self.estimator_.predict_proba(self.preprocessor_.transform(X))
        return over_all_classes(probabilities, self.estimator_.classes_, self.schema_.n_classes)

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)


class EstimatorRegressor(StandardisedTarget, EstimatorModel):
    """A regressor around a scikit-learn regressor, which sees the standardised target.

    Trees of scikit-learn take a variance below 2e-16 for none.
    """

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Any:
        """Learn from X (N, *event), y (N,) and weights (N,), if any; returns self."""
        if y is None:
            raise ValueError(f"{type(self).__name__}.fit needs y: it models y given x")
        self._learn_target(y, sample_weight)
        return super().fit(X, self._to_deviations(y), sample_weight)

    def predict(self, X: Array) -> Array:
        """E[y | x] in the unit of the target, (N, *event) -> (N,)."""
        return self._to_raw(self.estimator_.predict(self.preprocessor_.transform(X)))


def over_all_classes(probabilities: Array, present: Labels, n_classes: int) -> Array:
    """Expand columns of the classes seen in training, (N, len(present)), to all, (N, K), zero elsewhere."""
    if len(present) == n_classes:
        return probabilities
    full: Array = np.zeros((len(probabilities), n_classes))
    full[:, present] = probabilities
    return full


@cache
def _pools() -> Any:
    import sklearn.utils  # noqa: F401 - brings the libraries whose threads are counted
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def limited(threads: int) -> AbstractContextManager[Any]:
    """Limit BLAS and OpenMP to ``threads`` threads within a context; 0.1 ms to enter and leave.

    By default they take every core for work of microseconds and wait for each other by spinning: on two cores with
    anything else running, a logistic regression of 0.05 s took 4 s. So the number is a model's argument, one by
    default, and the same whatever the machine has: sums are added in the same order.
    """
    context: AbstractContextManager[Any] = _pools().limit(limits=threads)
    return context
