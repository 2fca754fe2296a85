"""Losses by step of training, a line for each repeat."""

from __future__ import annotations

from math import isfinite

from versus.report import formatting
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure, Line, path
from versus.report.figures.scales import scale

WIDTH, HEIGHT, LEFT, BOTTOM = 360, 230, 62, 186
MOST_POINTS = 60


def learning_curves(evaluation: Evaluation) -> Figure | None:
    """The curves of one cell; None where it does not train by steps. ``parts["legend"]`` says which colour is which."""
    names = shown_losses(list(evaluation.history))
    points = [p for name in names for curve in evaluation.history[name].values() for p in curve if isfinite(p[1])]
    if not points:
        return None
    x = scale([step for step, _ in points], LEFT, WIDTH - 12, pad=0.02)
    y = scale([value for _, value in points], BOTTOM, 10)
    parts = list(dict.fromkeys(_part(name) for name in names))
    kinds = {name: f"c{parts.index(_part(name)) % 8}" for name in names}
    lines = [
        Line(
            path([(x(step), y(value)) for step, value in thinned(curve) if isfinite(value)]),
            kinds[name],
            f"{name}, repeat {repeat}: ends at {formatting.score(curve[-1][1])}",
            dashed=_is_validation(name),
        )
        for name in names
        for repeat, curve in evaluation.history[name].items()
    ]
    return Figure(
        template="curves.svg",
        title=f"{evaluation.cell.model}: losses by epoch",
        description="; ".join(line.title for line in lines),
        width=WIDTH,
        height=HEIGHT,
        parts={
            "lines": lines,
            "marks": [],
            "diagonal": "",
            "x_ticks": x.ticks(5),
            "y_ticks": y.ticks(5),
            "x_label": "epoch",
            "y_label": "loss",
            "left": LEFT,
            "right": WIDTH - 12,
            "top": 10,
            "bottom": BOTTOM,
            "legend": [(kinds[name], name.replace("_", " "), _is_validation(name)) for name in names],
        },
    )


def shown_losses(names: list[str]) -> list[str]:
    """The losses that were minimised; their parts, of other sizes, would hide how these end (the CSV has them)."""
    whole = [name for name in names if _part(name) == "loss"]
    return whole or names


def _is_validation(name: str) -> bool:
    return name.startswith("validation")


def _part(name: str) -> str:
    """The loss, whichever rows it is of: training and validation share a colour."""
    return name.removeprefix("train_").removeprefix("validation_")


def thinned(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about `MOST_POINTS` points, evenly spread, always with the last."""
    stride = max(1, len(curve) // MOST_POINTS)
    kept = curve[::stride]
    return kept if kept[-1] == curve[-1] else [*kept, curve[-1]]
