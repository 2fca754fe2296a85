"""Scores of weighted rows: a bootstrap gives each row the number of times that it was drawn.

Most metrics are functions of means over rows, so that thousands of resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.metrics.table import Metric
from versus.metrics.undefined import UndefinedMetricError
from versus.report.row_values import row_values

Floats = NDArray[np.float64]
Scorer = Callable[[Floats], Floats]  # (B, n) whole weights, the same for all metrics -> (B,) scores


def scorer(metric: Metric, predictions: NDArray[Any], targets: NDArray[Any]) -> Scorer:
    """The metric of one model on one test set, as a function of the rows' weights.

    Args:
        metric: one that needs predictions and targets.
        predictions: (n, K) probabilities, or (n,) values.
        targets: (n,) class codes, or values.

    Returns:
        Weights -> scores, NaN where the metric is not defined on the rows that have weight.
    """
    answers = predictions.astype(np.float64)
    found = row_values(metric.name, answers[None], targets[None])
    if found is not None:
        values, statistic = found[0][0], found[1]
        return lambda weights: _defined(weights, lambda: statistic(weights @ values / weights.sum(axis=1)[:, None]))
    if metric.name == "roc_auc":
        classes = [1] if answers.shape[1] == 2 else range(answers.shape[1])
        areas = [_area(answers[:, k], targets == k) for k in classes]
        return lambda weights: _defined(weights, lambda: np.mean([area(weights) for area in areas], axis=0))
    return lambda weights: np.array([_drawn(metric, answers, targets, w) for w in weights])


def _defined(weights: Floats, compute: Callable[[], Floats]) -> Floats:
    """The scores, NaN where they have no value or no row has weight."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = compute()
    return np.where(np.isfinite(scores) & (weights.sum(axis=1) > 0), scores, np.nan)


def _area(scores: Floats, positive: NDArray[np.bool_]) -> Scorer:
    """The area under the ROC curve: the probability that a positive row scores above a negative one, ties half."""
    order = np.argsort(scores, kind="stable")
    ties = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))  # where each group of equal scores starts

    def area(weights: Floats) -> Floats:
        drawn = weights[:, order]
        above = np.add.reduceat(drawn * positive[order], ties, axis=1)
        below = np.add.reduceat(drawn * ~positive[order], ties, axis=1)
        wins = above * (np.cumsum(below, axis=1) - below / 2)
        found: Floats = wins.sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1))
        return found

    return area


def _drawn(metric: Metric, predictions: Floats, targets: NDArray[Any], weights: Floats) -> float:
    """Any other metric: each row stands as often as it was drawn."""
    rows = np.repeat(np.arange(len(targets)), weights.astype(np.int64))
    if not len(rows):
        return float("nan")
    try:
        return float(metric.function(targets[rows], predictions[rows]))
    except UndefinedMetricError:
        return float("nan")
