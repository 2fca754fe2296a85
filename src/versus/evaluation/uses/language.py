"""Predict the next token of a text, and go on with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Nothing
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches

WHAT = "next token"
TEMPERATURES = (0.5, 0.8, 1.0)
_SHOWN = {True: (40, 200), False: (10, 50)}  # characters, or words, of the prompt and of what follows


def concerns(schema: Schema) -> bool:
    """Check that the data are a text without labels."""
    return isinstance(schema.x, Tokens) and isinstance(schema.y, Nothing)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no exact probability of a text, as one with a bound; None if it has."""
    return None if hasattr(model, "log_prob") else f"{type(model).__name__} has no exact probability of a text"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield log-probabilities (n,), nats, with the numbers of tokens (n,)."""
    log_prob, lengths = in_batches(model.log_prob, held_out.X), held_out.X.lengths
    if log_prob.shape != lengths.shape or np.isnan(log_prob).any():
        raise EvaluationError(f"repeat {held_out.repeat}: log_prob gives shape {log_prob.shape} or NaN")
    yield Answers("language", (log_prob, lengths))
    yield Answers("characters" if _space(held_out).of_characters else "words", (log_prob, lengths))


def continuations(model: Any, held_out: HeldOut, seed: int) -> list[dict[str, Any]]:
    """Continue the beginning of the first test row at some temperatures; empty if the model continues nothing."""
    if not hasattr(model, "continue_") or not concerns(held_out.schema):
        return []
    space = _space(held_out)
    begun, more = _SHOWN[space.of_characters]
    prompt = held_out.X[0][:begun]
    drawn = ((t, model.continue_(prompt, more, temperature=t, random_state=seed)) for t in TEMPERATURES)
    return [{"prompt": space.text(prompt), "temperature": t, "text": space.text(tokens)} for t, tokens in drawn]


def _space(held_out: HeldOut) -> Tokens:
    assert isinstance(held_out.schema.x, Tokens)
    return held_out.schema.x
