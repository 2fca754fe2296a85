"""Ranks of the models across data sets."""

from __future__ import annotations

from typing import Any

from versus.report import formatting
from versus.report.figures.critical_difference import critical_difference_diagram
from versus.report.markdown import escaped, table
from versus.report.ranking import ranking
from versus.report.results import Results
from versus.report.section import Content

NAME, TITLE = "ranks", "Ranks across data sets"


def content(results: Results) -> dict[str, Any]:
    """The ranking and its diagram, where there is one."""
    found = ranking(results.datasets, results.comparison.confidence)
    return {"ranking": found, "figures": [] if found is None else [critical_difference_diagram(found)]}


def markdown(content: Content) -> list[str]:
    """The tests in a sentence, and the mean ranks."""
    found = content["ranking"]
    if found is None:
        return ["Ranks need at least two models that ran on the same two data sets.", ""]
    warning = "Too few data sets to conclude much. " if found.is_weak else ""
    test = found.test
    sentence = (
        f"{warning}{len(found.datasets)} data sets, {len(found.models)} models; "
        f"Friedman χ² = {formatting.score(test.chi_square, 2)}, F = {formatting.score(test.f_statistic, 2)}, "
        f"p {escaped(formatting.p_value(test.p_value))}; "
        f"Nemenyi's critical difference {formatting.score(found.difference, 2)}."
    )
    rows = (
        [escaped(cell.model), cell.group_name, f"{rank:.2f}"]
        for cell, rank in zip(found.models, test.mean_ranks, strict=True)
    )
    return [sentence, "", *table(["model", "family", "mean rank"], rows)]
