"""Build the tree over a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.targets import Trees
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches

WHAT = "trees"


def concerns(schema: Schema) -> bool:
    """Check that the target is a tree over the tokens."""
    return isinstance(schema.y, Trees)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no trees, as a language model; None if it has."""
    return None if hasattr(model, "parse") else f"{type(model).__name__} models the tokens alone, and builds no trees"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield trees of sentences, of those with unknown words alone, and where there are any log p(x) and log p(y|x)."""
    X, y, target = held_out.X, held_out.y, held_out.schema.y
    assert isinstance(target, Trees)
    parsed = model.parse(X)
    try:
        target.check(X, parsed)
    except ValueError as error:
        raise EvaluationError(f"repeat {held_out.repeat}: parse gives no trees over the sentences: {error}") from None
    yield Answers("parsing", (y, parsed, target.names))
    yield Answers("unknown_sentences", (y, parsed, target.names, _with_unknown(held_out)))
    if hasattr(model, "log_prob"):
        yield Answers("sentences", (in_batches(model.log_prob, X), X.lengths))
    if hasattr(model, "log_prob_target"):
        yield Answers("tree_density", (model.log_prob_target(X, y), X.lengths))


def _with_unknown(held_out: HeldOut) -> Any:
    """Sentences (n,) with a word that no row to learn from has."""
    X: Ragged = held_out.X
    known = held_out.data.take(held_out.repeat, "train", "validation")[0]
    unknown = ~np.isin(X.values, known.values)
    rows = np.repeat(np.arange(len(X)), X.lengths)
    return np.bincount(rows, unknown, minlength=len(X)) > 0
