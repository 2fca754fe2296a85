"""Fits of an experiment: cells fitted in several ways on ever more rows, and scored on the same test rows.

In each repeat the rows to learn from are put into a random order, several times; the first m rows of an order are its
training set of size m, so that smaller sets lie within larger ones. All models get the same sets. Each prefix has the
classes in their proportions as nearly as possible, and every class at least once from the K-th row on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Array, joined
from versus.data.prepared import Prepared
from versus.data.targets import Classes
from versus.evaluation.answers import EvaluationError, HeldOut
from versus.evaluation.uses import parsing, prediction, tagging
from versus.experiments.curves import Course
from versus.fitting import failure
from versus.fitting.cell import build
from versus.fitting.repeats import parts_to_fit, weights_for
from versus.metrics.metric import Metric, spread_by
from versus.models.protocols import FitsBySteps
from versus.settings import Cell, Training

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """One fit: rows of one repeat to learn from, out of those that there are.

    Args:
        data: the data set.
        repeat: which of its splits.
        rows: (m,) rows to learn from, ascending.
        seed: of the models.
        new: builds the unfitted model of a cell.
    """

    data: Prepared
    repeat: int
    rows: Rows
    seed: int
    new: Callable[[Cell], Any]

    @property
    def others(self) -> Rows:
        """Rows to learn from that this fit is not given with their targets."""
        return np.setdiff1d(self.data.rows(self.repeat, "train", "validation"), self.rows)

    def fitted(self, cell: Cell) -> Any:
        """Fit the cell's model on the rows."""
        model = self.new(cell)
        fit(model, self.data, self.repeat, self.rows)
        return model


@dataclass(frozen=True)
class Entrant:
    """One curve: a cell that is fitted in some way, as it is by default.

    Args:
        name: of the curve; the cell's own, or with what is added.
        cell: the cell.
        learn: fits it.
    """

    name: str
    cell: Cell
    learn: Callable[[Task], Any] | None = None

    def fitted(self, task: Task) -> Any:
        """Return the fitted model of a task."""
        return task.fitted(self.cell) if self.learn is None else self.learn(task)


@dataclass(frozen=True)
class Fits:
    """Fits of an experiment: which data, sizes, orders and scores, with which device and seed."""

    data: Prepared
    sizes: Sequence[int]
    draws: int
    metrics: Sequence[Metric]
    training: Training
    seed: int
    weigh: Callable[[HeldOut], Array] | None = None  # weights (n,) of mean 1, by which test rows count

    def course(self, entrant: Entrant, repeat: int) -> Course:
        """Fit and score one entrant at all sizes of all orders of one repeat."""
        held_out = HeldOut(self.data, repeat)
        shape = (len(self.sizes), self.draws)
        blank = {m.name: np.full((*shape, len(held_out.y)), np.nan, np.float32) for m in self.metrics}
        course = Course(blank, np.zeros(shape), {})
        for draw in range(self.draws):
            for i, rows in enumerate(self._training_sets(repeat, draw)):

                def fit_and_score(place: tuple[int, int] = (i, draw), rows: Rows = rows) -> None:
                    seed = self.seed + repeat + place[1] * self.data.repeats
                    task = Task(self.data, repeat, rows, seed, lambda cell: self._new(cell, seed))
                    begin = time.perf_counter()
                    model = entrant.fitted(task)
                    course.seconds[place] = time.perf_counter() - begin
                    for name, scores in row_scores(model, held_out, self.metrics, self.seed + repeat):
                        course.rows[name][place] = spread_by(scores, self.weigh and self.weigh(held_out))

                failed = failure.attempt(fit_and_score, "training", entrant.cell.time_limit)
                if failed is not None:
                    course.skipped.setdefault(self.sizes[i], failed.reason)
        return course

    def _new(self, cell: Cell, seed: int) -> Any:
        return build(cell, self.training, seed, self.data.schema)

    def _training_sets(self, repeat: int, draw: int) -> Iterator[Rows]:
        """Yield the rows of each size, ascending."""
        pool, schema = self.data.rows(repeat, "train", "validation"), self.data.schema
        classes = schema.n_classes if isinstance(schema.y, Classes) else 0
        ordered = order(self.data.y, pool, classes, np.random.default_rng([self.seed, repeat, draw]))
        for size in self.sizes:
            # Folds differ by a row: where the size is that of the smallest pool, a row more is all rows.
            yield np.sort(ordered if size + 1 >= len(pool) else ordered[:size])


def order(y: Any, rows: Rows, classes: int, rng: np.random.Generator) -> Rows:
    """Put rows into a random order, each prefix of which has the classes in proportion: (m,) -> (m,).

    Args:
        y: (N,) class codes; not read without classes.
        rows: indices to order.
        classes: K; 0 for a plain random order.
        rng: source of chance.
    """
    shuffled = rng.permutation(rows)
    if not classes:
        return shuffled
    place = np.empty(len(shuffled))
    for label in range(classes):
        members = np.flatnonzero(y[shuffled] == label)
        place[members] = (np.arange(len(members)) + rng.random()) / max(len(members), 1)
        place[members[:1]] -= 1  # one of each class comes first: no model can tell a class that it never saw
    return shuffled[np.argsort(place, kind="stable")]


def fit(model: Any, data: Prepared, repeat: int, rows: Rows, extra: tuple[Any, Any] | None = None) -> None:
    """Fit a model on some rows; one that stops early holds out those that lie in the validation part.

    Args:
        model: unfitted.
        data, repeat: whose rows they are.
        rows: (m,) indices.
        extra: further events and targets to learn from, which are never held out; they weigh 1.
    """
    held = np.isin(rows, data.splits["validation"][repeat]) & ("validation" not in parts_to_fit(model))
    if held.all():
        held[:] = False
    X, y = data.X[rows[~held]], data.y[rows[~held]]
    weights = None if data.weights is None else data.weights[rows[~held]]
    if extra is not None:
        X, y = joined([X, extra[0]]), np.concatenate([y, extra[1]])
        weights = None if weights is None else np.concatenate([weights, np.ones(len(extra[1]))])
    weighted = weights_for(model, weights)
    if not isinstance(model, FitsBySteps):
        model.fit(X, y, **weighted)
        return
    columns = (data.X, data.y, *((data.weights,) if weighted else ()))
    validation = tuple(values[rows[held]] for values in columns) if held.any() else None
    for _ in model.fit_steps(X, y, validation, **weighted):
        pass


def row_scores(
    model: Any, held_out: HeldOut, metrics: Sequence[Metric], seed: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name of each metric and the score of each test row, (n,), the mean of which is the score.

    Raises:
        EvaluationError: where the model predicts nothing, or a score has no value.
    """
    use = next(use for use in (prediction, tagging, parsing) if use.concerns(held_out.schema))
    if (reason := use.reason_against(model, held_out.schema)) is not None:
        raise EvaluationError(reason)
    answered = next(iter(use.answers(model, held_out, seed)))  # the decision, before what explains it
    for metric in metrics:
        assert metric.rows is not None
        found = metric.row_scores(metric.rows(*answered.given), held_out.weights)
        if found is None or not np.isfinite(found).all():
            raise EvaluationError(f"{metric.label} has no finite value on the test rows")
        yield metric.name, found
