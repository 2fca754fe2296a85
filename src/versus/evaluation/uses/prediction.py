"""Predict a class with its probabilities, or a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.targets import Classes, Number, Target
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches

WHAT = "predictions"


def concerns(schema: Schema) -> bool:
    """Check that there is one target per row."""
    return isinstance(schema.y, Classes | Number)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model predicts nothing, as a model of x alone; None if it predicts."""
    if hasattr(model, _method(schema.y)):
        return None
    return f"{type(model).__name__} models the data alone, and predicts no target"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield probabilities (n, K), or values (n,), float64."""
    target = held_out.schema.y
    predicted = in_batches(getattr(model, _method(target)), held_out.X).astype(np.float64)
    if isinstance(target, Classes):
        _expect_probabilities(predicted, (len(held_out.y), held_out.schema.n_classes), held_out.repeat)
    elif predicted.shape != held_out.y.shape or not np.isfinite(predicted).all():
        raise EvaluationError(
            f"repeat {held_out.repeat}: predict gives shape {predicted.shape} or a value that is not finite"
        )
    yield Answers(target.task, (held_out.y, predicted))


def _method(target: Target) -> str:
    """Name of the method that predicts a target; classes of two domains are classes, too."""
    return "predict_proba" if isinstance(target, Classes) else "predict"


def _expect_probabilities(probabilities: Array, shape: tuple[int, int], repeat: int) -> None:
    if probabilities.shape != shape:
        raise EvaluationError(f"repeat {repeat}: predict_proba gives shape {probabilities.shape}; {shape} is expected")
    wrong = ~np.isfinite(probabilities).all(axis=1) | (np.abs(probabilities.sum(axis=1) - 1) > 1e-3)
    if wrong.any() or (probabilities < 0).any():
        row = int(np.flatnonzero(wrong | (probabilities < 0).any(axis=1))[0])
        raise EvaluationError(
            f"repeat {repeat}: predict_proba gives {probabilities[row].tolist()} for test row {row}; "
            "probabilities are finite, at least 0 and sum to 1"
        )
