"""Mean ranks on a line, with bars over the models that are not set apart (Demšar 2006, figure 1)."""

from __future__ import annotations

from versus.report import formatting
from versus.report.figures.figure import Figure
from versus.report.figures.scales import Scale, Tick
from versus.report.ranking import Ranking

WIDTH, LEFT, RIGHT, AXIS = 600, 170, 430, 64


def critical_difference_diagram(ranking: Ranking) -> Figure:
    """The diagram, best ranks on the left."""
    k = len(ranking.models)
    x = Scale(1, k, LEFT, RIGHT)
    bars = 10 * len(ranking.groups)
    ranks = ranking.test.mean_ranks
    left = (k + 1) // 2
    labels = [
        {
            "x": x(float(ranks[i])),
            # Best outermost on the left, worst outermost on the right, so that no two leaders cross.
            "y": AXIS + 26 + bars + 19 * (i if i < left else k - 1 - i),
            "end": LEFT - 12 if i < left else RIGHT + 12,
            "anchor": "end" if i < left else "start",
            "text_x": LEFT - 18 if i < left else RIGHT + 18,
            "kind": cell.group,
            "name": cell.model,
            "short": formatting.shorten(cell.model, 22),
            "rank": f"{ranks[i]:.2f}",
        }
        for i, cell in enumerate(ranking.models)
    ]
    return Figure(
        template="critical_difference.svg",
        title=f"Mean ranks over {len(ranking.datasets)} data sets, and Nemenyi's critical difference",
        description=", ".join(f"{label['name']} {label['rank']}" for label in labels),
        width=WIDTH,
        height=AXIS + 26 + bars + 19 * left + 6,
        parts={
            "labels": labels,
            "ticks": [Tick(x(float(r)), str(r)) for r in range(1, k + 1)],
            "axis": AXIS,
            "left": LEFT,
            "right": RIGHT,
            "difference_end": x(min(1 + ranking.difference, k)),
            "difference": f"critical difference {ranking.difference:.2f}",
            "difference_exceeds": 1 + ranking.difference > k,
            "bars": [
                {
                    "x1": x(float(ranks[group[0]])) - 4,
                    "x2": x(float(ranks[group[-1]])) + 4,
                    "y": AXIS + 14 + 10 * i,
                    "title": "not set apart: " + ", ".join(ranking.models[m].model for m in group),
                }
                for i, group in enumerate(ranking.groups)
            ],
        },
    )
