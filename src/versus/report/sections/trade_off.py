"""Score against cost on one data set, with the Pareto front: no model is both better and cheaper than one on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Line, Mark, Scale, path, plot, scale
from versus.statistics.pareto import pareto_front

NAME, TITLE = "trade-off", "Score against cost"
LEFT, RIGHT, TOP, BOTTOM = 60, 348, 14, 216
LETTER, LONGEST = 6.8, 20  # pixels of a letter of a name, and letters of the longest
# Side of the point and height of the baseline, the best first.
PLACES = tuple((side, dy) for dy in (4, -8, 17) for side in ("start", "end", "middle") if (side, dy) != ("middle", 4))
Cost = Callable[[Evaluation], costs.Measured | None]


@dataclass(frozen=True)
class TradeOff:
    """The picture, and the models on its front, cheapest first: (evaluation, cost as text, score as text).

    ``baselines`` are not drawn, since their scores would press all others together: (evaluation, score as text).
    """

    figure: Figure
    front: tuple[tuple[Evaluation, str, str], ...]
    baselines: tuple[tuple[Evaluation, str], ...]


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Plot training time and prediction time, where a cell has both a score and such a cost."""
    drawn = (
        trade_off(dataset, costs.training_seconds, "training", "s"),
        trade_off(dataset, costs.latency, "inference", "ms"),
    )
    found = [t for t in drawn if t is not None]
    return {"drawn": found} if found else None


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
    x = scale([value for _, value in drawn], LEFT, RIGHT, logarithmic=True)
    y = scale(scores, *((TOP, BOTTOM) if lower else (BOTTOM, TOP)), pad=0.1)  # up is better either way
    marks = [_mark(e, value, x, y, unit, dataset.primary) for e, value in drawn]
    named = placed(marks, [e.cell.model for e, _ in drawn], on_front)
    label = metric_table.label(dataset.primary)
    figure = plot(
        f"{label[0].upper() + label[1:]} against {name} time",
        f"{dataset.name}, Pareto front: {', '.join(drawn[i][0].cell.model for i in on_front)}",
        ((f"{name} time, {unit} (log scale)", x), (f"{label}{', lower is better' if lower else ''}", y)),
        [Line(_steps([marks[i] for i in on_front]), "front", "Pareto front")],
        named,
    )
    said = ((drawn[i][0], f"{formatting.two_digits(drawn[i][1])} {unit}", i) for i in on_front)
    return TradeOff(
        figure,
        tuple((e, cost, formatting.score(float(scores[i]))) for e, cost, i in said),
        tuple((e, formatting.score(e.mean(dataset.primary))) for e, _ in scored if e.cell.is_baseline),
    )


def _mark(e: Evaluation, value: float, x: Scale, y: Scale, unit: str, metric: str) -> Mark:
    mean = e.mean(metric)
    title = (
        f"{e.cell.model} ({e.cell.group_name}): {metric_table.label(metric)} {formatting.score(mean)}, "
        f"{formatting.two_digits(value)} {unit}"
    )
    return Mark(x(value), y(mean), e.cell.group, title)


def placed(marks: Sequence[Mark], names: Sequence[str], first: Sequence[int]) -> list[Mark]:
    """Put a name beside each point where it hides no other point or name; those of ``first`` have the first choice.

    A name without room is left to the point's hover text.
    """
    boxes = [(m.x - 5, m.y - 5, m.x + 5, m.y + 5) for m in marks]
    found = list(marks)
    for i in [*first, *(i for i in range(len(marks)) if i not in first)]:
        name = formatting.shorten(names[i], LONGEST)
        width, mark = LETTER * len(name), marks[i]
        for anchor, dy in PLACES:
            at = mark.x + {"start": 8, "middle": 0, "end": -8}[anchor]
            left = at - {"start": 0, "middle": width / 2, "end": width}[anchor]
            box = (left, mark.y + dy - 9, left + width, mark.y + dy + 2)
            inside = box[0] >= LEFT and box[2] <= RIGHT + 10 and box[1] >= 4 and box[3] <= BOTTOM
            if inside and not any(_overlap(box, other) for other in boxes):
                boxes.append(box)
                found[i] = replace(mark, label=name, label_at=(round(at, 1), round(mark.y + dy, 1), anchor))
                break
    return found


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _steps(front: Sequence[Mark]) -> str:
    """Draw the front as a staircase: a score holds until the cost of the next better one."""
    points: list[tuple[float, float]] = []
    for mark in front:
        if points:
            points.append((mark.x, points[-1][1]))
        points.append((mark.x, mark.y))
    return path(points)
