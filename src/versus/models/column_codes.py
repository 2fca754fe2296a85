"""Tables as categories: categorical columns as they are, numbers as bins, and what of the density lies within a bin.

Numbers are cut into ``n_bins`` bins of about equal numbers of training rows. A model of the codes is a density of the
raw columns with `ColumnCodes.log_density` added, so that its likelihood compares with that of other densities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.models.checks import check_names, check_shape
from versus.models.events import raw_rows
from versus.numerics.categorical_factors import check_codes
from versus.numerics.quantile_bins import QuantileBins


class ColumnCodes:
    """Rows (N, D) as codes (N, D), NaN where missing, and back. Learned: ``sizes_`` (D,) and the bins of numbers.

    Args:
        model: name of the model, for errors.
        schema: form of the rows.
        n_bins: bins of a numeric column, at most.

    Raises:
        ValueError: where the events are no rows of a table.
    """

    def __init__(self, model: str, schema: Schema, n_bins: int) -> None:
        if not isinstance(schema.x, Table):
            raise ValueError(f"{model} takes tables, and the events are {schema.x.describe()}")
        if n_bins < 2:
            raise ValueError(f"n_bins={n_bins}; at least 2 bins are needed")
        self.schema, self.n_bins = schema, n_bins
        self.numeric = [d for d, size in enumerate(schema.cardinalities) if not size]

    def fit(self, X: Array) -> Self:
        """Learn the bins of the numeric columns of X (N, D)."""
        rows = raw_rows(X, self.schema).astype(np.float64, copy=False)
        self.bins_ = {d: QuantileBins.fit(rows[:, d], self.n_bins) for d in self.numeric}
        return self._sized()

    def _sized(self) -> Self:
        sizes = self.schema.cardinalities
        self.sizes_ = tuple(self.bins_[d].size if d in self.bins_ else size for d, size in enumerate(sizes))
        return self

    def codes(self, X: Array) -> Array:
        """Categories and bins of rows, (N, D) -> (N, D) float64.

        Raises:
            ValueError: naming a categorical column that holds an unknown code.
        """
        codes = np.array(raw_rows(X, self.schema), dtype=np.float64)
        for d, bins in self.bins_.items():
            codes[:, d] = bins.codes(codes[:, d])
        check_codes(codes, self.sizes_, [column.name for column in self.schema.columns])
        return codes

    def log_density(self, X: Array) -> Array:
        """Log-density of the numbers within their bins, (N, D) -> (N,) nats."""
        rows = raw_rows(X, self.schema)
        found: Array = sum((bins.log_density(rows[:, d]) for d, bins in self.bins_.items()), np.zeros(len(rows)))
        return found

    def rows(self, codes: Array, rng: np.random.Generator) -> Array:
        """Draw rows (n, D) of codes (n, D)."""
        rows = codes.astype(np.float64)
        for d, bins in self.bins_.items():
            rows[:, d] = bins.draw(codes[:, d], rng)
        return rows

    def get_arrays(self) -> dict[str, Array]:
        """Return edges of all bins, their number by column, and the tails."""
        bins = list(self.bins_.values())
        return {
            "bin_edges": np.concatenate([b.edges for b in bins]) if bins else np.empty(0),
            "bin_counts": np.array([len(b.edges) for b in bins], dtype=np.int64),
            "bin_tails": np.array([b.tails for b in bins]).reshape(-1, 2),
        }

    def set_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `get_arrays`."""
        check_names(arrays, ("bin_edges", "bin_counts", "bin_tails"))
        counts = check_shape(arrays, "bin_counts", (len(self.numeric),))
        tails = check_shape(arrays, "bin_tails", (len(self.numeric), 2))
        edges = np.split(check_shape(arrays, "bin_edges", (int(counts.sum()),)), np.cumsum(counts)[:-1])
        self.bins_ = {d: QuantileBins(*of) for d, *of in zip(self.numeric, edges, tails, strict=False)}
        return self._sized()
