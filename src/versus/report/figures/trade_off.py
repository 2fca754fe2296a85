"""Score against cost on one data set, with the Pareto front: nothing is both better and cheaper than its models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from versus.report import costs, formatting, metric_labels
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure, Line, Mark, path
from versus.report.figures.scales import Scale, scale
from versus.statistics.pareto import pareto_front

WIDTH, HEIGHT, LEFT, BOTTOM = 360, 240, 60, 44
Cost = Callable[[Evaluation], costs.Measured | None]


@dataclass(frozen=True)
class TradeOff:
    """The picture, and the models on its front from cheap to dear: (evaluation, cost as text, score as text).

    ``baselines`` are not drawn, since their scores would squeeze all others together: (evaluation, score as text).
    """

    figure: Figure
    front: tuple[tuple[Evaluation, str, str], ...]
    baselines: tuple[tuple[Evaluation, str], ...]


def trade_off(dataset: DatasetResults, cost: Cost, name: str, unit: str) -> TradeOff | None:
    """Score against one cost; None where no model has both."""
    found = [(e, c.value) for e in dataset.evaluations if (c := cost(e)) is not None and c.value > 0]
    scored = [(e, value) for e, value in found if np.isfinite(e.mean(dataset.primary))]
    drawn = [(e, value) for e, value in scored if not e.cell.is_baseline]
    if not drawn:
        return None
    lower = metric_labels.lower_is_better(dataset.primary)
    scores = np.array([e.mean(dataset.primary) for e, _ in drawn])
    front = pareto_front(np.array([value for _, value in drawn]), -scores if lower else scores)
    on_front = sorted((i for i in range(len(drawn)) if front[i]), key=lambda i: drawn[i][1])
    x = scale([value for _, value in drawn], LEFT, WIDTH - 12, logarithmic=True)
    ends = (10, HEIGHT - BOTTOM) if lower else (HEIGHT - BOTTOM, 10)  # up is better either way
    y = scale(scores, *ends)
    marks = [
        _mark(e, value, x, y, unit, dataset.primary, on_front.index(i) + 1 if front[i] else None)
        for i, (e, value) in enumerate(drawn)
    ]
    label = metric_labels.label(dataset.primary)
    return TradeOff(
        Figure(
            template="trade_off.svg",
            title=f"{label[0].upper() + label[1:]} against {name} time",
            description=f"{dataset.name}, Pareto front: {', '.join(drawn[i][0].cell.model for i in on_front)}",
            width=WIDTH,
            height=HEIGHT,
            parts={
                # Those on the front are drawn last, so that no other point hides their numbers.
                "marks": sorted(marks, key=lambda m: m.label != ""),
                "front": Line(_steps([marks[i] for i in on_front]), "front", "Pareto front"),
                "x_ticks": x.ticks(5),
                "y_ticks": y.ticks(5),
                "x_label": f"{name} time, {unit} (log scale)",
                "y_label": f"{label}{', lower is better' if lower else ''}",
                "left": LEFT,
                "right": WIDTH - 12,
                "top": 10,
                "bottom": HEIGHT - BOTTOM,
            },
        ),
        tuple(
            (drawn[i][0], f"{formatting.two_digits(drawn[i][1])} {unit}", formatting.score(float(scores[i])))
            for i in on_front
        ),
        tuple((e, formatting.score(e.mean(dataset.primary))) for e, _ in scored if e.cell.is_baseline),
    )


def _mark(e: Evaluation, value: float, x: Scale, y: Scale, unit: str, metric: str, place: int | None) -> Mark:
    mean = e.mean(metric)
    title = (
        f"{e.cell.model} ({e.cell.group_name}): {metric_labels.label(metric)} {formatting.score(mean)}, "
        f"{formatting.two_digits(value)} {unit}"
    )
    return Mark(x(value), y(mean), e.cell.group, title, str(place) if place else "")


def _steps(front: Sequence[Mark]) -> str:
    """The front as a staircase: a score holds until the next better one is paid for."""
    points: list[tuple[float, float]] = []
    for mark in front:
        if points:
            points.append((mark.x, points[-1][1]))
        points.append((mark.x, mark.y))
    return path(points)
