"""Scores of what a model says about y: classes with probabilities, or values with intervals and densities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.evaluation.record import EvaluationError, Record
from versus.metrics import table
from versus.metrics.regression import COVERAGE

# Enough to keep matrix products busy, few enough that a network's activations stay small.
BATCH_ROWS = 2048


def in_batches(function: Callable[[Array], Array], X: Array) -> Array:
    """``function`` over batches of rows, joined: (N, *event) -> (N, …)."""
    return np.concatenate([function(X[i : i + BATCH_ROWS]) for i in range(0, max(len(X), 1), BATCH_ROWS)])


def score_classifier(record: Record, repeat: int, model: Any, X: Array, y: Array, schema: Schema) -> Array:
    """Score class probabilities on test rows X (N, *event), y (N,); returns them, (N, K) float64."""
    probabilities = in_batches(model.predict_proba, X).astype(np.float64)
    _expect_probabilities(probabilities, (len(y), schema.n_classes), repeat)
    for metric in table.needing("probabilities"):
        record.score(repeat, metric.name, metric.function, y, probabilities)
    return probabilities


def _expect_probabilities(probabilities: Array, shape: tuple[int, int], repeat: int) -> None:
    if probabilities.shape != shape:
        raise EvaluationError(f"repeat {repeat}: predict_proba gives shape {probabilities.shape}; {shape} is due")
    wrong = ~np.isfinite(probabilities).all(axis=1) | (np.abs(probabilities.sum(axis=1) - 1) > 1e-3)
    if wrong.any() or (probabilities < 0).any():
        row = int(np.flatnonzero(wrong | (probabilities < 0).any(axis=1))[0])
        raise EvaluationError(
            f"repeat {repeat}: predict_proba gives {probabilities[row].tolist()} for test row {row}; "
            "probabilities are finite, at least 0 and sum to 1"
        )


def score_regressor(record: Record, repeat: int, model: Any, X: Array, y: Array) -> Array:
    """Score predicted values on test rows X (N, *event), y (N,); returns them, (N,) float64."""
    predicted = in_batches(model.predict, X).astype(np.float64)
    if predicted.shape != y.shape or not np.isfinite(predicted).all():
        raise EvaluationError(f"repeat {repeat}: predict gives shape {predicted.shape} or a value that is not finite")
    for metric in table.needing("values"):
        record.score(repeat, metric.name, metric.function, y, predicted)
    if hasattr(model, "predict_interval"):
        intervals = in_batches(lambda rows: model.predict_interval(rows, COVERAGE), X)
        for metric in table.needing("intervals"):
            record.score(repeat, metric.name, metric.function, y, intervals)
    else:
        record.skip("interval coverage", f"{type(model).__name__} predicts values, no intervals", repeat)
    if hasattr(model, "log_prob_target"):
        log_prob = model.log_prob_target(X, y)
        for metric in table.needing("target_log_prob"):
            record.score(repeat, metric.name, metric.function, log_prob)
    else:
        record.skip("log-likelihood of the target", f"{type(model).__name__} has no density of y given x", repeat)
    return predicted
