"""Give the density of a value, p(y|x)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from versus.data.schema import Schema
from versus.data.targets import Number
from versus.evaluation.answers import Answers, HeldOut

WHAT = "log-likelihood of the target"


def concerns(schema: Schema) -> bool:
    """Check that the target is a number; classes have probabilities, which `prediction` scores."""
    return isinstance(schema.y, Number)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no p(y|x), as many regressors; None if it has."""
    return None if hasattr(model, "log_prob_target") else f"{type(model).__name__} has no density of y given x"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield log-densities (n,), nats."""
    yield Answers("target_density", (model.log_prob_target(held_out.X, held_out.y),))
