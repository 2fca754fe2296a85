"""Scores on slices of the test rows: the rows with one value of a named column, or in one quarter of its numbers.

The score of a slice is the metric of its rows alone, with the interval of a mean over rows
(`versus.statistics.paired_rows`): copies and groups count as one, and a row that several repeats test counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from versus.data.errors import unknown
from versus.data.spaces import Table
from versus.metrics import table
from versus.report.dataset_results import DatasetResults, Interval
from versus.report.evaluation import Evaluation
from versus.settings import Cell
from versus.statistics.paired_rows import paired_rows

MOST_CATEGORIES, MOST_NUMBERS = 20, 5  # that are slices of their own
MISSING, OTHER = "no value", "other"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SliceScore:
    """Score of one model on one slice.

    Args:
        column, value: of the rows in the slice.
        rows: number of different rows that were tested.
        cell: the cell of the model.
        metric: name of the score.
        score: its value; NaN where it has none on these rows.
        interval: its interval; None where it has none.
    """

    column: str
    value: str
    rows: int
    cell: Cell
    metric: str
    score: float
    interval: Interval | None


def slice_scores(dataset: DatasetResults) -> Iterator[SliceScore]:
    """Yield the scores of all models on the slices that ``comparison.slices`` asks for, column by column.

    Raises:
        ValueError: for a column that the data set does not have.
    """
    for column in dataset.comparison.slices.get(dataset.name, ()):
        for value, members in _slices(dataset, column):
            every = dataset.tested.by_repeat
            tested = [members[rows] for rows in every]
            distinct = np.unique(np.concatenate([rows[t] for rows, t in zip(every, tested, strict=True)]))
            if not len(distinct):
                continue
            for e in dataset.evaluations:
                metric = _metric(dataset, e)
                if metric:
                    score, interval = _scored(dataset, e, metric, tested)
                    yield SliceScore(column, value, len(distinct), e.cell, metric, score, interval)


def _slices(dataset: DatasetResults, column: str) -> Iterator[tuple[str, Mask]]:
    """Yield the name of each slice of a column, and its rows (N,)."""
    space, where = dataset.prepared.schema.x, f"comparison.slices.{dataset.name}"
    if not isinstance(space, Table):
        raise ValueError(f"{where}: slices are by columns of tables, and {dataset.name} is {space.describe()}")
    names = [known.name for known in space.columns]
    if column not in names:
        raise ValueError(f"{where}: {unknown('column', column, names)}")
    values = np.asarray(dataset.prepared.X[:, names.index(column)], dtype=np.float64)
    categories = space.columns[names.index(column)].categories
    yield from _by_number(values) if categories is None else _by_category(values, categories)
    if np.isnan(values).any():
        yield MISSING, np.isnan(values)


def _by_category(codes: NDArray[np.float64], names: tuple[str, ...]) -> Iterator[tuple[str, Mask]]:
    """Yield the most frequent categories in their own order, and the rest together."""
    counts = np.array([(codes == code).sum() for code in range(len(names))])
    own = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
    for code in own:
        yield names[code], codes == code
    if len(own) < len(names):
        yield OTHER, ~np.isin(codes, own) & ~np.isnan(codes)


def _by_number(values: NDArray[np.float64]) -> Iterator[tuple[str, Mask]]:
    """Yield each of a few numbers, or quarters of equal size."""
    present = np.unique(values[~np.isnan(values)])
    if len(present) <= MOST_NUMBERS:
        yield from ((f"{value:g}", values == value) for value in present)
        return
    ends = np.unique(np.quantile(values[~np.isnan(values)], (0.25, 0.5, 0.75)))
    yield f"up to {ends[0]:g}", values <= ends[0]
    for low, high in pairwise(ends):
        yield f"{low:g} to {high:g}", (values > low) & (values <= high)
    yield f"above {ends[-1]:g}", values > ends[-1]


def _metric(dataset: DatasetResults, evaluation: Evaluation) -> str:
    """Name of the deciding score, or where rows have none of it the task's first that they have; empty without one."""
    if evaluation.predictions is None or dataset.targets is None:
        return ""
    names = (dataset.primary, *(metric.name for metric in table.deciding(dataset.task)))
    return next((name for name in names if table.named(name).rows is not None and name in evaluation.scores), "")


def _scored(
    dataset: DatasetResults, evaluation: Evaluation, metric: str, tested: list[Mask]
) -> tuple[float, Interval | None]:
    """Compute a score of the test rows in the masks, one a repeat, and its interval."""
    predictions, targets, weights = evaluation.predictions, dataset.targets, dataset.weights
    assert predictions is not None
    assert targets is not None
    P, y = (np.concatenate([of[t] for of, t in zip(some, tested, strict=True)]) for some in (predictions, targets))
    w = None if weights is None else [np.concatenate([of[t] for of, t in zip(weights, tested, strict=True)])]
    known, scores = table.named(metric), table.row_scores(metric, [P], [y], {}, w)
    if scores is None:
        return float("nan"), None
    rows = np.concatenate([of[t] for of, t in zip(dataset.tested.by_repeat, tested, strict=True)])
    units = rows if dataset.prepared.units is None else dataset.prepared.units[rows]
    if len(np.unique(units)) < 2:
        return float(scores[0].mean()), None
    found = paired_rows(scores[0][:, None], units, 1.0 if known.is_share else 0.0)
    return found.mean, known.within(*found.interval(dataset.comparison.confidence))
