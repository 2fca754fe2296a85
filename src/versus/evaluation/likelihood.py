"""Scores of a density on test rows: exact or a bound, in nats, and for images in bits per dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.evaluation.capabilities import capabilities, density, measure_suffix
from versus.evaluation.record import EvaluationError, Record
from versus.evaluation.supervised import in_batches
from versus.metrics import table
from versus.metrics.density import dequantise


def as_events(model: Any, X: Array, schema: Schema, seed: int) -> Array:
    """The events that a density is asked about: pixels spread over [x, x + 1) where it is continuous."""
    if isinstance(schema.x, Image) and schema.levels is not None and model.measure == "continuous":
        return dequantise(X, seed)
    return X


def score_density(record: Record, repeat: int, model: Any, X: Array, schema: Schema, seed: int) -> None:
    """Score the model's density on test rows X (N, *event)."""
    method = density(capabilities(model))
    name = type(model).__name__
    if method is None:
        record.skip("likelihood", f"{name} models y given x, and has no density of the data", repeat)
        return
    try:
        log_prob = in_batches(getattr(model, method), as_events(model, X, schema, seed))
    except ValueError as error:
        # a density may refuse incomplete rows; refusing whole ones is a fault
        if schema.x.complete(X).all():
            raise
        record.skip("likelihood", f"{name} takes no missing values: {error}", repeat)
        return
    if log_prob.shape != (len(X),) or np.isnan(log_prob).any():
        raise EvaluationError(f"repeat {repeat}: {method} gives shape {log_prob.shape} or NaN")
    suffix = measure_suffix(model)
    for metric in table.needing("log_prob" if method == "log_prob" else "elbo"):
        record.score(repeat, metric.name + suffix, metric.function, log_prob)
    if not isinstance(schema.x, Image):
        return
    for metric in table.needing("pixels_log_prob" if method == "log_prob" else "pixels_elbo"):
        record.score(repeat, metric.name + suffix, metric.function, log_prob, schema.n_features)
