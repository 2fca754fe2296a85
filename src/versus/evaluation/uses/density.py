"""Give the log-density of an event: exact or a bound, in nats, and for images in bits per dimension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.evaluation.answers import (
    DENSITIES,
    Answers,
    EvaluationError,
    HeldOut,
    capabilities,
    density,
    in_batches,
    measure_suffix,
)
from versus.metrics.density import dequantise, drawn_bits
from versus.metrics.metric import UndefinedMetricError

WHAT = "likelihood"
IMPORTANCE_CODES = 50  # of an event, for the bound that grows with their number
_CHECKED = 64  # images that show what a density was fitted to
_ROUNDED = 0.05  # nats a pixel: what a slope on the way across the cell may look like a peak


def concerns(schema: Schema) -> bool:
    """Return True: all events have a density."""
    return True


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no density, as a discriminative one or a pure sampler; None if it has."""
    has = capabilities(model)
    if density(has) is not None:
        return None
    what = (
        "draws data, and has no density of them" if "sample" in has else f"{model.no_density}, and has no density of x"
    )
    return f"{type(model).__name__} {what}"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield log-densities (n,) or their bounds, nats; for images also with D."""
    X, schema, method = held_out.X, held_out.schema, str(density(capabilities(model)))
    asked = as_asked(model, X, schema, seed)
    try:
        log_prob = in_batches(getattr(model, method), asked)
    except ValueError as error:
        # a density may reject incomplete rows; rejecting complete ones is a fault
        if schema.x.complete(X).all():
            raise
        raise UndefinedMetricError(f"{type(model).__name__} takes no missing values: {error}") from error
    if log_prob.shape != (len(X),) or np.isnan(log_prob).any():
        raise EvaluationError(f"repeat {held_out.repeat}: {method} gives shape {log_prob.shape} or NaN")
    wrong = unspread(model, X, schema, seed)
    if wrong:
        raise UndefinedMetricError(wrong)
    use, suffix = DENSITIES[method], measure_suffix(model)
    yield Answers(use, (log_prob,), suffix)
    if isinstance(schema.x, Image) and method in ("log_prob", "elbo"):
        yield Answers(f"pixel_{use}", (log_prob, schema.n_features), suffix)
    if hasattr(model, "importance_log_prob"):
        bound = in_batches(lambda rows: model.importance_log_prob(rows, IMPORTANCE_CODES), asked)
        yield Answers("importance_bound", (bound,), suffix)
    if hasattr(model, "ode_log_prob"):  # an estimate beside the bound, in a column of its own
        whole = schema.x.complete(X)
        if not whole.all():
            raise UndefinedMetricError(f"the flow goes through complete rows, and {(~whole).sum()} have missing values")
        yield Answers("ode_density", (in_batches(model.ode_log_prob, asked),), suffix)


def unspread(model: Any, X: Any, schema: Schema, seed: int) -> str | None:
    """Give the reason if a continuous density of pixels was fitted to whole numbers; None for one of spread pixels.

    A density of x + u, u uniform on [0, 1), has no peak at x, which is the border of a cell, and none in the middle
    that is higher than a normal's as wide as the cell: log p there exceeds its mean over the cell by half a nat.
    """
    if not _of_spread_pixels(model, schema):
        return None
    pixels, log_p = np.asarray(X[:_CHECKED], np.float64), getattr(model, str(density(capabilities(model))))
    u = np.random.default_rng(seed).random(pixels.shape)
    spread = (log_p(pixels + u) + log_p(pixels + 1 - u)) / 2  # slopes cancel
    peak, bend = np.mean(log_p(pixels) - spread), abs(np.mean(log_p(pixels + 0.5) - spread))
    if peak <= _ROUNDED * schema.n_features and bend <= 0.6 * schema.n_features:
        return None
    return (
        f"{type(model).__name__} says that it is continuous, and was fitted to whole pixels: log p differs by "
        f"{max(peak, bend):.3g} nats within the cell [x, x + 1); fit it to "
        "versus.models.events.dequantised_rows(X, schema, rng), or give it another measure"
    )


def _of_spread_pixels(model: Any, schema: Schema) -> bool:
    return isinstance(schema.x, Image) and schema.levels is not None and model.measure == "continuous"


def as_asked(model: Any, X: Any, schema: Schema, seed: int) -> Any:
    """Return the events for a density: pixels spread over [x, x + 1) if it is continuous, drawn bits if it is of them.

    They are the same for all models.
    """
    if _of_spread_pixels(model, schema):
        return dequantise(X, seed)
    drawn = schema.levels is not None and model.measure == "dynamically_binarised"
    return drawn_bits(X, schema.levels or 2, seed) if drawn else X
