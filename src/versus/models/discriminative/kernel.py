r"""The support vector machine with a radial basis function kernel.

.. math:: f(x) = \sum_i \alpha_i \exp(-\gamma \lVert z - z_i \rVert^2) + b

Cortes and Vapnik, "Support-Vector Networks" (1995); LIBSVM (Chang and Lin 2011) through scikit-learn, one class
against another, and probabilities by `versus.models.margins`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array
from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.estimator import EstimatorClassifier, over_all_classes
from versus.models.margins import cross_validated_temperature, one_against_one

__all__ = ["RBFSVM"]


@dataclass(eq=False)
class RBFSVM(EstimatorClassifier):
    r"""Support vector machine with kernel :math:`\exp(-\gamma \lVert z - z' \rVert^2)`.

    Args:
        C: inverse strength of the penalty.
        gamma: width of the kernel; "scale" for 1 / (F · variance of the preprocessed data).
        cache_size: memory for kernel rows, in MiB; more is faster on large data.
        random_state: of the folds that choose the temperature.
    """

    trusted_types: ClassVar[tuple[str, ...]] = ("sklearn.svm._classes.SVC",)

    late_imports = ("sklearn.svm", "scipy.optimize")

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-2, 1e3), "gamma": Between(1e-4, 10.0)}

    C: Positive = 1.0
    gamma: Positive | Literal["scale"] = "scale"
    cache_size: Count = 500
    random_state: int | None = None

    def new_estimator(self, **arguments: Any) -> Any:
        """Build the unfitted machine, with arguments in place of the model's own where they are given."""
        from sklearn.svm import SVC  # 2 s to import

        own = {name: value for name, value in self.arguments().items() if name != "random_state"}
        return SVC(**own | arguments, decision_function_shape="ovo")

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> RBFSVM:
        """Learn from X (N, *event), labels y (N,) and weights (N,), if any."""
        Z, y = self._fit_transform(X, y, sample_weight)
        new = self.new_estimator
        if sample_weight is not None and self.gamma == "scale":  # scikit-learn's variance counts rows
            new = partial(new, gamma=_scale(Z, sample_weight))
        self.estimator_ = new().fit(Z, y, sample_weight=sample_weight).set_params(gamma=self.gamma)
        found = cross_validated_temperature(new, one_against_one, Z, y, self.random_state, sample_weight)
        self.temperature_ = np.asarray(found)
        return self

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K); a class unseen in training gets 0."""
        margins = self.estimator_.decision_function(self.preprocessor_.transform(X))
        probabilities = np.exp(one_against_one(margins, float(self.temperature_)))
        return over_all_classes(probabilities, self.estimator_.classes_, self.schema_.n_classes)

    def get_arrays(self) -> dict[str, Array]:
        """The temperature () and the preprocessing; the machine itself is stored separately."""
        return {"temperature": self.temperature_, **super().get_arrays()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)
        self.temperature_ = arrays["temperature"]
        if self.temperature_.shape or not self.temperature_ > 0:
            raise ValueError("array 'temperature' must be one number above 0")

    def check_estimator(self, estimator: Any) -> None:
        """Check that there are as many vectors and coefficients as the counts say, which LIBSVM reads."""
        vectors, counts, coefficients = estimator.support_vectors_, estimator._n_support, estimator._dual_coef_
        k = len(counts)
        wanted = {
            "support_vectors_": (vectors.shape, (int(counts.sum()), self.preprocessor_.n_columns)),
            "support_": (estimator.support_.shape, (len(vectors),)),
            "_dual_coef_": (coefficients.shape, (k - 1, len(vectors))),
            "_intercept_": (estimator._intercept_.shape, (k * (k - 1) // 2,)),
            "classes_": (estimator.classes_.shape, (k,)),
            "_probA": (estimator._probA.shape, (0,)),
        }
        for name, (seen, expected) in wanted.items():
            if seen != expected:
                raise ValueError(f"{name} has shape {seen}; {expected} would fit")
        if (counts < 0).any() or not np.isin(estimator.classes_, np.arange(self.schema_.n_classes)).all():
            raise ValueError(f"classes {estimator.classes_} with {counts} vectors are none of the data's")


def _scale(Z: Array, weights: Array) -> float:
    """Width of the kernel, 1 / (F · variance of all numbers), of rows (N, F) with weights (N,)."""
    mean = np.average(Z.mean(axis=1), weights=weights)
    variance = np.average(((Z - mean) ** 2).mean(axis=1), weights=weights)
    return float(1 / (Z.shape[1] * variance)) if variance > 0 else 1.0
