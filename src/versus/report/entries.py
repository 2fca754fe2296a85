"""Entries of tables: text, interval or range, and sort key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.dataset_results import DatasetResults, FromBest
from versus.report.evaluation import Evaluation
from versus.settings import Cell


@dataclass(frozen=True)
class Entry:
    """One value of a table: its text, interval or range, sort key and difference from the best.

    Rows are sorted by ``key``; None comes last.
    """

    text: str
    detail: str = ""
    key: float | None = None
    apart: str = ""
    is_best: bool = False

    @property
    def plain(self) -> str:
        """Value in Markdown."""
        text = f"**{self.text}**" if self.is_best else self.text
        return f"{text}{f' ({self.detail})' if self.detail else ''}{f'; {self.apart}' if self.apart else ''}"


@dataclass(frozen=True)
class ScoreTable:
    """A table of scores: a row for each model, a column for each metric, and a common title.

    ``floor`` holds what real rows score in place of a model's, empty where no metric has such a score.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, tuple[Entry, ...]], ...]
    floor: tuple[Entry, ...] = ()


def score_table(
    dataset: DatasetResults, evaluations: Sequence[Evaluation], names: Sequence[str], title: str
) -> ScoreTable:
    """Return a table of the named metrics that have values, for any measure, over the models that have any of them."""
    present = dict.fromkeys(m for e in evaluations for m in e.scores if np.isfinite(e.mean(m)))
    metrics = [m for name in names for m in present if metric_table.known(m).name == name]
    having = [e for e in evaluations if any(m in e.scores for m in metrics)]
    models = dataset.ordered(having, metrics[0]) if metrics else []
    apart = {metric: dataset.from_best(metric) for metric in metrics}
    rows = tuple(
        (e.cell, tuple(score_entry(dataset, e, m, apart[m].get(e.cell.name)) for m in metrics)) for e in models
    )
    floors: dict[str, float] = {}
    for evaluation in reversed(having):
        floors |= evaluation.facts.get("floors", {})
    floor = tuple(Entry(formatting.score(floors[m]) if m in floors else "") for m in metrics)
    any_floor = floor if any(entry.text for entry in floor) else ()
    return ScoreTable(title, tuple(metric_table.label(m) for m in metrics), rows, any_floor)


def score_entry(dataset: DatasetResults, evaluation: Evaluation, metric: str, apart: FromBest | None = None) -> Entry:
    """Return the entry of a score, with the interval of its mean and its difference from the best."""
    mean = evaluation.mean(metric)
    if not np.isfinite(mean):
        return Entry(formatting.NONE)
    interval = dataset.interval(evaluation, metric)
    detail = formatting.span(*interval) if interval else ""
    return Entry(formatting.score(mean), detail, mean, difference_text(apart), apart is not None and apart.is_best)


def difference_text(apart: FromBest | None) -> str:
    """Format a difference from the best, ``−0.014 (−0.025 to −0.003)``."""
    if apart is None or apart.is_best:
        return ""
    span = formatting.span(apart.low, apart.high) if np.isfinite(apart.low) else ""
    return f"{formatting.signed(apart.value)} ({span})" if span else formatting.signed(apart.value)


def cost_entry(evaluation: Evaluation, cost: costs.Cost) -> Entry:
    """Return the entry of a cost, with the range seen."""
    found = cost.of(evaluation)
    if found is None:
        return Entry(formatting.NONE)
    low, high = cost.write(found.low), cost.write(found.high)
    return Entry(cost.write(found.value), f"{low} to {high}" if low != high else "", found.value)
