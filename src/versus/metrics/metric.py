r"""A metric: what each row contributes, a statistic of the mean, and everything that is said of the number elsewhere.

.. math:: \text{score} = s\Bigl(\frac1n \sum_i r(\text{answers}_i)\Bigr)

The rows (images, documents, sentences) are what a bootstrap draws again. A score that is no function of row means, such
as an area under a curve, is a ``value`` of all answers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from versus.arrays import Array
from versus.statistics.bootstrap import Scorer, scorer_of_rows, scorer_of_value

INF = float("inf")


class UndefinedMetricError(ValueError):
    """The metric has no value on these answers; the message says why in plain words."""


def mean(means: Array) -> Array:
    """Return the only mean, (..., 1) -> (...)."""
    return means[..., 0]


def share(means: Array) -> Array:
    """Return the only mean, of rows that are 0 or 1: the score is a proportion of the rows."""
    return means[..., 0]


@dataclass(frozen=True)
class Metric:
    """One score; the rest of the tree asks here for its name, label, direction, range and place.

    Args:
        name: as in scores.csv; a density's gets the suffix of its measure where that is not "continuous".
        label: as it is read.
        use: which answers it scores: the task ("classification", "regression", "tagging"), or "intervals",
            "target_density", "density", "bound", "pixel_density", "pixel_bound", "samples", "transfer".
        unit: of the score; "of the target" where it depends on the target's.
        better: "higher", "lower", or the value to be met.
        low, high: the range of the score.
        reference: where it is defined.
        shown: the table of the report that holds it: "headline", "scores", "density", "bound" or "samples"; None for
            comparison.csv and MLflow alone.
        rows: answers -> (n, M), what each row contributes; None where the score is no function of row means.
        statistic: means over rows (..., M) -> (...).
        value: answers -> score, where there are no rows.
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
    value: Callable[..., float] | None = None

    def score(self, *answers: Any) -> float:
        """Compute the score of all rows.

        Raises:
            UndefinedMetricError: where it has no value.
        """
        if self.value is not None:
            return float(self.value(*answers))
        assert self.rows is not None
        return self.of_rows(self.rows(*answers))

    def of_rows(self, rows: Array) -> float:
        """Compute the score from what the rows contribute (n, M).

        Raises:
            UndefinedMetricError: where it has no value.
        """
        found = float(self.statistic(rows.mean(axis=0)))
        if np.isnan(found) and np.isfinite(rows).all():
            raise UndefinedMetricError(f"{self.label} has no value on these test rows: it divides by zero")
        return found

    def scorer(self, *answers: Any) -> Scorer:
        """Return the score as a function of how often each row counts: (B, n) -> (B,), NaN where it has no value."""
        if self.rows is not None:
            try:
                return scorer_of_rows(self.rows(*answers), self.statistic)
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
        """Whether a smaller value is the better one."""
        return self.better == "lower"

    @property
    def has_direction(self) -> bool:
        """Whether more or less of it is always better, so that it can decide which model is best."""
        return isinstance(self.better, str)

    @property
    def is_share(self) -> bool:
        """Whether it lies within 0 … 1, and is read as a percentage."""
        return (self.low, self.high) == (0, 1)

    @property
    def is_proportion(self) -> bool:
        """Whether it is a share of the rows, so that it moves in steps of 1 / n."""
        return self.statistic is share

    @property
    def in_unit_of_target(self) -> bool:
        """Whether a difference of 0.01 means nothing before it is set in relation to the target."""
        return self.unit == "of the target"

    def distance_from_best(self, value: float) -> float:
        """Return what to sort by so that the best comes first: the highest, the lowest, or the nearest to a value."""
        if isinstance(self.better, str):
            return value if self.lower_is_better else -value
        return abs(value - self.better)

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Cut an interval to the range of the score."""
        return max(low, self.low), min(high, self.high)
