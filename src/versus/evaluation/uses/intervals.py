"""Predict an interval for a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from versus.data.schema import Schema
from versus.data.targets import Number
from versus.evaluation.answers import Answers, HeldOut, in_batches
from versus.metrics.regression import COVERAGE

WHAT = "prediction intervals"


def concerns(schema: Schema) -> bool:
    """Check that the target is a number."""
    return isinstance(schema.y, Number)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no intervals, as many regressors; None if it has."""
    return None if hasattr(model, "predict_interval") else f"{type(model).__name__} predicts values, no intervals"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield intervals (n, 2) of nominal coverage 90 %."""
    yield Answers(
        "intervals", (held_out.y, in_batches(lambda rows: model.predict_interval(rows, COVERAGE), held_out.X))
    )
