"""Give the log-density of an event: exact or a bound, in nats, and for images in bits per dimension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.evaluation.answers import (
    Answers,
    EvaluationError,
    HeldOut,
    capabilities,
    density,
    in_batches,
    measure_suffix,
)
from versus.metrics.density import dequantise
from versus.metrics.metric import UndefinedMetricError

WHAT = "likelihood"


def concerns(schema: Schema) -> bool:
    """Return True: all events have a density."""
    return True


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no density, as a discriminative one or a pure sampler; None if it has."""
    has = capabilities(model)
    if density(has) is not None:
        return None
    what = "draws data, and has no density of them" if "sample" in has else "models y given x, and no density of x"
    return f"{type(model).__name__} {what}"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield log-densities (n,) or their bounds, nats; for images also with D."""
    X, schema, method = held_out.X, held_out.schema, str(density(capabilities(model)))
    try:
        log_prob = in_batches(getattr(model, method), as_asked(model, X, schema, seed))
    except ValueError as error:
        # a density may reject incomplete rows; rejecting complete ones is a fault
        if schema.x.complete(X).all():
            raise
        raise UndefinedMetricError(f"{type(model).__name__} takes no missing values: {error}") from error
    if log_prob.shape != (len(X),) or np.isnan(log_prob).any():
        raise EvaluationError(f"repeat {held_out.repeat}: {method} gives shape {log_prob.shape} or NaN")
    use, suffix = "density" if method == "log_prob" else "bound", measure_suffix(model)
    yield Answers(use, (log_prob,), suffix)
    if isinstance(schema.x, Image):
        yield Answers(f"pixel_{use}", (log_prob, schema.n_features), suffix)


def as_asked(model: Any, X: Any, schema: Schema, seed: int) -> Any:
    """Return the events for a density: pixels spread over [x, x + 1) if it is continuous."""
    if isinstance(schema.x, Image) and schema.levels is not None and model.measure == "continuous":
        return dequantise(X, seed)
    return X
