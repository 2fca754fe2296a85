"""Permutation importance: the columns of a table that the best model of each family relies on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.plot import scale
from versus.settings import FAMILIES

NAME, TITLE = "importance", "Columns that matter"
MOST_COLUMNS = 12
# As wide as a phone; names longer than the margin are cut.
WIDTH, LEFT, HEAD, LINE, GAP, LONGEST = 366, 128, 8, 10, 10, 18


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the picture; None where no model's columns were permuted."""
    best = [e for family in FAMILIES if (e := dataset.best(family)) is not None and e.importance]
    if not best:
        return None
    columns = sorted(best[0].importance, key=lambda name: -max(e.importance[name].mean for e in best))
    score = best[0].importance_score
    return {
        "cells": [e.cell for e in best],
        "figure": importance(best, columns[:MOST_COLUMNS], dataset.comparison.confidence),
        "more": len(columns) - MOST_COLUMNS,
        "loss": f"{'rise' if metric_table.lower_is_better(score) else 'fall'} of {metric_table.label(score)}",
        "confidence": dataset.comparison.confidence,
    }


def importance(models: Sequence[Evaluation], columns: Sequence[str], confidence: float) -> Figure:
    """Draw the loss in score of each model by column, most important first, with intervals."""
    score = models[0].importance_score
    share = metric_table.is_share(score)
    factor = 100.0 if share else 1.0
    found = [[_scaled(e, name, factor, confidence) for e in models] for name in columns]
    x = scale([end for of_column in found for _, low, high in of_column for end in (low, high, 0.0)], LEFT, WIDTH - 12)
    y, rows, said = HEAD, [], []
    for name, of_column in zip(columns, found, strict=True):
        marks = []
        for place, (e, (mean, low, high)) in enumerate(zip(models, of_column, strict=True)):
            said.append(f"{name}, {e.cell.model}: {formatting.score(mean)} ({formatting.span(low, high)})")
            at = {"x": x(mean), "low": x(low), "high": x(high), "y": y + GAP / 2 + LINE * (place + 0.5)}
            marks.append({**at, "kind": e.cell.group, "title": said[-1]})
        height = GAP + LINE * len(models)
        short = formatting.shorten(name, LONGEST)
        rows.append({"name": name, "short": short, "y": y, "middle": y + height / 2 + 4, "marks": marks})
        y += height
    return Figure(
        "dots.svg",
        f"Loss of {metric_table.label(score)} when a column is permuted",
        "; ".join(said),
        WIDTH,
        y + 42,
        {
            "rows": rows,
            "ticks": x.ticks(5),
            "zero": x(0.0),
            "left": LEFT,
            "right": WIDTH - 12,
            "top": HEAD,
            "bottom": y,
            "axis": f"{metric_table.label(score)} lost{', percentage points' if share else ''}",
        },
    )


def _scaled(e: Evaluation, column: str, factor: float, confidence: float) -> tuple[float, float, float]:
    found = e.importance[column]
    low, high = found.interval(confidence)
    return factor * found.mean, factor * low, factor * high
