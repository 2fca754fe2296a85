"""Structure that models have learned: the graph between columns, by class where each class has its own."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.graph import graph

NAME, TITLE = "learned", "What the models learned"
MOST_GRAPHS, MOST_NODES = 4, 60


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the pictures of each model that has any, best first."""
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    found = [(e.cell, drawn, more) for e in ordered for drawn, more in [graphs(e)] if drawn]
    return {"graphs": found} if found else None


def graphs(evaluation: Evaluation) -> tuple[list[Figure], int]:
    """Draw the graphs of the first repeat's model; also returns the number of those that are left out."""
    model = evaluation.cell.model
    small = [g for g in evaluation.graphs if len(g["nodes"]) <= MOST_NODES][:MOST_GRAPHS]
    drawn = [graph(f"{model}: {g['title']}", g["nodes"], g["arcs"], g["directed"]) for g in small]
    return drawn, len(evaluation.graphs) - len(drawn)
