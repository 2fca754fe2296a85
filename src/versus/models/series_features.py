r"""Linear scores of rows of numbers from the rows around them: the standardised columns at each place of a window.

.. math:: s_i = \sum_{o = -r}^{r} W_o^\top [x_{i + o}, 1]

Beyond a sequence's ends all are 0: the columns as if they had their means, and the 1, which tells where the ends are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.checks import check_shape
from versus.models.preprocessing import centre_and_scale


@dataclass(frozen=True)
class SeriesFeatures:
    """Columns of a row and its neighbours, standardised.

    Args:
        centre, scale: (D,) of the columns.
        radius: number of neighbours on each side.
    """

    learned = ("centre", "scale")

    centre: Array
    scale: Array
    radius: int

    @classmethod
    def learn(cls, X: Ragged, radius: int) -> SeriesFeatures:
        """Learn means and standard deviations of the columns."""
        return cls(*centre_and_scale(X.values), radius)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], n_columns: int, radius: int) -> SeriesFeatures:
        """Rebuild from the output of `get_arrays`; ValueError where an array has another shape."""
        return cls(check_shape(arrays, "centre", (n_columns,)), check_shape(arrays, "scale", (n_columns,)), radius)

    def get_arrays(self) -> dict[str, Array]:
        """Means and standard deviations of the columns, (D,) each."""
        return {"centre": self.centre, "scale": self.scale}

    @property
    def size(self) -> int:
        """Number M of weights for each tag."""
        return (2 * self.radius + 1) * (len(self.centre) + 1)

    def table(self, weights: Array) -> Array:
        """Return the weights (M, K): nothing can be made ahead."""
        return weights

    def window(self, X: Ragged, order: Array | slice = slice(None)) -> SeriesWindow:
        """Rows with their neighbours, in an order (total,), that of X by default."""
        rows = np.column_stack([(X.values - self.centre) / self.scale, np.ones(len(X.values))])
        place = np.arange(len(rows)) - np.repeat(X.starts[:-1], X.lengths)
        length = np.repeat(X.lengths, X.lengths)
        found = np.zeros((2 * self.radius + 1, *rows.shape))
        for block, offset in zip(found, range(-self.radius, self.radius + 1), strict=True):
            inside = np.flatnonzero((place + offset >= 0) & (place + offset < length))
            block[inside] = rows[inside + offset]
        return SeriesWindow(np.ascontiguousarray(np.moveaxis(found, 0, 1)[order].reshape(-1, self.size)))


@dataclass(frozen=True)
class SeriesWindow:
    """Rows of sequences with their neighbours, (total, M), and their scores for given weights."""

    values: Array

    def scores(self, weights: Array) -> Array:
        """Scores of all rows, (M, K) -> (total, K)."""
        found: Array = self.values @ weights
        return found

    gathered = scores

    def gradient(self, residuals: Array) -> Array:
        """Derivative of the scores, weighted by ``residuals`` (total, K), by the weights: (M, K)."""
        found: Array = self.values.T @ residuals
        return found
