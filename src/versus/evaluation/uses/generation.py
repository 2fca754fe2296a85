"""Draw new events that are indistinguishable from real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.data.targets import Classes, Number, Tags
from versus.evaluation.answers import Answers, HeldOut, samples_by_class
from versus.evaluation.extractor import Extractor
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import MOST_ROWS
from versus.models.events import draw

WHAT = "samples"
SHOWN_IMAGES, SHOWN_ROWS = 100, 500
MOST_IMAGES = 5_000  # test images that as many drawn ones are scored against
MOST_LEARNED = 20_000  # rows to learn from among which copies are looked for
_UNLABELLED = -1


def concerns(schema: Schema) -> bool:
    """Return True: every data set has events to draw."""
    return True


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model draws nothing, as a discriminative one; None if it can."""
    return None if hasattr(model, "sample") else f"{type(model).__name__} {model.no_density}, and draws no data"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield real and generated events, of the same classes if the model knows classes, and what it may have copied."""
    schema, is_image = held_out.schema, isinstance(held_out.schema.x, Image)
    most = MOST_IMAGES if is_image else MOST_ROWS
    X, y, weights = held_out.some(np.random.default_rng(seed), "test", most=most)
    by_class = isinstance(schema.y, Classes) and samples_by_class(model)
    generated = draw(model, len(X), y if by_class else None, schema, seed)
    yield Answers("samples", (X, generated, schema, seed, weights))
    learned, as_many = (
        held_out.some(np.random.default_rng(start), "train", "validation", most=most)[0]
        for start, most in ((seed, MOST_LEARNED), (seed + 1, len(X)))
    )
    few = np.sort(np.random.default_rng(seed).permutation(len(X))[:MOST_ROWS])
    yield Answers("copies", (learned, X[few], generated[few], schema, None if weights is None else weights[few]))
    if isinstance(schema.x, Table):
        yield Answers("columns", (X, generated, schema), floor=(X, as_many, schema))
    elif is_image and held_out.extractor is not None:
        yield _image_scores(held_out.extractor, X, generated, as_many)


def _image_scores(extractor: Extractor, real: Array, generated: Array, as_many: Array) -> Answers:
    """Return real and generated images in the features of the extractor, and rows to learn from as the floor.

    Raises:
        UndefinedMetricError: if the data set has no extractor.
    """
    if not extractor.exists:
        raise UndefinedMetricError("images without classes have no extractor of features to be scored in")
    seen, drawn, floor = (extractor.seen(images) for images in (real, generated, as_many))
    return Answers("image_samples", (seen, drawn), extractor.suffix, (seen, floor))


def shown_samples(model: Any, schema: Schema, seed: int) -> tuple[Any, Any]:
    """Draw events to show, with their labels: classes in turn, -1 if the model knows no classes.

    For regression and tagging the labels are the model's own predictions for the events; a grammar draws trees.
    """
    n = SHOWN_IMAGES if isinstance(schema.x, Image) else SHOWN_ROWS
    if isinstance(schema.y, Number):
        drawn = draw(model, n, None, schema, seed)
        return drawn, np.asarray(model.predict(drawn), dtype=np.float64)
    if hasattr(model, "sample_trees"):
        sentences, trees = model.sample_trees(n, random_state=seed)
        return sentences, trees
    if isinstance(schema.y, Tags):
        drawn = draw(model, n, None, schema, seed)
        return drawn, model.predict(drawn)
    if samples_by_class(model):
        labels = np.arange(n, dtype=np.int64) % schema.n_classes
        return draw(model, n, labels, schema, seed), labels
    return draw(model, n, None, schema, seed), np.full(n, _UNLABELLED, dtype=np.int64)
