r"""Effects of categories on the mean of numbers, additive over the categorical columns.

.. math:: E[z \mid c] = \mu + \sum_d b_{d c_d}, \qquad b_{d0} = 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array
from versus.numerics.categorical_factors import CategoricalFactors
from versus.numerics.missing import patterns

_COMBINATIONS = 64  # of missing categories that are summed over


@dataclass(frozen=True)
class Effects:
    """Probabilities of the categories of C columns, ``factors`` of one class, and their effects (sum of sizes, P)."""

    factors: CategoricalFactors
    effects: Array

    def shift(self, codes: Array) -> Array:
        """Sum of the effects of codes, of a missing one the mean effect: (N, C) -> (N, P)."""
        shift = np.zeros((len(codes), self.effects.shape[1]))
        for d, (start, size) in enumerate(zip(self.factors.starts, self.factors.cardinalities, strict=False)):
            own = self.effects[start : start + size]
            mean = np.exp(self.factors.log_probabilities[0, start : start + size]) @ own
            shift += np.vstack([own, mean])[np.where(np.isnan(codes[:, d]), size, codes[:, d]).astype(np.int64)]
        return shift


def one_hot(codes: Array, sizes: Sequence[int]) -> Array:
    """A column for each category but the first of each column, NaN where missing: (N, C) -> (N, sum of sizes - C)."""
    columns = zip(codes.T, sizes, strict=True)
    hot = [np.where(np.isnan(c)[:, None], np.nan, c[:, None] == np.arange(1, size)) for c, size in columns]
    return np.concatenate(hot, axis=1)


def completions(codes: Array, sizes: Sequence[int]) -> tuple[Array, Array]:
    """Replace each row of codes (N, C) by one for each combination of the categories that it misses.

    Where there are more than 64, columns stay missing (NaN), those of most categories first.

    Returns:
        The row that each of the M combinations is of (M,), in order, and its codes (M, C).
    """
    parts = []
    for seen, where in patterns(codes):
        combinations = np.full((1, codes.shape[1]), np.nan)
        for d in sorted(set(range(len(sizes))) - set(seen.tolist()), key=sizes.__getitem__):
            if len(combinations) * sizes[d] > _COMBINATIONS:
                break
            combinations = np.repeat(combinations, sizes[d], axis=0)
            combinations[:, d] = np.tile(np.arange(sizes[d]), len(combinations) // sizes[d])
        filled = np.tile(combinations, (len(where), 1))
        of_row = np.repeat(where, len(combinations))
        filled[:, seen] = codes[of_row[:, None], seen]
        parts.append((of_row, filled))
    if not parts:
        return np.zeros(0, np.int64), codes
    of_row = np.concatenate([rows for rows, _ in parts])
    order = np.argsort(of_row, kind="stable")
    return of_row[order], np.concatenate([filled for _, filled in parts])[order]
