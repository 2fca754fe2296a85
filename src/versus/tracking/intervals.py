"""The interval of a mean score, as the report gives it, from the scores alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from versus.metrics.table import METRICS
from versus.statistics.corrected_resampled import corrected_mean
from versus.statistics.proportion import wilson_interval


def interval(
    metric: str, repeats: NDArray[np.float64], n_train: int, test_rows: NDArray[np.int64], confidence: float = 0.95
) -> tuple[float, float] | None:
    """An interval within the metric's range.

    Args:
        metric: name.
        repeats: (J,) its value for each repeat.
        n_train: rows that the models were fitted on.
        test_rows: (J, n_test) the rows of each repeat's test set.
        confidence: of the interval.

    Returns:
        The ends; None where the scores alone do not tell: one test set for all repeats (the report draws its rows
        again), except for the accuracy of one fit, which is a proportion.
    """
    n_test = int(test_rows.shape[1])
    if (test_rows == test_rows[0]).all():
        if len(repeats) == 1 and metric == "accuracy_score":
            return wilson_interval(round(float(repeats[0]) * n_test), n_test, confidence)
        return None
    if len(repeats) < 2 or not np.isfinite(repeats).all() or n_train < 1:
        return None
    resolution = 1 / n_test if metric == "accuracy_score" else 0.0
    low, high = corrected_mean(repeats, n_train, n_test, resolution).interval(confidence)
    least, most = next(((m.low, m.high) for m in METRICS if m.name == metric), (-np.inf, np.inf))
    return max(low, least), min(high, most)
