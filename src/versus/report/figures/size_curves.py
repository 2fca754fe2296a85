"""Curves of scores by the number of rows to learn from, of an experiment's entrants, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Line, Mark, path, plot, scale
from versus.settings import Cell


def size_curves(
    name: str, found: Mapping[str, Any], cells: Mapping[str, Cell], words: Callable[[str], str]
) -> Iterator[Figure]:
    """Draw the curves of all entrants, one picture for each score.

    Args:
        name: name of the experiment.
        found: its result.
        cells: the cells of the params by name.
        words: what the picture of a score says.
    """
    of = found["cells"]
    for score in dict.fromkeys(curve["score"] for curve in found["curves"]):
        curves = [curve for curve in found["curves"] if curve["score"] == score and of[curve["cell"]] in cells]
        points = {curve["cell"]: _points(found["sizes"], curve) for curve in curves}
        known = [point for course in points.values() for point in course]
        if not known:
            continue
        x = scale([float(size) for size, *_ in known], 62, 348, logarithmic=True, pad=0.02)
        y = scale([end for _, *ends in known for end in ends], 196, 10)
        lines, marks = [], []
        for entrant, course in points.items():
            kind, model = cells[of[entrant]].group, entrant.split("-", 1)[1]
            dash = " dashed" if entrant != of[entrant] else ""
            lines.append(Line(path([(x(s), y(value)) for s, value, _, _ in course]), f"line k {kind}{dash}", model))
            for size, value, low, high in course:
                told = f"{model}, {size} rows: {formatting.score(value)} ({formatting.span(low, high)})"
                lines.append(Line(path([(x(size), y(low)), (x(size), y(high))]), f"line k {kind}", told))
                marks.append(Mark(x(size), y(value), kind, told))
        label = metric_table.label(score)
        title = f"{name}: {label} by rows to learn from"
        axis = f"{label}{', lower is better' if metric_table.lower_is_better(score) else ''}"
        yield plot(title, words(score), (("rows to learn from (log scale)", x), (axis, y)), lines, marks)


def _points(sizes: list[int], curve: Mapping[str, Any]) -> list[tuple[float, float, float, float]]:
    ends = zip(sizes, curve["value"], curve["low"], curve["high"], strict=True)
    return [point for point in ends if None not in point]
