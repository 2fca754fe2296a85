"""Collection of the scores, rows and skipped parts of a cell, and a hash of the test rows that it was scored on."""

from __future__ import annotations

import csv
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Array, Events, Ragged
from versus.data.prepared import Prepared
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, Use
from versus.metrics import table
from versus.metrics.metric import Metric, UndefinedMetricError

WEIGHTS = "weights in training"  # as a skip calls what a model learned without
PREDICTIONS = ("classification", "regression")  # kept in full; for other answers, contributions of rows are kept


class Record:
    """Scores by repeat and metric, contributions of rows, predictions, and skipped parts with their reasons."""

    def __init__(self) -> None:
        self.scores: list[tuple[int, str, float]] = []
        self.predictions: list[Array] = []
        self.truths: list[Array] = []
        self._rows: dict[str, list[Array]] = {}
        self._floors: dict[str, list[float]] = {}
        self._skipped: dict[tuple[str, str], set[int]] = {}

    def ask(self, use: Use, model: Any, held_out: HeldOut, seed: int) -> None:
        """Score all answers of a model for one use, or record the reason against it.

        Raises:
            EvaluationError: if an answer cannot be scored.
        """
        if not use.concerns(held_out.schema):
            return
        reason = use.reason_against(model, held_out.schema)
        if reason is not None:
            self.skip(use.WHAT, reason, held_out.repeat)
            return
        try:
            for answered in use.answers(model, held_out, seed):
                self._score_all(held_out.repeat, answered, held_out.weights)
        except UndefinedMetricError as undefined:
            self.skip(use.WHAT, str(undefined), held_out.repeat)

    def _score_all(self, repeat: int, answered: Answers, weights: Array | None) -> None:
        if answered.use in PREDICTIONS:
            self.truths.append(answered.given[0])
            self.predictions.append(answered.given[1])
        for metric in table.of_use(answered.use):
            name = metric.name + answered.suffix
            self.score(repeat, name, metric, *answered.given, weights=weights)
            if answered.floor is not None:
                with suppress(UndefinedMetricError):
                    of_real_rows = metric.score(*answered.floor)
                    self._floors.setdefault(name, []).append(of_real_rows)

    def score(self, repeat: int, name: str, metric: Metric, *given: Any, weights: Array | None = None) -> None:
        """Compute a metric, of rows that may have weights (n,); if it is undefined, record the reason instead.

        Raises:
            EvaluationError: if the value is not a finite number, as a defined metric must be.
        """
        try:
            rows = None if metric.rows is None or metric.use in PREDICTIONS else metric.rows(*given)
            value = metric.score(*given, weights=weights) if rows is None else metric.of_rows(rows, weights)
        except UndefinedMetricError as undefined:
            self.skip(name, str(undefined), repeat)
            return
        if not np.isfinite(value):
            raise EvaluationError(f"repeat {repeat}: {name} is {value}")
        self.scores.append((repeat, name, value))
        if rows is not None:
            self._rows.setdefault(name, []).append(rows)

    def skip(self, what: str, reason: str, repeat: int) -> None:
        """Record a skipped measurement and its reason."""
        self._skipped.setdefault((what, reason), set()).add(repeat)

    @property
    def floors(self) -> dict[str, float]:
        """Mean over the repeats of the scores that real rows have in place of the model's, by name."""
        return {name: float(np.mean(values)) for name, values in self._floors.items()}

    def skipped(self, repeats: int) -> list[dict[str, str]]:
        """Return the skipped parts, one entry per reason; repeats are named if they differ."""
        found = []
        for (what, reason), where in self._skipped.items():
            some = (
                f" (repeat {', '.join(map(str, sorted(where)))} of 0 to {repeats - 1})" if len(where) < repeats else ""
            )
            found.append({"what": what, "reason": reason + some})
        return found

    def write_scores(self, path: Path) -> None:
        """Write scores.csv: one row per repeat and metric, values in full precision, so that they read back exactly."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["repeat", "metric", "value"])
            writer.writerows((repeat, name, repr(value)) for repeat, name, value in self.scores)

    def write_rows(self, path: Path, repeats: int) -> None:
        """Write rows.npz: name -> (n of all repeats, M), for the metrics with a value in every repeat."""
        whole = {name: np.concatenate(rows) for name, rows in self._rows.items() if len(rows) == repeats}
        if whole:
            np.savez_compressed(path, **whole)  # type: ignore[arg-type]


CHUNK = 4096  # rows that are read at a time


def hash_test_rows(data: Prepared) -> str:
    """Compute the SHA-256 of features, targets and weights of the test rows of every repeat, as predictions have them.

    It depends on the test rows alone, not on the training rows. Categories, tokens and labels of trees are hashed by
    name: one that only other rows have shifts the codes, but not the hash. All classes are included, also those absent
    from the test rows: with one more class, the models solve a different task.
    """
    schema = data.schema
    columns = [[c.name, c.categories is not None] for c in schema.columns]
    form = [schema.x.form, schema.y.task, schema.shape, schema.classes, schema.target, columns]
    digest = hashlib.sha256(json.dumps(form).encode())
    before: NDArray[np.int64] | None = None
    one_repeat = b""
    for repeat in range(data.repeats):
        rows = data.rows(repeat, "test")
        if before is None or not np.array_equal(rows, before):  # an official test set is the same in every repeat
            one_repeat = _digest(data, rows)
        digest.update(one_repeat)
        before = rows
    return digest.hexdigest()


def _digest(data: Prepared, rows: NDArray[np.int64]) -> bytes:
    digest = hashlib.sha256(f"{_type(data.X)} {_type(data.y)} {len(rows)}".encode())
    for start in range(0, len(rows), CHUNK):
        for values in _arrays(data.schema.x.by_name(data.X[rows[start : start + CHUNK]])):
            digest.update(np.ascontiguousarray(values).data)
    weights = () if data.weights is None else (data.weights[rows],)
    for values in (*_arrays(data.schema.y.by_name(data.y[rows])), *weights):
        digest.update(np.ascontiguousarray(values).data)
    return digest.digest()


def _type(events: Events) -> str:
    return events.values.dtype.str if isinstance(events, Ragged) else events.dtype.str


def _arrays(events: Events) -> tuple[Array, ...]:
    return (events.lengths, events.values) if isinstance(events, Ragged) else (events,)
