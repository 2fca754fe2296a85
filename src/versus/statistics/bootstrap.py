"""The bootstrap: scores on resampled test rows and resampled fits.

Test rows are drawn with replacement, the same ones for every model, so that differences stay paired. A score of drawn
rows is a function of how often each row was drawn (`Scorer`): of row means one matrix product for many models, of areas
under curves passes over sorted rows, of anything else one call a resample, of which there are fewer. Percentile
intervals. Efron & Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 8, 13 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from versus.statistics.equivalence import Rope

Floats = NDArray[np.float64]
Key = TypeVar("Key")
CHUNK = 100  # resamples at a time, to keep memory small
MOST_KEPT = 2**25  # bytes of counts that are kept as float64
MOST_TOGETHER = 2**25  # bytes of the rows of models that are multiplied by the counts at once
TIED = 1e-12  # relative: equal scores of two models, at two places of a product, may be rounded differently
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
        sums: the same function in two steps, of which the first is a matrix product; None where there is none.
    """

    of: Callable[[Floats], Floats]
    by_calls: bool = False
    numbers: int = 0
    sums: Sums | None = None


@dataclass(frozen=True)
class Sums:
    """A score as a function of sums over rows.

    Args:
        rows: (n, M), contributions of each row.
        own: (n,), weight of each row, by which its count is multiplied; None where all are 1.
        statistic: means over rows (..., M) -> (...).
    """

    rows: NDArray[Any]
    own: Floats | None
    statistic: Callable[[Floats], Floats]

    @property
    def columns(self) -> Floats:
        """The weight of each row, and its weighted contributions: what is summed up, (n, 1 + M)."""
        found = np.empty((len(self.rows), 1 + self.rows.shape[1]))
        found[:, 0], found[:, 1:] = 1.0, self.rows
        return found if self.own is None else found * self.own[:, None]

    def scores(self, summed: Floats) -> Floats:
        """Sums of the columns (B, 1 + M) -> scores (B,), NaN where there is no score."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = self.statistic(summed[:, 1:] / summed[:, :1])
        return np.where(np.isfinite(scores) & (summed[:, 0] > 0), scores, np.nan)

    def of(self, counts: Floats) -> Floats:
        """Counts (B, n) -> scores (B,)."""
        return self.scores(counts @ self.columns)


def scorer_of_rows(rows: NDArray[Any], statistic: Callable[[Floats], Floats], own: Floats | None = None) -> Scorer:
    """Score by a statistic (..., M) -> (...) of the means of rows (n, M), with weights (n,) where given."""
    sums = Sums(rows, own, statistic)
    return Scorer(sums.of, sums=sums)


def scorer_of_value(value: Callable[..., float], *answers: Any) -> Scorer:
    """Score by any function of answers (n, ...), in which each row stands as often as it counts."""

    def of(weights: Floats) -> Floats:
        drawn = (np.repeat(np.arange(weights.shape[1]), w.astype(np.int64)) for w in weights)
        return np.array([value(*(a[rows] for a in answers)) if len(rows) else np.nan for rows in drawn])

    return Scorer(of, by_calls=True)


def weighted_scorers(scorers: Iterable[Scorer], weights: Sequence[Floats] | None) -> list[Scorer]:
    """Score rows that have weights, of each scorer's rows (n,); scores by calls know only how often a row counts."""

    def weighted(scorer: Scorer, own: Floats) -> Scorer:
        if scorer.sums is not None:
            return scorer_of_rows(scorer.sums.rows, scorer.sums.statistic, own)
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
        apart = self.resamples - other.resamples
        tied = np.abs(apart) <= TIED * np.abs(self.resamples)
        return BootstrapMean(self.mean - other.mean, np.where(tied, 0.0, apart))


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
        """Estimate the mean of one model's fits, as `means` does of several models'."""
        ((_, found),) = self.means([("", fits)], most_rows)
        return found

    def means(
        self, models: Iterable[tuple[Key, Sequence[Scorer]]], most_rows: int = MOST_ROWS
    ) -> Iterator[tuple[Key, BootstrapMean | None]]:
        """Estimate of each model the mean of R fits' scores; None where most resamples have none, or it takes too long.

        Args:
            models: name of each model, and the score of each of its fits.
            most_rows: number of rows, over all resamples and fits, beyond which calls for each resample take too long.
        """
        waiting: list[tuple[Key, Sequence[Scorer]]] = []
        room = MOST_TOGETHER
        for model in models:
            waiting.append(model)
            room -= 8 * sum(fit.sums.rows.size for fit in model[1] if fit.sums is not None)
            if room <= 0:
                yield from self._several(waiting, most_rows)
                waiting, room = [], MOST_TOGETHER
        yield from self._several(waiting, most_rows)

    def _several(
        self, models: Sequence[tuple[Key, Sequence[Scorer]]], most_rows: int
    ) -> Iterator[tuple[Key, BootstrapMean | None]]:
        sums = [[fit.sums for fit in fits if fit.sums is not None] for _, fits in models]
        products = self._products([one for of in sums for one in of])
        for (name, fits), of in zip(models, sums, strict=True):
            drawn = list(islice(products, len(of)))
            if not drawn:
                calls = self._calls(fits, most_rows)
                drawn = [self._scores(fit, calls) for fit in fits if calls]
            yield name, self._mean(drawn) if drawn else None

    def _calls(self, fits: Sequence[Scorer], most_rows: int) -> int:
        """Number of resamples that a model's scores are computed for; 0 where it takes too long."""
        numbers = sum(fit.numbers for fit in fits)
        if not any(fit.by_calls for fit in fits):
            return min(len(self._rows), max(MOST_CALLS, MOST_NUMBERS // max(1, numbers)))
        calls = min(len(self._rows), MOST_CALLS)
        return calls if calls * self._rows.shape[1] * len(fits) <= most_rows else 0

    def _mean(self, drawn: Sequence[Floats]) -> BootstrapMean | None:
        """Average over R fits the scores of the rows as they are, and of B resamples, each (1 + B,)."""
        at_rest, resamples = np.split(np.stack(drawn, axis=1), [1])
        found = BootstrapMean(float(np.mean(at_rest)), np.sum(resamples * self._fits[: len(resamples)], axis=1))
        return found if np.isfinite(found.mean) and 2 * len(found.defined) > len(found.resamples) else None

    def _scores(self, fit: Scorer, calls: int) -> Floats:
        """Scores of the rows as they are, and of resamples, (1 + calls,)."""
        return np.concatenate([fit.of(counts) for counts in self._weights(calls)])

    def _products(self, every: Sequence[Sums]) -> Iterator[Floats]:
        """Yield what `_scores` returns, all B resamples of each score, from products with the rows of all at once."""
        if not every:
            return
        columns = np.concatenate([of.columns for of in every], axis=1)
        ends = np.cumsum([1 + of.rows.shape[1] for of in every])[:-1]
        found: list[list[Floats]] = [[] for _ in every]
        for counts in self._weights(len(self._rows)):
            for scores, of, summed in zip(found, every, np.split(counts @ columns, ends, axis=1), strict=True):
                scores.append(of.scores(summed))
        yield from map(np.concatenate, found)

    def _weights(self, calls: int) -> Iterator[Floats]:
        """Yield the counts of the rows as they are (1, n), then of the resamples, some at a time."""
        yield np.ones((1, self._rows.shape[1]))
        for b in range(0, calls, CHUNK):
            yield self._counts(b, min(b + CHUNK, calls))

    def _counts(self, start: int, stop: int) -> Floats:
        """Counts of some resamples as float64, kept for the next score as far as they take little memory."""
        if (start, stop) in self._kept:
            return self._kept[start, stop]
        counts = self._rows[start:stop].astype(np.float64)
        if sum(kept.nbytes for kept in self._kept.values()) + counts.nbytes <= MOST_KEPT:
            self._kept[start, stop] = counts
        return counts
