"""Differences with their intervals, one below the other, and the region of practical equality."""

from __future__ import annotations

from collections.abc import Sequence

from versus.report import formatting, metric_labels
from versus.report.differences import Contrast
from versus.report.figures.figure import Figure
from versus.report.figures.scales import scale

LABEL, PLOT, NUMBERS, ROW = 330, 250, 180, 24


def forest(contrasts: Sequence[Contrast]) -> Figure | None:
    """Discriminative − generative for contrasts that share one deciding score; None where there are none to draw."""
    drawn = [c for c in contrasts if c.low == c.low]  # not NaN
    if not drawn:
        return None
    metric = drawn[0].dataset.primary
    factor = 100.0 if metric_labels.is_share(metric) else 1.0
    x = scale(
        [v * factor for c in drawn for v in (c.low, c.high, 0.0, c.dataset.rope, -c.dataset.rope)], LABEL, LABEL + PLOT
    )
    rows = [
        _row(c, x, factor, 34 + i * ROW, i == 0 or drawn[i - 1].dataset is not c.dataset) for i, c in enumerate(drawn)
    ]
    unit = "percentage points of " if factor == 100 else ""
    return Figure(
        template="forest.svg",
        title=f"Difference in {metric_labels.label(metric)}, discriminative minus generative",
        description="; ".join(f"{r['dataset']}, {r['pair']}: {r['numbers']}" for r in rows),
        width=LABEL + PLOT + NUMBERS,
        height=34 + len(rows) * ROW + 44,
        parts={
            "rows": rows,
            "ticks": x.ticks(5),
            "zero": x(0.0),
            "left": LABEL,
            "right": LABEL + PLOT,
            "row": ROW,
            "bottom": 34 + len(rows) * ROW,
            "axis": f"{unit}{metric_labels.label(metric)}",
            "lower_is_better": metric_labels.lower_is_better(metric),
        },
    )


def _row(contrast: Contrast, x: object, factor: float, top: int, first: bool) -> dict[str, object]:
    assert callable(x)
    write = formatting.fixed if factor == 100 else formatting.score
    decimals = 1 if factor == 100 else 3
    mean, low, high = (factor * v for v in (contrast.mean, contrast.low, contrast.high))
    pair = f"{contrast.discriminative.cell.model} − {contrast.generative.cell.model}"
    rope = factor * contrast.dataset.rope
    return {
        "y": top + ROW // 2,
        "top": top,
        "first": first,
        "dataset": contrast.dataset.name,
        "dataset_short": formatting.shorten(contrast.dataset.name, 15),
        "pair": pair,
        "pair_short": formatting.shorten(pair, 36),
        "low": x(low),
        "high": x(high),
        "mean": x(mean),
        "kind": contrast.generative.cell.kind,
        "rope_left": x(-rope),
        "rope_width": round(x(rope) - x(-rope), 1),
        "numbers": f"{write(mean, decimals)} ({write(low, decimals)} to {write(high, decimals)})",
    }
