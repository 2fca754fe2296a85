"""Files of the report's numbers: tidy CSV for spreadsheets and diffs, JSON for ``dvc metrics``.

Scores are written so that they read back bit for bit; scores and costs have separate files, since costs differ from
run to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from versus.metrics.table import deciding
from versus.report import costs
from versus.report.dataset_results import DatasetResults
from versus.report.files import write_csv

SCORE_COLUMNS = ("cell", "dataset", "model", "family", "metric", "mean", "low", "high", "repeats", "mark")
COST_COLUMNS = ("cell", "dataset", "model", "family", "quantity", "unit", "value", "low", "high")


def write_scores(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write a row for each cell and metric: the mean over repeats, its interval, and a mark where the cell leads."""
    write_csv(path, SCORE_COLUMNS, _score_rows(datasets))


def write_costs(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write a row for each cell and cost: its value and range."""
    rows = (
        (
            e.cell.name,
            e.cell.dataset,
            e.cell.model,
            e.cell.family,
            cost.quantity,
            cost.unit,
            found.value,
            found.low,
            found.high,
        )
        for dataset in datasets
        for e in dataset.evaluations
        for cost in costs.COSTS
        if (found := cost.of(e)) is not None
    )
    write_csv(path, COST_COLUMNS, rows)


def write_metrics(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write the means of every possible deciding score, data set -> model -> metric."""
    nested = {
        d.name: {
            e.cell.model: {m.name: e.mean(m.name) for m in deciding(d.task) if np.isfinite(e.mean(m.name))}
            for e in d.evaluations
        }
        for d in datasets
    }
    path.write_text(json.dumps(nested, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _score_rows(datasets: Sequence[DatasetResults]) -> Iterable[tuple[object, ...]]:
    for dataset in datasets:
        metrics = list(dict.fromkeys(m for e in dataset.evaluations for m in e.scores))
        marks = dataset.leaders(dataset.primary)
        for e in dataset.evaluations:
            for metric in metrics:
                if metric not in e.scores:
                    continue
                low, high = dataset.interval(e, metric) or ("", "")
                mark = marks.get(e.cell.name, "") if metric == dataset.primary else ""
                about = (e.cell.name, dataset.name, e.cell.model, e.cell.family, metric)
                yield (*about, e.mean(metric), low, high, int(np.isfinite(e.scores[metric]).sum()), mark)
