"""The headline table: a row for each evaluated cell, each value with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.report import costs, formatting
from versus.report.cells import Cell
from versus.report.dataset import Dataset
from versus.report.leaders import Mark, leaders
from versus.report.reading import Evaluation

SCORES = {
    "classification": ("accuracy_score", "precision_score", "recall_score"),
    "regression": ("root_mean_squared_error", "r2_score", "interval_coverage"),
}


@dataclass(frozen=True)
class Entry:
    """One value of a table: how it reads, its interval or range, what to sort it by, its mark, what hovering says.

    Sorting is by ``key``; None goes last.
    """

    text: str
    detail: str = ""
    key: float | None = None
    mark: Mark | None = None
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """One cell of the comparison."""

    cell: Cell
    scores: tuple[Entry, ...]
    training: Entry
    inference: Entry
    memory: Entry
    samples: str


@dataclass(frozen=True)
class Table:
    """The rows of one task, and the scores that they show."""

    task: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(datasets: Sequence[Dataset]) -> list[Table]:
    """One table for each task that has cells: classifiers and regressors share no column of scores."""
    found = []
    for task, metrics in SCORES.items():
        of_task = [d for d in datasets if d.task == task and d.evaluations]
        shown = _with_primary(metrics, of_task)
        rows = tuple(row for dataset in of_task for row in _rows(dataset, shown))
        if rows:
            found.append(Table(task, shown, rows))
    return found


def _with_primary(metrics: tuple[str, ...], datasets: list[Dataset]) -> tuple[str, ...]:
    """The columns of scores; the deciding one leads where it is not among them."""
    extra = [d.primary for d in datasets[:1] if d.primary not in metrics]
    return (*extra, *metrics)


def _rows(dataset: Dataset, metrics: tuple[str, ...]) -> list[Row]:
    marks = {metric: leaders(dataset, metric) for metric in metrics if metric != "interval_coverage"}
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    return [_row(dataset, e, metrics, marks) for e in ordered]


def _row(dataset: Dataset, e: Evaluation, metrics: tuple[str, ...], marks: dict[str, dict[str, Mark]]) -> Row:
    return Row(
        cell=e.cell,
        scores=tuple(score_entry(dataset, e, m, marks.get(m, {}).get(e.cell.name)) for m in metrics),
        training=_range(costs.training_seconds(e)),
        inference=_range(costs.latency(e)),
        memory=_memory(e),
        samples="yes" if e.can_sample else "no",
    )


def score_entry(dataset: Dataset, evaluation: Evaluation, metric: str, mark: Mark | None = None) -> Entry:
    """A score as it stands in a table, with the interval of its mean."""
    mean = evaluation.mean(metric)
    if not np.isfinite(mean):
        return Entry(formatting.NONE)
    interval = dataset.interval(evaluation, metric)
    detail = formatting.span(*interval) if interval else ""
    return Entry(formatting.score(mean), detail, mean, mark)


def _memory(evaluation: Evaluation) -> Entry:
    found, added = costs.peak_memory(evaluation), costs.memory_of_fit(evaluation)
    if found is None:
        return Entry(formatting.NONE)
    low, high = formatting.megabytes(found.low), formatting.megabytes(found.high)
    hint = f"of which the fit added {formatting.megabytes(added)} MB at most" if added is not None else ""
    detail = f"{low} to {high}" if low != high else ""
    return Entry(formatting.megabytes(found.value), detail, found.value, hint=hint)


def _range(found: costs.Measured | None) -> Entry:
    if found is None:
        return Entry(formatting.NONE)
    low, high = formatting.two_digits(found.low), formatting.two_digits(found.high)
    return Entry(formatting.two_digits(found.value), f"{low} to {high}" if low != high else "", found.value)
