"""Find the topics of documents: complete a document from half of its words, name topics by words that go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags, Trees
from versus.evaluation.answers import Answers, EvaluationError, HeldOut

WHAT = "topics"


def concerns(schema: Schema) -> bool:
    """Check that the data are documents or windows of words."""
    return isinstance(schema.x, Tokens) and not isinstance(schema.y, Tags | Trees) and not schema.x.of_characters


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no topics, as most; None if it has."""
    return None if hasattr(model, "topics") else f"{type(model).__name__} has no topics"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield log-probabilities (n,) of every second token given the others, nats; and the topics' words (K, m).

    Raises:
        EvaluationError: if a log-probability is NaN.
    """
    X = held_out.X
    if hasattr(model, "complete"):
        at = np.arange(len(X.values)) - np.repeat(X.starts[:-1], X.lengths)
        observed, rest = (Ragged.cut(X.values[at % 2 == k], (X.lengths + 1 - k) // 2) for k in (0, 1))
        log_prob = model.complete(observed, rest)
        if log_prob.shape != (len(X),) or np.isnan(log_prob).any():
            raise EvaluationError(f"repeat {held_out.repeat}: complete gives shape {log_prob.shape} or NaN")
        yield Answers("completion", (log_prob, rest.lengths))
    codes = {word: code for code, word in enumerate(held_out.schema.x.vocabulary)}  # type: ignore[union-attr]
    words = np.array([[codes[word] for word in topic["words"]] for topic in model.topics()])
    yield Answers("topic_words", (words, X))
