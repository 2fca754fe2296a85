"""Reliability diagram: how often a classifier is right when it says that it is this sure."""

from __future__ import annotations

from collections.abc import Sequence

from versus.report import formatting
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure, Line, Mark, path
from versus.report.figures.scales import Scale

SIZE, LEFT, BOTTOM = 320, 46, 276
FIRM_FROM = 20  # rows; a share of fewer says little, so such bins are drawn faintly and without a line


def reliability_diagram(evaluations: Sequence[Evaluation]) -> Figure | None:
    """Confidence against accuracy for up to one model of each family; None where none has probabilities."""
    shown = [e for e in evaluations if e.reliability]
    if not shown:
        return None
    x, y = Scale(0, 1, LEFT, SIZE - 12), Scale(0, 1, BOTTOM, 10)
    lines, marks = [], []
    for e in shown:
        firm = [(x(c), y(a)) for c, a, n in e.reliability if n >= FIRM_FROM]
        lines.append(Line(path(firm), e.cell.group, e.cell.model))
        marks += [
            Mark(
                x(c),
                y(a),
                e.cell.group,
                _hover(e.cell.model, c, a, n),
                faint=n < FIRM_FROM,
            )
            for c, a, n in e.reliability
        ]
    return Figure(
        template="curves.svg",
        title="Reliability diagram",
        description="Accuracy against confidence for " + ", ".join(e.cell.model for e in shown),
        width=SIZE,
        height=SIZE,
        parts={
            "lines": lines,
            "marks": marks,
            "diagonal": path([(x(0), y(0)), (x(1), y(1))]),
            "x_ticks": x.ticks(5),
            "y_ticks": y.ticks(5),
            "x_label": "confidence",
            "y_label": "share that is right",
            "left": LEFT,
            "right": SIZE - 12,
            "top": 10,
            "bottom": BOTTOM,
        },
    )


def _hover(model: str, confidence: float, accuracy: float, rows: int) -> str:
    sure, right = formatting.percent(confidence), formatting.percent(accuracy)
    return f"{model}: {sure} sure, {right} right, {formatting.count(rows)} rows"
