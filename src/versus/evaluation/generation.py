"""Scores of generated events, and some of them to be looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes, Number
from versus.evaluation.capabilities import samples_by_class
from versus.evaluation.record import Record
from versus.metrics import samples, table
from versus.metrics.undefined import UndefinedMetricError
from versus.models.draws import draw

SHOWN_IMAGES, SHOWN_ROWS = 100, 500
_UNLABELLED = -1


def score_samples(record: Record, repeat: int, model: Any, data: Prepared, seed: int) -> None:
    """Two-sample test and train-on-synthetic-test-on-real for one repeat."""
    name, schema = type(model).__name__, data.schema
    if not hasattr(model, "sample"):
        record.skip("samples", f"{name} models y given x, and draws no data", repeat)
        return
    rng = np.random.default_rng(seed)
    X, y = _some(*data.take(repeat, "test"), rng)
    by_class = isinstance(schema.y, Classes) and samples_by_class(model)
    generated = draw(model, len(X), y if by_class else None, schema, seed)
    for metric in table.needing("samples"):
        record.score(repeat, metric.name, metric.function, X, generated, schema, seed)
    if isinstance(schema.y, Number):
        record.skip("train on synthetic, test on real", "the target is a number, not a class", repeat)
    elif not by_class:
        record.skip("train on synthetic, test on real", f"{name} draws data without classes to learn from", repeat)
    else:
        _score_transfer(record, repeat, model, data, (X, y), rng, seed)


def _score_transfer(
    record: Record,
    repeat: int,
    model: Any,
    data: Prepared,
    test: tuple[Array, Labels],
    rng: np.random.Generator,
    seed: int,
) -> None:
    real = _some(*data.take(repeat, "train", "validation"), rng)
    synthetic = draw(model, len(real[1]), real[1], data.schema, seed + 1), real[1]
    try:
        reached = [samples.transfer_accuracy(train, test, data.schema, seed) for train in (synthetic, real)]
    except UndefinedMetricError as undefined:
        record.skip("train on synthetic, test on real", str(undefined), repeat)
        return
    for metric in table.needing("transfer"):
        record.score(repeat, metric.name, metric.function, *reached)


def _some(X: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """At most as many rows as the sample scores use, chosen evenly."""
    rows = np.sort(rng.permutation(len(y))[: samples.MOST_ROWS])
    return np.asarray(X[rows]), y[rows]


def shown_samples(model: Any, schema: Schema, seed: int) -> tuple[Array, Array]:
    """Events to be looked at and what they are samples of: classes in turn, -1 where the model knows none.

    For regression the second is the model's own prediction for each event.
    """
    n = SHOWN_IMAGES if isinstance(schema.x, Image) else SHOWN_ROWS
    if isinstance(schema.y, Number):
        drawn = draw(model, n, None, schema, seed)
        return drawn, np.asarray(model.predict(drawn), dtype=np.float64)
    if samples_by_class(model):
        labels = np.arange(n, dtype=np.int64) % schema.n_classes
        return draw(model, n, labels, schema, seed), labels
    return draw(model, n, None, schema, seed), np.full(n, _UNLABELLED, dtype=np.int64)
