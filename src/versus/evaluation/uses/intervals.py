"""Say in which interval a value lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from versus.data.schema import Schema
from versus.data.targets import Number
from versus.evaluation.answers import Answers, HeldOut, in_batches
from versus.metrics.regression import COVERAGE

WHAT = "prediction intervals"


def concerns(schema: Schema) -> bool:
    """Whether the target is a number."""
    return isinstance(schema.y, Number)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Many regressors give one value."""
    return None if hasattr(model, "predict_interval") else f"{type(model).__name__} predicts values, no intervals"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Intervals (n, 2) that claim to hold 90 % of the targets."""
    yield Answers(
        "intervals", (held_out.y, in_batches(lambda rows: model.predict_interval(rows, COVERAGE), held_out.X))
    )
