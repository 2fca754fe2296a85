"""Scores as means over test rows, so that the rows can be drawn again: what the bootstrap of a fixed test set needs.

Each entry turns predictions and targets into M numbers a row; a statistic of their means over rows is the score.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # (…, M) means over rows -> (…) scores


def row_values(metric: str, predictions: NDArray[Any], targets: NDArray[Any]) -> tuple[Floats, Statistic] | None:
    """Per-row numbers and the statistic that makes ``metric`` of their means; None where the metric is no such thing.

    Args:
        metric: the score's name.
        predictions: (R, n, K) probabilities, or (R, n) predicted values.
        targets: (R, n) class codes or values.
    """
    if predictions.ndim == 2:
        return _of_values(metric, predictions.astype(np.float64), targets)
    probabilities = predictions.astype(np.float64)
    chosen = probabilities.argmax(axis=2)
    if metric == "accuracy_score":
        return (chosen == targets)[..., None].astype(np.float64), _first
    if metric in _COUNTED:
        return _class_counts(chosen, targets, probabilities.shape[2]), _COUNTED[metric]
    truth = np.eye(probabilities.shape[2])[targets]
    if metric == "log_loss":
        shares = np.clip(np.sum(probabilities * truth, axis=2), np.finfo(np.float64).eps, 1)
        return -np.log(shares)[..., None], _first
    if metric == "brier_score":
        halved = 2 if probabilities.shape[2] == 2 else 1  # as `versus.metrics` has it
        return np.sum((probabilities - truth) ** 2, axis=2)[..., None] / halved, _first
    return None


def _of_values(metric: str, predicted: Floats, targets: NDArray[Any]) -> tuple[Floats, Statistic] | None:
    error = predicted - targets
    if metric == "root_mean_squared_error":
        return (error**2)[..., None], lambda m: np.sqrt(m[..., 0])
    if metric == "mean_absolute_error":
        return np.abs(error)[..., None], _first
    if metric == "r2_score":
        return np.stack(
            [error**2, targets, targets**2], axis=-1
        ), lambda m: 1 - m[..., 0] / (m[..., 2] - m[..., 1] ** 2)
    return None


def _class_counts(chosen: NDArray[Any], targets: NDArray[Any], n_classes: int) -> Floats:
    """(R, n, 3K): for each class whether the row is a hit of it, is predicted to be in it, is in it."""
    classes = np.eye(n_classes)
    predicted, actual = classes[chosen], classes[targets]
    return np.concatenate([predicted * actual, predicted, actual], axis=2)


def _first(means: Floats) -> Floats:
    return means[..., 0]


def _split(means: Floats) -> tuple[Floats, Floats, Floats]:
    hit, predicted, actual = np.split(means, 3, axis=-1)
    return hit, predicted, actual


def _macro(part: Floats, whole: Floats, seen: NDArray[np.bool_]) -> Floats:
    """The mean over the classes that are seen of part / whole, 0 where the whole is 0."""
    ratio = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    mean: Floats = np.sum(ratio * seen, axis=-1) / np.maximum(seen.sum(axis=-1), 1)
    return mean


def _precision(means: Floats) -> Floats:
    hit, predicted, actual = _split(means)
    return _macro(hit, predicted, (predicted + actual) > 0)


def _recall(means: Floats) -> Floats:
    hit, predicted, actual = _split(means)
    return _macro(hit, actual, (predicted + actual) > 0)


def _balanced(means: Floats) -> Floats:
    hit, _, actual = _split(means)
    return _macro(hit, actual, actual > 0)


def _f1(means: Floats) -> Floats:
    hit, predicted, actual = _split(means)
    return _macro(2 * hit, predicted + actual, (predicted + actual) > 0)


_COUNTED: dict[str, Statistic] = {
    "precision_score": _precision,
    "recall_score": _recall,
    "balanced_accuracy_score": _balanced,
    "f1_score": _f1,
}
