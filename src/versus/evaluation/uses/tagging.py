"""Give each token of a sentence its tag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.targets import Tags
from versus.evaluation.answers import Answers, EvaluationError, HeldOut

WHAT = "tags"


def concerns(schema: Schema) -> bool:
    """Check that the target is one tag per token."""
    return isinstance(schema.y, Tags)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no tags, as a language model; None if it has."""
    return None if hasattr(model, "predict") else f"{type(model).__name__} models the tokens alone, and gives no tags"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield tags (total,) of sentences, and their probabilities (total, K) if the model gives them."""
    X, y = held_out.X, held_out.y
    predicted = _aligned("predict", model.predict(X), y, held_out.repeat)
    if not hasattr(model, "predict_marginals"):
        yield Answers("tagging", (y, predicted, None))
        return
    marginals = _aligned("predict_marginals", model.predict_marginals(X), y, held_out.repeat)
    shape = (len(y.values), held_out.schema.n_classes)
    sums_to_1 = marginals.values.shape == shape and np.allclose(marginals.values.sum(axis=1), 1, atol=1e-3)
    if not sums_to_1 or (marginals.values < 0).any():
        raise EvaluationError(
            f"repeat {held_out.repeat}: predict_marginals gives shape {marginals.values.shape}, or rows that are "
            f"negative or do not sum to 1; probabilities of shape {shape} are expected"
        )
    yield Answers("tagging", (y, predicted, marginals))


def _aligned(method: str, found: Ragged, y: Ragged, repeat: int) -> Ragged:
    if not np.array_equal(found.starts, y.starts) or len(found.values) != len(y.values):
        raise EvaluationError(f"repeat {repeat}: {method} gives sentences of other lengths than those asked about")
    return found
