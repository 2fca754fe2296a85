"""What models have learned: graphs, filters, topics, steps between tags or states, continuations of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.spaces import Image
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.graph import graph
from versus.report.figures.pixels import data_uri, sheet

NAME, TITLE = "learned", "What the models learned"
MOST_GRAPHS, MOST_NODES, MOST_FILTERS, MOST_STATES = 4, 60, 40, 40


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the pictures, topics and continuations of each model that has any, best first; None without."""
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    drawn = [(e.cell, figures, more) for e in ordered for figures, more in [graphs(e)] if figures]
    named = ("topics", "continuations")
    told = {name: [(e.cell, e.facts[name]) for e in ordered if e.facts.get(name)] for name in named}
    machines = []
    for evaluation in ordered if isinstance(dataset.prepared.schema.x, Image) else ():
        if evaluation.filters is not None:
            picture = filter_sheet(evaluation.filters)
            scale = max(1, 340 // picture.shape[1])  # figures of a gallery are no wider
            machines.append((evaluation.cell, data_uri(picture), picture.shape[1] * scale, normaliser(evaluation)))
    chains = [(e.cell, shaded(steps)) for e in ordered if (steps := e.facts.get("transitions"))]
    found = {"graphs": drawn, "machines": machines, "chains": [each for each in chains if each[1]["rows"]], **told}
    return found if any(found.values()) else None


def shaded(steps: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of steps with a shade from 0 to 1 for each value; without rows where it would be too large."""
    values = np.array(steps["values"])
    shades = np.clip(values, 0, None) / max(values.max(), 1e-12)
    rows = [
        (name, [(f"{v:.2f}".replace("0.", ".", 1) if steps["of"] == "probability" else f"{v:.1f}", s) for v, s in both])
        for name, both in zip(steps["from"], map(zip, values, shades), strict=True)
    ]
    return {"to": steps["to"], "of": steps["of"], "rows": rows if len(rows) <= MOST_STATES else []}


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


def filter_sheet(filters: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw weights (H, height, width[, C]) in grey, each unit from its most negative to its most positive weight."""
    largest = np.abs(filters.reshape(len(filters), -1)).max(axis=1).clip(min=1e-12)
    chosen = np.sort(np.argsort(-largest, kind="stable")[:MOST_FILTERS])  # units that nothing moved say nothing
    scaled = filters[chosen] / largest[chosen].reshape(-1, *[1] * (filters.ndim - 1))
    grey = np.round(127.5 * (scaled + 1)).astype(np.uint8)
    return sheet(grey[..., 0] if grey.ndim == 4 and grey.shape[-1] == 1 else grey, 10)


def normaliser(evaluation: Evaluation) -> str:
    """Say log Z with its interval, and how it was found."""
    estimate, low, high = evaluation.facts["log_normaliser"]
    if low == high:
        return f"log Z = {formatting.score(estimate)} nats, by enumeration"
    interval = formatting.span(low, high)
    return f"log Z = {formatting.score(estimate)} nats ({interval}), by annealed importance sampling"
