"""The best discriminative model of each data set against the best generative ones."""

from __future__ import annotations

from typing import Any

from versus.report import formatting, metric_labels
from versus.report.figures.forest import forest
from versus.report.markdown import escaped, table
from versus.report.results import Results
from versus.report.section import Content

NAME, TITLE = "differences", "Discriminative minus generative"
HEADER = ["data set", "discriminative", "generative", "score", "difference", "p, Holm", "P(equal)", "outcome"]


def content(results: Results) -> dict[str, Any]:
    """The differences, and a picture for each deciding score: scores in different units share no axis."""
    deciding = dict.fromkeys(c.dataset.primary for c in results.contrasts)
    forests = (forest([c for c in results.contrasts if c.dataset.primary == metric]) for metric in deciding)
    return {
        "contrasts": results.contrasts,
        "figures": [figure for figure in forests if figure is not None],
        "comparison": results.comparison,
        "ropes": [
            f"{metric_labels.label(d.primary)}{' in standard deviations of the target' if d.has_relative_rope else ''}"
            for d in {d.primary: d for d in results.datasets}.values()
        ],
    }


def markdown(content: Content) -> list[str]:
    """The table, without costs."""
    if not content["contrasts"]:
        return ["No data set has models of both sides.", ""]
    rows = (
        [
            escaped(c.dataset.name),
            escaped(c.discriminative.cell.model),
            f"{escaped(c.generative.cell.model)} ({c.generative.cell.group_name})",
            metric_labels.label(c.dataset.primary),
            f"{formatting.score(c.mean)} ({formatting.span(c.low, c.high)})",
            formatting.p_value(c.adjusted_p).removeprefix("=\u00a0").replace("<", "&lt;"),
            formatting.score(c.rope.within, 2),
            c.words,
        ]
        for c in content["contrasts"]
    )
    return table(HEADER, rows)
