"""Differences between the best discriminative model of each data set and the best generative ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.contrasts import Contrast
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Scale, scale
from versus.report.results import Results
from versus.report.section import Content, escaped, table

NAME, TITLE = "differences", "Discriminative minus generative"
# As wide as a phone: the names of a pair are above its interval, not beside it.
WIDTH, MARGIN, HEAD, DATASET, ROW = 366, 12, 28, 22, 38
HEADER = ["data set", "discriminative", "generative", "score", "difference", "p", "P(equal)", "outcome"]


def content(results: Results) -> dict[str, Any]:
    """Return the differences, and a picture for each deciding score: scores in different units share no axis."""
    deciding = dict.fromkeys(c.dataset.primary for c in results.contrasts)
    forests = (forest([c for c in results.contrasts if c.dataset.primary == metric]) for metric in deciding)
    return {
        "contrasts": results.contrasts,
        "figures": [figure for figure in forests if figure is not None],
        "comparison": results.comparison,
        "ropes": [
            f"{metric_table.label(d.primary)}{' in standard deviations of the target' if d.has_relative_rope else ''}"
            for d in {d.primary: d for d in results.datasets}.values()
        ],
    }


def forest(contrasts: Sequence[Contrast]) -> Figure | None:
    """Draw discriminative − generative for contrasts that share one deciding score; None where there are none."""
    drawn = [c for c in contrasts if c.low == c.low]  # not NaN
    if not drawn:
        return None
    metric = drawn[0].dataset.primary
    share = metric_table.is_share(metric)
    factor = 100.0 if share else 1.0
    ends = [v * factor for c in drawn for v in (c.low, c.high, 0.0, c.margin, -c.margin)]
    x = scale(ends, MARGIN, WIDTH - MARGIN)
    datasets, rows, y = [], [], HEAD
    for i, contrast in enumerate(drawn):
        if i == 0 or drawn[i - 1].dataset is not contrast.dataset:
            name = contrast.dataset.name
            datasets.append({"y": y + 16, "top": y, "name": name, "short": formatting.shorten(name, 50)})
            y += DATASET
        rows.append(_row(contrast, x, factor, y))
        y += ROW
    return Figure(
        template="forest.svg",
        title=f"Difference in {metric_table.label(metric)}, discriminative minus generative",
        description="; ".join(f"{r['dataset']}, {r['pair']}: {r['numbers']}" for r in rows),
        width=WIDTH,
        height=y + 42,
        parts={
            "datasets": datasets,
            "rows": rows,
            "ticks": x.ticks(5),
            "zero": x(0.0),
            "left": MARGIN,
            "right": WIDTH - MARGIN,
            "top": HEAD,
            "bottom": y,
            "axis": f"{'percentage points of ' if share else ''}{metric_table.label(metric)}",
            "lower_is_better": metric_table.lower_is_better(metric),
        },
    )


def _row(contrast: Contrast, x: Scale, factor: float, top: int) -> dict[str, object]:
    mean, low, high = (factor * v for v in (contrast.mean, contrast.low, contrast.high))
    pair = f"{contrast.discriminative.cell.model} − {contrast.generative.cell.model}"
    rope = factor * contrast.margin
    texts = [formatting.fixed(v, 1) if factor == 100 else formatting.score(v) for v in (mean, low, high)]
    return {
        "text_y": top + 12,
        "y": top + 25,
        "dataset": contrast.dataset.name,
        "pair": pair,
        "pair_short": formatting.shorten(pair, 36),
        "low": x(low),
        "high": x(high),
        "mean": x(mean),
        "kind": contrast.generative.cell.group,
        "rope_left": x(-rope),
        "rope_width": round(x(rope) - x(-rope), 1),
        "numbers": f"{texts[0]} ({texts[1]} to {texts[2]})",
    }


def markdown(content: Content) -> list[str]:
    """Return the table, without costs."""
    if not content["contrasts"]:
        return ["No data set has models of both sides.", ""]
    rows = (
        [
            escaped(c.dataset.name),
            escaped(c.discriminative.cell.model),
            f"{escaped(c.generative.cell.model)} ({c.generative.cell.group_name})",
            metric_table.label(c.dataset.primary),
            f"{formatting.score(c.mean)} ({formatting.span(c.low, c.high)})",
            formatting.p_value(c.p).removeprefix("=\u00a0").replace("<", "&lt;"),
            formatting.score(c.rope.within, 2),
            c.words,
        ]
        for c in content["contrasts"]
    )
    return table(HEADER, rows)
