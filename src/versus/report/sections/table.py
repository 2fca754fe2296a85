"""All models: a row for each evaluated cell, each value with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from versus.metrics import table as metric_table
from versus.metrics.table import shown
from versus.report import costs
from versus.report.dataset_results import DatasetResults, FromBest
from versus.report.entries import Entry, cost_entry, score_entry
from versus.report.evaluation import Evaluation
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "table", "All models"


@dataclass(frozen=True)
class Row:
    """One cell of the comparison."""

    cell: Cell
    scores: tuple[Entry, ...]
    costs: tuple[Entry, ...]
    samples: str


@dataclass(frozen=True)
class Table:
    """The data sets that share one deciding score, and the scores shown for them."""

    title: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


def content(results: Results) -> dict[str, Any]:
    """Return a table for each deciding score."""
    deciding = dict.fromkeys(d.primary for d in results.datasets)
    return {
        "tables": [_table(metric, [d for d in results.datasets if d.primary == metric]) for metric in deciding],
        "datasets": [d.name for d in results.datasets],
        "groups": {cell.group: cell.group_name for cell in results.cells},
        "costs": costs.HEADLINE,
        "confidence": results.comparison.confidence,
    }


def _table(primary: str, datasets: Sequence[DatasetResults]) -> Table:
    present = {m for d in datasets for e in d.evaluations for m in e.scores}
    headline = [m for m in shown("headline") if m in present]
    metrics = tuple(headline if primary in headline else (primary, *headline))
    rows = tuple(row for dataset in datasets for row in _rows(dataset, metrics))
    return Table(f"Decided by {metric_table.label(primary)}", metrics, rows)


def _rows(dataset: DatasetResults, metrics: tuple[str, ...]) -> list[Row]:
    apart = {metric: dataset.from_best(metric) for metric in metrics}
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    return [_row(dataset, e, metrics, apart) for e in ordered]


def _row(
    dataset: DatasetResults, e: Evaluation, metrics: tuple[str, ...], apart: dict[str, dict[str, FromBest]]
) -> Row:
    return Row(
        cell=e.cell,
        scores=tuple(score_entry(dataset, e, m, apart[m].get(e.cell.name)) for m in metrics),
        costs=tuple(cost_entry(e, cost) for cost in costs.HEADLINE),
        samples="yes" if e.can_sample else "no",
    )


def markdown(content: Content) -> list[str]:
    """Return the scores; costs, which differ from run to run, have their own section."""
    note = (
        "In brackets the interval of a score. Then its difference from the best of its data set, which is in bold, "
        "with an interval that holds for all pairs of models at once: where it excludes 0, the two differ."
    )
    blocks = []
    for t in content["tables"]:
        header = ["data set", "model", "family", *(metric_table.label(m) for m in t.metrics), "can sample"]
        rows = (
            [escaped(r.cell.dataset), escaped(r.cell.model), r.cell.group_name, *(e.plain for e in r.scores), r.samples]
            for r in t.rows
        )
        blocks += [*table(header, rows), note, ""]
    return blocks
