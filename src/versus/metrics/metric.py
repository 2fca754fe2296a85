r"""Metric: contributions of each row, a statistic of their mean, and all other facts about the score.

.. math:: \text{score} = s\Bigl(\frac1n \sum_i r(\text{answers}_i)\Bigr)

A bootstrap resamples the rows (images, documents, sentences). A score that is not a function of row means is a function
of their weights, such as an area under a curve, or a ``value`` of all answers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from versus.arrays import Array
from versus.statistics.bootstrap import Scorer, scorer_of_rows, scorer_of_value

INF = float("inf")
MOST_CONTRIBUTIONS = 4096  # of a row, whose linearisation takes time and memory with their square


class UndefinedMetricError(ValueError):
    """Error for a metric without a value on these answers; the message gives the reason in plain words."""


def mean(means: Array) -> Array:
    """Return the single mean, (..., 1) -> (...)."""
    return means[..., 0]


def share(means: Array) -> Array:
    """Return the single mean, of rows that are 0 or 1: the score is a proportion of the rows."""
    return means[..., 0]


def means_of(rows: Array, weights: Array | None) -> Array:
    """Mean of rows (n, M), weighted by (n,) where given, -> (M,)."""
    found: Array = rows.mean(axis=0) if weights is None else np.average(rows, axis=0, weights=weights)
    return found


def spread_by(scores: Array, weights: Array | None) -> Array:
    """Scores (n,) whose plain mean is the weighted mean of the given ones."""
    if weights is None:
        return scores
    centre = np.average(scores, weights=weights)
    return np.asarray(centre + weights / weights.mean() * (scores - centre))


@dataclass(frozen=True)
class Metric:
    """Metric with its name, label, direction, range and place in the report; the only owner of these facts.

    Args:
        name: name in scores.csv; a density score gets the suffix of its measure unless that is "continuous".
        label: name for readers.
        use: kind of answers that it scores: the task ("classification", "regression", "tagging"), or "intervals",
            "target_density", "parsing", "unknown_sentences", "tree_density", "sentences", "language", "characters",
            "words", "tag_sequence", "unknown_tokens", "spans", "density", "bound", "pixel_density", "pixel_bound",
            "ais_density", "ais_bound", "ode_density", "pseudo_density", "samples", "copies", "columns",
            "image_samples", "completion", "topic_words" or "transfer".
        unit: unit of the score; "of the target" if it depends on the target's.
        better: "higher", "lower", or the best value.
        low, high: the range of the score.
        reference: source of its definition.
        shown: table of the report that contains it: "headline", "scores", "density", "bound", "ledger", "shifts",
            "codes", "samples" or "images"; None for comparison.csv and MLflow alone.
        rows: answers -> (n, M), contributions of each row; None if the score is not a function of row means.
        statistic: means over rows (..., M) -> (...).
        weighted: answers -> the score as a function of the rows' weights, if ``rows`` is None and there is one.
        value: answers -> score, if neither is given.
    """

    name: str
    label: str
    use: str
    unit: str
    better: Literal["higher", "lower"] | float
    low: float
    high: float
    reference: str
    shown: str | None = None
    rows: Callable[..., Array] | None = None
    statistic: Callable[[Array], Array] = mean
    weighted: Callable[..., Scorer] | None = None
    value: Callable[..., float] | None = None

    def score(self, *answers: Any, weights: Array | None = None) -> float:
        """Compute the score of all rows, with weights (n,) where given; a ``value`` takes none.

        Raises:
            UndefinedMetricError: if it has no value.
        """
        if self.value is not None:
            return float(self.value(*answers))
        if self.weighted is not None:
            counts = np.ones(len(answers[0])) if weights is None else weights
            return float(self.weighted(*answers).of(counts[None])[0])
        assert self.rows is not None
        return self.of_rows(self.rows(*answers), weights)

    def of_rows(self, rows: Array, weights: Array | None = None) -> float:
        """Compute the score from the contributions of the rows (n, M), with weights (n,) where given.

        Raises:
            UndefinedMetricError: if it has no value.
        """
        found = float(self.statistic(means_of(rows, weights)))
        if np.isnan(found) and np.isfinite(rows).all():
            raise UndefinedMetricError(f"{self.label} has no value on these test rows: it divides by zero")
        return found

    def row_scores(self, rows: Array, weights: Array | None = None) -> Array | None:
        """Attribute the score to the rows: contributions (n, M) -> (n,), whose mean is the score.

        With weights, a row's distance from the score is multiplied by its weight, in units of the mean weight: a
        weighted mean is a ratio of two means, and this is its linearisation (Cochran, *Sampling Techniques*, 1977).

        A mean needs nothing; any other statistic is linearised at the mean of the rows, by central differences (the
        infinitesimal jackknife: Efron & Tibshirani 1993, chapter 22). None where it has no value there, or there are so
        many contributions, as of a thousand classes, that rows hardly share any.
        """
        if self.statistic in (mean, share):
            return spread_by(rows[:, 0].astype(np.float64), weights)
        if rows.shape[1] > MOST_CONTRIBUTIONS:
            return None
        centre = means_of(rows, weights)
        steps = np.diag(1e-5 * np.maximum(np.abs(centre), 1e-3))
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (self.statistic(centre + steps) - self.statistic(centre - steps)) / (2 * steps.diagonal())
            found = self.statistic(centre) + (rows - centre) @ slope
        return spread_by(found, weights) if np.isfinite(found).all() else None

    def scorer(self, *answers: Any) -> Scorer:
        """Return the score as a function of row counts: (B, n) -> (B,), NaN where it has no value."""
        try:
            if self.rows is not None:
                return scorer_of_rows(self.rows(*answers), self.statistic)
            if self.weighted is not None:
                return self.weighted(*answers)
        except UndefinedMetricError:
            return Scorer(lambda weights: np.full(len(weights), np.nan))
        return scorer_of_value(self._value_or_nan, *answers)

    def _value_or_nan(self, *answers: Any) -> float:
        try:
            return self.score(*answers)
        except UndefinedMetricError:
            return float("nan")

    @property
    def lower_is_better(self) -> bool:
        """True if smaller values are better."""
        return self.better == "lower"

    @property
    def has_direction(self) -> bool:
        """True if higher or lower values are always better, so that the score can decide which model is best."""
        return isinstance(self.better, str)

    @property
    def is_share(self) -> bool:
        """True if the score lies within 0 … 1 and is shown as a percentage."""
        return (self.low, self.high) == (0, 1)

    @property
    def is_proportion(self) -> bool:
        """True if the score is a share of the rows, so that it changes in steps of 1 / n."""
        return self.statistic is share

    @property
    def in_unit_of_target(self) -> bool:
        """True if a difference has a meaning only relative to the scale of the target."""
        return self.unit == "of the target"

    def distance_from_best(self, value: float) -> float:
        """Return a sort key that puts the best first: the highest, the lowest, or the nearest to a value."""
        if isinstance(self.better, str):
            return value if self.lower_is_better else -value
        return abs(value - self.better)

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Cut an interval to the range of the score."""
        return max(low, self.low), min(high, self.high)
