"""Train on synthetic rows, test on real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.targets import Number, Tags, Trees
from versus.evaluation.answers import Answers, HeldOut, samples_by_class
from versus.metrics.samples import MOST_ROWS, transfer_accuracy
from versus.models.events import draw

WHAT = "train on synthetic, test on real"
ROWS_OF_A_CLASS = 5
MOST_CLASSES = MOST_ROWS // ROWS_OF_A_CLASS


def concerns(schema: Schema) -> bool:
    """Return True: the use concerns all data, and `reason_against` names what is missing."""
    return True


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model draws no events with classes; None if it does."""
    if not hasattr(model, "sample"):
        return f"{type(model).__name__} {model.no_density}, and draws no data"
    if isinstance(schema.y, Number | Tags | Trees):
        return f"the target is {schema.y.kind}, not a class"
    if schema.n_classes > MOST_CLASSES:
        return f"{schema.n_classes} classes leave fewer than {ROWS_OF_A_CLASS} of {MOST_ROWS} rows to learn each from"
    return None if samples_by_class(model) else f"{type(model).__name__} draws data without classes to learn from"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield accuracies on real test rows of a classifier trained on generated rows, and on as many real ones."""
    rng = np.random.default_rng(seed)
    test = held_out.some(rng, "test", most=MOST_ROWS)
    real = held_out.some(rng, "train", "validation", most=MOST_ROWS)
    synthetic = draw(model, len(real[1]), real[1], held_out.schema, seed + 1), real[1], real[2]
    schema = held_out.schema
    yield Answers("transfer", tuple(transfer_accuracy(rows, test, schema, seed) for rows in (synthetic, real)))
