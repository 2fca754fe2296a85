r"""k nearest neighbours: the class frequencies among the k closest training rows.

.. math:: p(y = k \mid x) = \sum_{i \in N(x)} w_i [y_i = k] / \sum_{i \in N(x)} w_i

Cover and Hart, "Nearest neighbor pattern classification" (1967). scikit-learn searches. The training rows are all
that is learned, so they are kept as arrays and indexed again on loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Labels
from versus.data.spaces import Image
from versus.models.arguments import Between, Count, SearchSpace
from versus.models.estimator import PreprocessedModel, limited, over_all_classes

__all__ = ["KNearestNeighbours"]


@dataclass(eq=False)
class KNearestNeighbours(PreprocessedModel):
    """k nearest neighbours in the preprocessed space.

    Args:
        n_neighbors: number of neighbours that vote; fewer where there are fewer rows.
        weights: "uniform", or "distance" for votes in inverse proportion to the distance.
        p: 2 for Euclidean distance, 1 for Manhattan.
        n_jobs: processor cores that search.
    """

    search_space: ClassVar[SearchSpace] = {"n_neighbors": Between(1, 100), "weights": ("uniform", "distance")}

    dtype: ClassVar[type[np.floating[Any]]] = np.float32

    late_imports = ("sklearn.neighbors",)

    n_neighbors: Count = 5
    weights: Literal["uniform", "distance"] = "uniform"
    p: int = 2
    n_jobs: int = 1

    def fit(self, X: Array, y: Array | None = None) -> KNearestNeighbours:
        """Keep X (N, *event) and labels y (N,)."""
        Z, y = self._fit_transform(X, y)
        # pixels are kept as given: an eighth of the bytes, and scaled again on loading
        self.rows_ = np.array(X) if isinstance(self.schema_.x, Image) else Z
        self.labels_ = np.asarray(y, dtype=np.int64)
        self._index(Z)
        return self

    def _index(self, Z: Array) -> None:
        from sklearn.neighbors import KNeighborsClassifier  # 2 s to import

        k = min(self.n_neighbors, len(Z))
        self.index_ = KNeighborsClassifier(k, weights=self.weights, p=self.p, n_jobs=self.n_jobs)
        self.index_.fit(Z, self.labels_)

    def predict_proba(self, X: Array) -> Array:
        """Shares of the votes, (N, *event) -> (N, K)."""
        with limited(self.n_jobs):
            votes = self.index_.predict_proba(self.preprocessor_.transform(X)).astype(np.float64)
        return over_all_classes(votes, self.index_.classes_, self.schema_.n_classes)

    def predict(self, X: Array) -> Labels:
        """The class with the most votes, the first one on a tie, (N, *event) -> (N,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def get_arrays(self) -> dict[str, Array]:
        """The training rows, their labels and the preprocessing."""
        return {"rows": self.rows_, "labels": self.labels_, **super().get_arrays()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)
        self.rows_, self.labels_ = arrays["rows"], arrays["labels"]
        if self.labels_.shape != self.rows_.shape[:1] or not len(self.labels_):
            raise ValueError(f"{self.labels_.shape} labels do not fit rows of shape {self.rows_.shape}")
        if self.labels_.dtype != np.int64 or not np.isin(self.labels_, np.arange(self.schema_.n_classes)).all():
            raise ValueError(f"array 'labels' must hold class codes 0 to {self.schema_.n_classes - 1}")
        self._index(self.preprocessor_.transform(self.rows_) if isinstance(self.schema_.x, Image) else self.rows_)
