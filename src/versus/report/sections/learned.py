"""What models have learned: graphs between columns, topics of documents, and how they go on with a text."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.graph import graph

NAME, TITLE = "learned", "What the models learned"
MOST_GRAPHS, MOST_NODES = 4, 60


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the pictures, topics and continuations of each model that has any, best first; None without."""
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    found = [(e.cell, drawn, more) for e in ordered for drawn, more in [graphs(e)] if drawn]
    named = ("topics", "continuations")
    told = {name: [(e.cell, e.facts[name]) for e in ordered if e.facts.get(name)] for name in named}
    return {"graphs": found, **told} if found or any(told.values()) else None


def texts(evaluation: Evaluation) -> str:
    """Write the topics and continuations of the first repeat's model as plain text; empty without."""
    topics = [f"{topic['share']:.3f}  {' '.join(topic['words'])}" for topic in evaluation.facts.get("topics", ())]
    told = [
        f"--- temperature {found['temperature']:g}\n{found['prompt']}|{found['text']}\n"
        for found in evaluation.facts.get("continuations", ())
    ]
    return "\n".join([*topics, *told])


def graphs(evaluation: Evaluation) -> tuple[list[Figure], int]:
    """Draw the graphs of the first repeat's model; also returns the number of those that are left out."""
    model = evaluation.cell.model
    small = [g for g in evaluation.graphs if len(g["nodes"]) <= MOST_NODES][:MOST_GRAPHS]
    drawn = [graph(f"{model}: {g['title']}", g["nodes"], g["arcs"], g["directed"]) for g in small]
    return drawn, len(evaluation.graphs) - len(drawn)
