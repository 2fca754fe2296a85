"""The bootstrap: scores on resampled test rows and resampled fits.

Test rows are drawn with replacement, the same ones for every model, so that differences stay paired. A score of drawn
rows is a function of how often each row was drawn (`Scorer`): of row means one matrix product, of areas under curves
passes over sorted rows, of anything else one call a resample, of which there are fewer. Percentile intervals. Efron &
Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 8, 13 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from versus.statistics.equivalence import Rope

Floats = NDArray[np.float64]
CHUNK = 100  # resamples at a time, to keep memory small
MOST_KEPT = 2**25  # bytes of counts that are kept as float64
# A score that is no function of row means is computed anew for each resample, which takes milliseconds. Past so many
# rows in all, the intervals of a report's many scores take longer than they are worth; that of a score that decides
# what is best takes seconds.
MOST_CALLS, MOST_ROWS, MOST_ROWS_TO_DECIDE = 100, 500_000, 20_000_000
# Where each resample is a pass over sorted rows there are as many as take about a second, at least MOST_CALLS.
MOST_NUMBERS = 40_000_000


@dataclass(frozen=True)
class Scorer:
    """The score of one model on n test rows, as a function of the number of times that each row counts.

    Args:
        of: whole weights (B, n) -> scores (B,), NaN where there is no score.
        by_calls: True where each resample takes a call of its own, so that only some can be asked for.
        numbers: number of values that each resample goes through; 0 where it is part of one matrix product.
    """

    of: Callable[[Floats], Floats]
    by_calls: bool = False
    numbers: int = 0


def scorer_of_rows(rows: NDArray[Any], statistic: Callable[[Floats], Floats]) -> Scorer:
    """Score by a statistic (..., M) -> (...) of the means of rows (n, M)."""

    def of(weights: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = statistic(weights @ values / weights.sum(axis=1)[:, None])
        return np.where(np.isfinite(scores) & (weights.sum(axis=1) > 0), scores, np.nan)

    values = rows.astype(np.float64)
    return Scorer(of)


def scorer_of_value(value: Callable[..., float], *answers: Any) -> Scorer:
    """Score by any function of answers (n, ...), in which each row stands as often as it counts."""

    def of(weights: Floats) -> Floats:
        drawn = (np.repeat(np.arange(weights.shape[1]), w.astype(np.int64)) for w in weights)
        return np.array([value(*(a[rows] for a in answers)) if len(rows) else np.nan for rows in drawn])

    return Scorer(of, by_calls=True)


def weighted_scorers(scorers: Iterable[Scorer], weights: Sequence[Floats] | None) -> list[Scorer]:
    """Score rows that have weights, of each scorer's rows (n,); scores by calls know only how often a row counts."""

    def weighted(scorer: Scorer, own: Floats) -> Scorer:
        return scorer if scorer.by_calls else replace(scorer, of=lambda counts: scorer.of(counts * own))

    return list(scorers) if weights is None else [weighted(*pair) for pair in zip(scorers, weights, strict=True)]


@dataclass(frozen=True)
class BootstrapMean:
    """A mean and its bootstrap distribution, (B,), NaN for a resample in which it is not defined."""

    estimand: ClassVar[str] = "mean over fits and over the rows of one test set, both drawn again"

    mean: float
    resamples: Floats

    @property
    def defined(self) -> Floats:
        """The resamples that have a value."""
        return self.resamples[np.isfinite(self.resamples)]

    def shifted(self, by: float, least: float = 0.0) -> Self:
        """Move the mean by an amount; normal noise widens the distribution where its deviation is below ``least``."""
        missing = max(0.0, least**2 - float(np.var(self.defined))) ** 0.5
        noise = missing * np.random.default_rng(0).standard_normal(len(self.resamples)) if missing else 0.0
        return replace(self, mean=self.mean + by, resamples=self.resamples + by + noise)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided percentile interval of the given confidence (0 … 1)."""
        tail = (1 - confidence) / 2
        low, high = np.quantile(self.defined, [tail, 1 - tail])
        return float(low), float(high)

    def p_value(self) -> float:
        """Two-sided achieved significance level of the hypothesis that the true mean is 0; at least 2 / (B + 1)."""
        tail = min(np.sum(self.defined <= 0), np.sum(self.defined >= 0))
        return float(min(1.0, 2 * (1 + tail) / (len(self.defined) + 1)))

    def rope(self, halfwidth: float) -> Rope:
        """Shares of the bootstrap distribution below, within and above ±``halfwidth``."""
        below = float(np.mean(self.defined < -halfwidth))
        above = float(np.mean(self.defined > halfwidth))
        return Rope(below, 1 - below - above, above)

    def minus(self, other: BootstrapMean) -> BootstrapMean:
        """The paired difference; both must come from one `TwoLevelBootstrap`."""
        return BootstrapMean(self.mean - other.mean, self.resamples - other.resamples)


class TwoLevelBootstrap:
    """B resamples of one test set of n rows and of R fits, made once and shared by all models of a data set.

    Where a model was fitted several times the fits are drawn with replacement as well (Davison & Hinkley, *Bootstrap
    Methods and their Application*, 1997, section 3.8). With two or three fits the spread between fits comes out too
    small by the factor (R - 1) / R, as for any bootstrap of so few.

    Args:
        n: test rows.
        repeats: R, number of fits of each model.
        resamples: B.
        random_state: seed.
        units: (n,) unit of each row; rows of one unit are drawn together, since they are no evidence of their own
            (the cluster bootstrap: Davison & Hinkley, section 3.8). Each row is its own by default.
    """

    def __init__(
        self,
        n: int,
        repeats: int = 1,
        resamples: int = 2000,
        random_state: int = 0,
        units: NDArray[np.int64] | None = None,
    ) -> None:
        if n < 1 or repeats < 1:
            raise ValueError(f"n={n} and repeats={repeats}; both must be at least 1")
        rng = np.random.default_rng(random_state)
        # A row is drawn 255 times in a resample with a probability below 1e-300, so bytes hold the counts.
        self._rows = np.empty((resamples, n), dtype=np.uint8)
        owners = np.arange(n) if units is None else np.unique(units, return_inverse=True)[1]
        m = int(owners.max()) + 1
        for b in range(resamples):
            self._rows[b] = np.bincount(rng.integers(0, m, m), minlength=m)[owners]
        self._kept: dict[tuple[int, int], Floats] = {}
        self._fits = rng.multinomial(repeats, np.full(repeats, 1 / repeats), size=resamples) / repeats  # (B, R)

    def mean(self, fits: Sequence[Scorer], most_rows: int = MOST_ROWS) -> BootstrapMean | None:
        """Estimate the mean of R fits' scores; None where most resamples have no score, or it takes too long.

        Args:
            fits: the score of each fit.
            most_rows: number of rows, over all resamples and fits, beyond which calls for each resample take too long.
        """
        by_calls = any(fit.by_calls for fit in fits)
        numbers = sum(fit.numbers for fit in fits)
        calls = min(len(self._rows), MOST_CALLS if by_calls else max(MOST_CALLS, MOST_NUMBERS // max(1, numbers)))
        if by_calls and calls * self._rows.shape[1] * len(fits) > most_rows:
            return None
        everything = np.ones((1, self._rows.shape[1]))
        at_rest = float(np.mean([fit.of(everything)[0] for fit in fits]))
        drawn = np.stack([self._scores(fit, calls) for fit in fits], axis=1)  # (B, R)
        found = BootstrapMean(at_rest, np.sum(drawn * self._fits[:calls], axis=1))
        return found if np.isfinite(at_rest) and 2 * len(found.defined) > len(found.resamples) else None

    def _scores(self, fit: Scorer, calls: int) -> Floats:
        return np.concatenate([fit.of(self._counts(b, min(b + CHUNK, calls))) for b in range(0, calls, CHUNK)])

    def _counts(self, start: int, stop: int) -> Floats:
        """Counts of some resamples as float64, kept for the next score as far as they take little memory."""
        if (start, stop) in self._kept:
            return self._kept[start, stop]
        counts = self._rows[start:stop].astype(np.float64)
        if sum(kept.nbytes for kept in self._kept.values()) + counts.nbytes <= MOST_KEPT:
            self._kept[start, stop] = counts
        return counts
