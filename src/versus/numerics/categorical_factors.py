r"""Independent categorical columns within each class, or each component of a mixture.

.. math:: p(x \mid y) = \prod_d \theta_{y d x_d}, \qquad
          \theta_{ydc} = \frac{n_{ydc} + \alpha}{n_{yd} + \alpha C_d}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels


class CategoricalFactors:
    """Log-probabilities of every category of D columns, one column's C categories after the other, (K, sum of C)."""

    def __init__(self, cardinalities: Sequence[int], log_probabilities: Array) -> None:
        self.starts = np.concatenate([[0], np.cumsum(cardinalities)]).astype(np.int64)
        self.cardinalities = tuple(cardinalities)
        self.log_probabilities = log_probabilities

    def log_density(self, codes: Array) -> Array:
        """Log-density of codes (N, D), NaN where missing -> (N, K) nats; a missing column has probability 1."""
        out = np.zeros((len(codes), len(self.log_probabilities)))
        for d, (start, size) in enumerate(zip(self.starts, self.cardinalities, strict=False)):
            table = np.zeros((size + 1, len(self.log_probabilities)))
            table[:size] = self.log_probabilities[:, start : start + size].T
            out += table[np.where(np.isnan(codes[:, d]), size, codes[:, d]).astype(np.int64)]
        return out

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Array:
        """Draw codes (n, D) of one class."""
        columns = [
            rng.choice(size, size=n, p=np.exp(self.log_probabilities[label, start : start + size]))
            for start, size in zip(self.starts, self.cardinalities, strict=False)
        ]
        return np.stack(columns, axis=1).astype(np.float64) if columns else np.empty((n, 0))


def fit_categorical(
    codes: Array,
    labels: Labels,
    n_classes: int,
    cardinalities: Sequence[int],
    alpha: float,
    weights: Array | None = None,
) -> CategoricalFactors:
    """Smoothed category frequencies of codes (N, D), NaN where missing, by class (N,), of rows weighted (N,)."""
    tables = []
    for column, size in zip(codes.T, cardinalities, strict=True):
        seen = ~np.isnan(column)
        cells = labels[seen] * size + column[seen].astype(np.int64)
        own = None if weights is None else weights[seen]
        tables.append(np.bincount(cells, own, minlength=n_classes * size).reshape(n_classes, size))
    return _smoothed(tables, cardinalities, alpha)


@dataclass(frozen=True)
class Categories:
    """Categorical columns of the rows of a mixture.

    Args:
        codes: (N, D), NaN where missing.
        cardinalities: number of categories of each column.
        alpha: added to the count of each category.
    """

    codes: Array
    cardinalities: Sequence[int]
    alpha: float

    def factors(self, weights: Array) -> CategoricalFactors:
        """Smoothed category frequencies by component, of rows weighted (K, N)."""
        tables = []
        for column, size in zip(self.codes.T, self.cardinalities, strict=True):
            seen = ~np.isnan(column)
            chosen = column[seen].astype(np.int64)
            tables.append(np.stack([np.bincount(chosen, own[seen], minlength=size) for own in weights]))
        return _smoothed(tables, self.cardinalities, self.alpha)


def _smoothed(tables: Sequence[Array], cardinalities: Sequence[int], alpha: float) -> CategoricalFactors:
    """Turn counts, for each column (K, C), to log-probabilities."""
    smoothed = [counts + alpha for counts in tables]
    logs = [np.log(counts / counts.sum(axis=1, keepdims=True)) for counts in smoothed]
    return CategoricalFactors(cardinalities, np.concatenate(logs, axis=1))


def check_codes(codes: Array, cardinalities: Sequence[int], names: Sequence[str]) -> None:
    """Raise ValueError, naming the column, where a code is not one of 0 … C - 1 (NaN is allowed)."""
    for column, size, name in zip(codes.T, cardinalities, names, strict=True):
        known = column[~np.isnan(column)]
        if known.size and (known.min() < 0 or known.max() >= size or (known != np.floor(known)).any()):
            raise ValueError(f"column {name!r} holds {known.min()} … {known.max()}; codes 0 … {size - 1} are accepted")
