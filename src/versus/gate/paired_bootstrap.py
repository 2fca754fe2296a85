"""How much better one model's score is than another's on the same test rows, and how sure that is.

The paired bootstrap draws test rows with replacement, the same ones for both models (Efron and Tibshirani, *An
Introduction to the Bootstrap*, 1993, chapters 8 and 13). The test sets of several repeats overlap, so rows are drawn
by their identity: one that stands in three test sets is drawn, or not, for all three. The fits are taken as they are:
it is these models that are compared, and not what other fits would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.gate.weighted_scores import Floats, scorer
from versus.metrics.table import Metric

CHUNK = 100  # resamples at a time, to keep memory small


@dataclass(frozen=True)
class Gain:
    """The score of the challenger and of the champion, means over the repeats, and the difference.

    Args:
        challenger, champion: scores, in the metric's own unit.
        value: by how much the challenger is better; negative where it is worse, whichever direction is better.
        low, high: ends of the percentile interval of ``value``.
    """

    challenger: float
    champion: float
    value: float
    low: float
    high: float


def paired_gain(
    metric: Metric,
    challenger: NDArray[Any],
    champion: NDArray[Any],
    targets: NDArray[Any],
    rows: NDArray[np.int64],
    confidence: float = 0.95,
    resamples: int = 2000,
    random_state: int = 0,
) -> Gain:
    """Compare two models on R test sets of n rows.

    Args:
        metric: of probabilities or values; its table says which direction is better.
        challenger, champion: (R, n, K) probabilities, or (R, n) values.
        targets: (R, n) class codes, or values.
        rows: (R, n) identities of the test rows.
        confidence: of the two-sided interval.
        resamples: how many times rows are drawn.
        random_state: seed.

    Raises:
        ValueError: where the metric is not defined on these rows, or on none of those that were drawn.
    """
    first, second = (_mean_score(metric, predictions, targets) for predictions in (challenger, champion))
    everything = np.ones((1, rows.shape[1]))
    new, old = (float(score(lambda _: everything)[0]) for score in (first, second))
    sign = -1.0 if metric.better == "lower" else 1.0
    drawn = np.concatenate([sign * (first(of) - second(of)) for of in _draws(rows, resamples, random_state)])
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite([new, old]).all() or not len(drawn):
        raise ValueError(f"{metric.name} is not defined on these {rows.shape[1]} test rows")
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Gain(new, old, sign * (new - old), float(low), float(high))


Weights = Callable[[int], Floats]  # repeat -> (B, n), how often each row of its test set was drawn


def _mean_score(metric: Metric, predictions: NDArray[Any], targets: NDArray[Any]) -> Callable[[Weights], Floats]:
    """The mean over repeats of the metric, as a function of the rows' weights: (B,); NaN where no repeat has it."""
    scorers = [scorer(metric, p, y) for p, y in zip(predictions, targets, strict=True)]

    def score(weights: Weights) -> Floats:
        found = np.array([of(weights(repeat)) for repeat, of in enumerate(scorers)])  # (R, B)
        defined = np.isfinite(found)
        count = defined.sum(axis=0)
        total = np.where(defined, found, 0.0).sum(axis=0)
        mean: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean

    return score


def _draws(rows: NDArray[np.int64], resamples: int, random_state: int) -> Iterator[Weights]:
    """As many rows as there are different ones, drawn with replacement, a chunk of resamples at a time."""
    distinct, place = np.unique(rows, return_inverse=True)
    place = place.reshape(rows.shape)
    rng = np.random.default_rng(random_state)
    n = len(distinct)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        counts = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(size)]).astype(np.float64)
        yield lambda repeat, counts=counts: counts[:, place[repeat]]  # type: ignore[misc]
