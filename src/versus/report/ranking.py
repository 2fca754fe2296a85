"""Ranks across the data sets that share a deciding score: tests of Friedman and Nemenyi, and their reliability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from versus.metrics import table as metric_table
from versus.report.dataset_results import TIES, DatasetResults
from versus.settings import Cell
from versus.statistics.ranks import Friedman, critical_difference, friedman, indistinct_groups, rank_rows

# With fewer, Demšar (2006) finds the tests' distributions unreliable, and their power is small.
ENOUGH_DATASETS = 10


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of the models that ran on every data set counted, best first.

    Args:
        metric: the score that was ranked.
        models: one cell for each model; only its name and family matter.
        datasets: the data sets that were counted.
        left_out: models without a score on some counted data set, and data sets left out for lack of models.
        test: Friedman's test, its mean ranks in the order of ``models``.
        difference: Nemenyi's critical difference.
        groups: sets of models without a clear difference, as indices into ``models``.
    """

    metric: str
    models: tuple[Cell, ...]
    datasets: tuple[str, ...]
    left_out: tuple[str, ...]
    test: Friedman
    difference: float
    groups: tuple[tuple[int, ...], ...]

    @property
    def is_weak(self) -> bool:
        """True where there are too few data sets for firm conclusions."""
        return len(self.datasets) < ENOUGH_DATASETS


def ranking(datasets: Sequence[DatasetResults], confidence: float) -> Ranking | None:
    """Rank the models over the data sets with the most common deciding score; None with fewer than two of either."""
    if not datasets:
        return None
    metric, _ = Counter(d.primary for d in datasets).most_common(1)[0]
    counted = [d for d in datasets if d.primary == metric]
    names = list(dict.fromkeys(e.cell.model for d in counted for e in d.evaluations if not e.cell.is_baseline))
    means = _means(counted, names, metric)
    rows, columns = complete_block(np.isfinite(means))
    if len(rows) < 2 or len(columns) < 2:
        return None
    ranks = rank_rows(means[np.ix_(rows, columns)], not metric_table.lower_is_better(metric))
    columns = [columns[i] for i in np.argsort(ranks.mean(axis=0), kind="stable")]
    ranks = rank_rows(means[np.ix_(rows, columns)], not metric_table.lower_is_better(metric))
    test = friedman(ranks)
    difference = critical_difference(len(columns), len(rows), 1 - confidence)
    cells = {e.cell.model: e.cell for d in counted for e in d.evaluations}
    return Ranking(
        metric=metric,
        models=tuple(cells[names[c]] for c in columns),
        datasets=tuple(counted[r].name for r in rows),
        left_out=(
            *(names[c] for c in range(len(names)) if c not in columns),
            *(counted[r].name for r in range(len(counted)) if r not in rows),
        ),
        test=test,
        difference=difference,
        groups=tuple(indistinct_groups(test.mean_ranks, difference)),
    )


def _means(datasets: list[DatasetResults], models: list[str], metric: str) -> NDArray[np.float64]:
    """Mean scores (data sets, models), NaN where a model did not run."""
    means = np.full((len(datasets), len(models)), np.nan)
    for i, dataset in enumerate(datasets):
        for evaluation in dataset.evaluations:
            if evaluation.cell.model in models:  # baselines are ranked by nobody
                means[i, models.index(evaluation.cell.model)] = round(evaluation.mean(metric), TIES)
    return means


def complete_block(present: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Select rows and columns that together have no gap, (N, k) -> two lists of indices.

    Greedy: the row or column with the largest share of gaps is removed until no gap is left; in a tie, a column.
    """
    rows, columns = list(range(present.shape[0])), list(range(present.shape[1]))
    while rows and columns:
        gaps = ~present[np.ix_(rows, columns)]
        if not gaps.any():
            break
        by_row, by_column = gaps.mean(axis=1), gaps.mean(axis=0)
        if by_row.max() > by_column.max():
            del rows[int(by_row.argmax())]
        else:
            del columns[int(by_column.argmax())]
    return rows, columns
