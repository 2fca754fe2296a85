"""Score against cost on each data set, with the Pareto front: no model is both better and cheaper than one on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Line, Mark, Scale, path, plot, scale
from versus.report.results import Results
from versus.statistics.pareto import pareto_front

NAME, TITLE = "trade-off", "Score against cost"
Cost = Callable[[Evaluation], costs.Measured | None]


@dataclass(frozen=True)
class TradeOff:
    """The picture, and the models on its front, cheapest first: (evaluation, cost as text, score as text).

    ``baselines`` are not drawn, since their scores would press all others together: (evaluation, score as text).
    """

    figure: Figure
    front: tuple[tuple[Evaluation, str, str], ...]
    baselines: tuple[tuple[Evaluation, str], ...]


def content(results: Results) -> dict[str, Any]:
    """Plot training time and prediction time, where a cell has both a score and such a cost."""
    found = []
    for dataset in results.datasets:
        drawn = (
            trade_off(dataset, costs.training_seconds, "training", "s"),
            trade_off(dataset, costs.latency, "inference", "ms"),
        )
        found.append((dataset.name, [t for t in drawn if t is not None]))
    return {"datasets": [(name, drawn) for name, drawn in found if drawn]}


def trade_off(dataset: DatasetResults, cost: Cost, name: str, unit: str) -> TradeOff | None:
    """Plot the score against one cost; None where no model has both."""
    found = [(e, c.value) for e in dataset.evaluations if (c := cost(e)) is not None and c.value > 0]
    scored = [(e, value) for e, value in found if np.isfinite(e.mean(dataset.primary))]
    drawn = [(e, value) for e, value in scored if not e.cell.is_baseline]
    if not drawn:
        return None
    lower = metric_table.lower_is_better(dataset.primary)
    scores = np.array([e.mean(dataset.primary) for e, _ in drawn])
    front = pareto_front(np.array([value for _, value in drawn]), -scores if lower else scores)
    on_front = sorted((i for i in range(len(drawn)) if front[i]), key=lambda i: drawn[i][1])
    x = scale([value for _, value in drawn], 60, 348, logarithmic=True)
    y = scale(scores, *((10, 196) if lower else (196, 10)))  # up is better either way
    marks = [
        _mark(e, value, x, y, unit, dataset.primary, on_front.index(i) + 1 if front[i] else None)
        for i, (e, value) in enumerate(drawn)
    ]
    label = metric_table.label(dataset.primary)
    figure = plot(
        f"{label[0].upper() + label[1:]} against {name} time",
        f"{dataset.name}, Pareto front: {', '.join(drawn[i][0].cell.model for i in on_front)}",
        ((f"{name} time, {unit} (log scale)", x), (f"{label}{', lower is better' if lower else ''}", y)),
        [Line(_steps([marks[i] for i in on_front]), "front", "Pareto front")],
        # Models on the front are drawn last, so that no other point hides their numbers.
        sorted(marks, key=lambda m: m.label != ""),
    )
    said = ((drawn[i][0], f"{formatting.two_digits(drawn[i][1])} {unit}", i) for i in on_front)
    return TradeOff(
        figure,
        tuple((e, cost, formatting.score(float(scores[i]))) for e, cost, i in said),
        tuple((e, formatting.score(e.mean(dataset.primary))) for e, _ in scored if e.cell.is_baseline),
    )


def _mark(e: Evaluation, value: float, x: Scale, y: Scale, unit: str, metric: str, place: int | None) -> Mark:
    mean = e.mean(metric)
    title = (
        f"{e.cell.model} ({e.cell.group_name}): {metric_table.label(metric)} {formatting.score(mean)}, "
        f"{formatting.two_digits(value)} {unit}"
    )
    return Mark(x(value), y(mean), e.cell.group, title, str(place) if place else "")


def _steps(front: Sequence[Mark]) -> str:
    """Draw the front as a staircase: a score holds until the cost of the next better one."""
    points: list[tuple[float, float]] = []
    for mark in front:
        if points:
            points.append((mark.x, points[-1][1]))
        points.append((mark.x, mark.y))
    return path(points)
