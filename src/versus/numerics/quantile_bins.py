r"""Histogram densities of single columns, with bins of about equal numbers of rows and exponential tails.

.. math:: p(x) = P(b)\, q(x \mid b), \qquad q(x \mid b) = \frac{1}{e_{b+1} - e_b}, \quad
          q(x \mid \text{last}) = \tfrac1s \exp\bigl(-\tfrac{x - e}{s}\bigr)

A model of categories covers numbers by it: it models the bins, and q makes a density of the numbers again. Scott,
*Multivariate Density Estimation* (1992), chapter 3; Dougherty, Kohavi and Sahami, "Supervised and unsupervised
discretization of continuous features" (1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from versus.arrays import Array

_NARROWEST = 1e-6  # tail of a column with a single value, relative to the value


@dataclass(frozen=True)
class QuantileBins:
    """Bins of one column.

    Args:
        edges: (B - 1,) ascending; a value on an edge belongs to the bin above.
        tails: (2,) mean distance of the rows in the first and the last bin from its edge.
    """

    edges: Array
    tails: Array

    @classmethod
    def fit(cls, column: Array, n_bins: int) -> QuantileBins:
        """Learn at most ``n_bins`` bins, 2 at least, of a column (N,), NaN where missing.

        Edges lie midway between values, so that equal values share a bin whatever the unit.
        """
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        if len(values) < 2:
            value = values[:1] if len(values) else np.zeros(1)
            return cls(value, np.full(2, _NARROWEST * max(abs(float(value[0])), 1.0)))
        below = np.cumsum(counts)[:-1]  # rows below each possible edge
        wanted = np.arange(1, n_bins) / n_bins * counts.sum()
        chosen = np.unique(np.abs(below[None, :] - wanted[:, None]).argmin(axis=1))
        edges = (values[chosen] + values[chosen + 1]) / 2
        tails = []
        for inside, edge in ((values < edges[0], edges[0]), (values >= edges[-1], edges[-1])):
            tails.append(np.average(np.abs(values[inside] - edge), weights=counts[inside]))
        return cls(edges, np.array(tails))

    @property
    def size(self) -> int:
        """Number B of bins."""
        return len(self.edges) + 1

    def codes(self, column: Array) -> Array:
        """Bins of values, (N,) -> (N,) float64, NaN where missing."""
        found = np.searchsorted(self.edges, column, side="right").astype(np.float64)
        found[np.isnan(column)] = np.nan
        return found

    def log_density(self, column: Array) -> Array:
        """Log q(x | bin of x), (N,) -> (N,) nats; 0 where missing."""
        log_q = np.concatenate([[0.0], -np.log(np.diff(self.edges)), [0.0]])
        log_q[[0, -1]] = -np.log(self.tails)
        bins = np.searchsorted(self.edges, column, side="right")
        excess = np.where(bins == 0, (self.edges[0] - column) / self.tails[0], 0.0)
        excess += np.where(bins == len(self.edges), (column - self.edges[-1]) / self.tails[1], 0.0)
        return np.where(np.isnan(column), 0.0, log_q[bins] - excess)

    def draw(self, codes: Array, rng: np.random.Generator) -> Array:
        """Draw values within bins, (N,) int -> (N,)."""
        inner = np.clip(codes - 1, 0, max(len(self.edges) - 2, 0))
        low, high = self.edges[inner], self.edges[np.minimum(inner + 1, len(self.edges) - 1)]
        values = low + rng.random(len(codes)) * (high - low)
        beyond = rng.exponential(size=len(codes))
        values = np.where(codes == 0, self.edges[0] - self.tails[0] * beyond, values)
        drawn: Array = np.where(codes == len(self.edges), self.edges[-1] + self.tails[1] * beyond, values)
        return drawn
