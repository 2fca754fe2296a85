"""Learning curves of models that train by steps: losses by epoch, a line for each repeat."""

from __future__ import annotations

from math import isfinite
from typing import Any

from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Line, path, plot, scale

NAME, TITLE = "curves", "Learning curves"
MOST_POINTS = 60
Legend = list[tuple[str, str, bool]]  # colour, name of the loss, whether its line is dashed


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return (cell, picture, legend) of each such cell."""
    drawn = [(e.cell, *found) for e in dataset.evaluations if (found := learning_curves(e)) is not None]
    has_kl = any("train_kl" in e.history for e in dataset.evaluations)
    return {"curves": drawn, "has_kl": has_kl} if drawn else None


def learning_curves(evaluation: Evaluation) -> tuple[Figure, Legend] | None:
    """Draw the curves of one cell, with their legend; None where it does not train by steps."""
    names = shown_losses(list(evaluation.history))
    points = [p for name in names for curve in evaluation.history[name].values() for p in curve if isfinite(p[1])]
    if not points:
        return None
    x = scale([step for step, _ in points], 62, 348, pad=0.02)
    y = scale([value for _, value in points], 186, 10)
    parts = list(dict.fromkeys(_part(name) for name in names))
    # The first loss has the colour of the family, as everywhere on the page.
    colours = [evaluation.cell.group, *(f"c{3 + i % 5}" for i in range(len(parts) - 1))]
    legend = [(colours[parts.index(_part(n))], n.replace("_", " "), n.startswith("validation")) for n in names]
    lines = [
        Line(
            path([(x(step), y(value)) for step, value in thinned(curve) if isfinite(value)]),
            f"line k {colour}{' dashed' if dashed else ''}",
            f"{name}, repeat {repeat}: ends at {formatting.score(curve[-1][1])}",
        )
        for name, (colour, _, dashed) in zip(names, legend, strict=True)
        for repeat, curve in evaluation.history[name].items()
    ]
    title, description = f"{evaluation.cell.model}: losses by epoch", "; ".join(line.title for line in lines)
    return plot(title, description, (("epoch", x), ("loss", y)), lines), legend


def shown_losses(names: list[str]) -> list[str]:
    """Select what was minimised, and the bound beside it; parts differ in size and would hide how these end."""
    whole = [name for name in names if _part(name) in ("loss", "negative_elbo")]
    return whole or names


def _part(name: str) -> str:
    """Name of the loss without its split: training and validation share a colour."""
    return name.removeprefix("train_").removeprefix("validation_")


def thinned(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep about `MOST_POINTS` points at most, evenly spread, always with the last."""
    stride = max(1, len(curve) // MOST_POINTS)
    kept = curve[::stride]
    return kept if kept[-1] == curve[-1] else [*kept, curve[-1]]
