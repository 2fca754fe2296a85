"""Give each token of a sentence its tag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags
from versus.evaluation.answers import Answers, EvaluationError, HeldOut
from versus.metrics.tagging import are_spans

WHAT = "tags"


def concerns(schema: Schema) -> bool:
    """Check that the target is one tag per token."""
    return isinstance(schema.y, Tags)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no tags, as a language model; None if it has."""
    return None if hasattr(model, "predict") else f"{type(model).__name__} models the tokens alone, and gives no tags"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield tags (total,) of sentences, their probabilities (total, K) if the model gives them, and log p(y|x)."""
    X, y, names = held_out.X, held_out.y, held_out.schema.classes
    predicted = _aligned("predict", model.predict(X), y, held_out.repeat)
    yield Answers("tagging", (y, predicted, _marginals(model, held_out)))
    if isinstance(held_out.schema.x, Tokens):
        known = held_out.data.take(held_out.repeat, "train", "validation")[0]
        yield Answers("unknown_tokens", (y, predicted, ~np.isin(X.values, known.values)))
    if are_spans(names):
        yield Answers("spans", (y, predicted, names))
    if hasattr(model, "log_prob_target"):
        yield Answers("tag_sequence", (model.log_prob_target(X, y), y))


def _marginals(model: Any, held_out: HeldOut) -> Ragged | None:
    """Probabilities of the tags of each token, None where the model gives none; EvaluationError where they are not."""
    if not hasattr(model, "predict_marginals"):
        return None
    y = held_out.y
    marginals = _aligned("predict_marginals", model.predict_marginals(held_out.X), y, held_out.repeat)
    shape = (len(y.values), held_out.schema.n_classes)
    sums_to_1 = marginals.values.shape == shape and np.allclose(marginals.values.sum(axis=1), 1, atol=1e-3)
    if not sums_to_1 or (marginals.values < 0).any():
        raise EvaluationError(
            f"repeat {held_out.repeat}: predict_marginals gives shape {marginals.values.shape}, or rows that are "
            f"negative or do not sum to 1; probabilities of shape {shape} are expected"
        )
    return marginals


def _aligned(method: str, found: Ragged, y: Ragged, repeat: int) -> Ragged:
    if not np.array_equal(found.starts, y.starts) or len(found.values) != len(y.values):
        raise EvaluationError(f"repeat {repeat}: {method} gives sentences of other lengths than those asked about")
    return found
