"""Draw new events that cannot be told from real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.prepared import Part
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes, Number, Tags
from versus.evaluation.answers import Answers, HeldOut
from versus.evaluation.capabilities import samples_by_class
from versus.metrics.samples import MOST_ROWS
from versus.models.events import draw

WHAT = "samples"
SHOWN_IMAGES, SHOWN_ROWS = 100, 500
_UNLABELLED = -1


def concerns(schema: Schema) -> bool:
    """Whether there are events to draw, as there always are."""
    return True


def reason_against(model: Any, schema: Schema) -> str | None:
    """A discriminative model draws nothing."""
    return None if hasattr(model, "sample") else f"{type(model).__name__} models y given x, and draws no data"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Real and generated events, of the same classes where the model knows classes."""
    X, y = some_rows(held_out, np.random.default_rng(seed), "test")
    by_class = isinstance(held_out.schema.y, Classes) and samples_by_class(model)
    generated = draw(model, len(X), y if by_class else None, held_out.schema, seed)
    yield Answers("samples", (X, generated, held_out.schema, seed))


def some_rows(held_out: HeldOut, rng: np.random.Generator, *parts: Part) -> tuple[Any, Array]:
    """Return at most as many rows as the scores of samples use, chosen evenly."""
    X, y = held_out.data.take(held_out.repeat, *parts)
    rows = np.sort(rng.permutation(len(y))[:MOST_ROWS])
    return X[rows], y[rows]


def shown_samples(model: Any, schema: Schema, seed: int) -> tuple[Any, Any]:
    """Draw events to be looked at and what they are samples of: classes in turn, -1 where the model knows none.

    For regression and tagging the second is the model's own prediction for each event.
    """
    n = SHOWN_IMAGES if isinstance(schema.x, Image) else SHOWN_ROWS
    if isinstance(schema.y, Number):
        drawn = draw(model, n, None, schema, seed)
        return drawn, np.asarray(model.predict(drawn), dtype=np.float64)
    if isinstance(schema.y, Tags):
        drawn = draw(model, n, None, schema, seed)
        return drawn, model.predict(drawn)
    if samples_by_class(model):
        labels = np.arange(n, dtype=np.int64) % schema.n_classes
        return draw(model, n, labels, schema, seed), labels
    return draw(model, n, None, schema, seed), np.full(n, _UNLABELLED, dtype=np.int64)
