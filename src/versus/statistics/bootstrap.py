"""The bootstrap over one official test set: what other test rows, and other fits, would have given.

Test rows are drawn with replacement, the same ones for every model, so that differences stay paired; where a model was
fitted several times the fits are drawn with replacement as well (two levels). Percentile intervals. Efron &
Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 13 and 16; Davison & Hinkley, *Bootstrap Methods and
their Application* (1997), section 3.8 for the nested form. With two or three fits the spread between fits comes out
too small by the factor (R - 1) / R, as for any bootstrap of so few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from versus.statistics.equivalence import Rope

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BootstrapMean:
    """A mean and its bootstrap distribution, (B,)."""

    mean: float
    resamples: Floats

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided percentile interval of the given confidence (0 … 1)."""
        tail = (1 - confidence) / 2
        low, high = np.quantile(self.resamples, [tail, 1 - tail])
        return float(low), float(high)

    def p_value(self) -> float:
        """Two-sided achieved significance level of the hypothesis that the true mean is 0; at least 2 / (B + 1)."""
        tail = min(np.sum(self.resamples <= 0), np.sum(self.resamples >= 0))
        return float(min(1.0, 2 * (1 + tail) / (len(self.resamples) + 1)))

    def rope(self, halfwidth: float) -> Rope:
        """Shares of the bootstrap distribution below, within and above ±``halfwidth``."""
        below = float(np.mean(self.resamples < -halfwidth))
        above = float(np.mean(self.resamples > halfwidth))
        return Rope(below, 1 - below - above, above)

    def minus(self, other: BootstrapMean) -> BootstrapMean:
        """The paired difference; both must come from one `TwoLevelBootstrap`."""
        return BootstrapMean(self.mean - other.mean, self.resamples - other.resamples)


class TwoLevelBootstrap:
    """B resamples of n test rows and R fits, made once and shared by all models of a data set.

    Args:
        n: test rows.
        repeats: R, how many fits each model has.
        resamples: B.
        random_state: seed.
    """

    def __init__(self, n: int, repeats: int = 1, resamples: int = 2000, random_state: int = 0) -> None:
        if n < 1 or repeats < 1:
            raise ValueError(f"n={n} and repeats={repeats}; both must be at least 1")
        rng = np.random.default_rng(random_state)
        # A row is drawn 255 times in a resample with a probability below 1e-300, so bytes hold the counts.
        self._rows = np.empty((resamples, n), dtype=np.uint8)
        for b in range(resamples):
            self._rows[b] = np.bincount(rng.integers(0, n, n), minlength=n)
        self._fits = rng.multinomial(repeats, np.full(repeats, 1 / repeats), size=resamples) / repeats  # (B, R)

    def mean(self, values: Floats, statistic: Callable[[Floats], Floats] | None = None) -> BootstrapMean:
        """The mean over fits of a statistic of the means of ``values`` over test rows.

        Args:
            values: (R, n, M), M numbers for each fit and test row.
            statistic: (…, M) -> (…), from the M means to one score; by default the only one (M = 1).
        """
        reduce = statistic if statistic is not None else _only
        at_rest = float(np.mean(reduce(values.mean(axis=1))))
        scores = np.stack([reduce(self._row_means(fit)) for fit in values], axis=1)  # (B, R)
        return BootstrapMean(at_rest, np.sum(scores * self._fits, axis=1))

    def _row_means(self, values: Floats) -> Floats:
        """(n, M) -> (B, M), a hundred resamples at a time to keep memory small."""
        n = self._rows.shape[1]
        parts = [self._rows[b : b + 100].astype(np.float64) @ values for b in range(0, len(self._rows), 100)]
        return np.concatenate(parts) / n


def _only(means: Floats) -> Floats:
    return means[..., 0]
