"""Costs of fitting and using each model. Times and memory differ from run to run; scores do not."""

from __future__ import annotations

from typing import Any

from versus.report.costs import COSTS, HEADLINE, side_by_side
from versus.report.entries import cost_entry
from versus.report.results import Results
from versus.report.section import Content, escaped, table

NAME, TITLE = "costs", "Costs"


def content(results: Results) -> dict[str, Any] | None:
    """Return a row for each evaluated cell, a column for each cost that any has; None where nothing was measured."""
    evaluations = [e for dataset in results.datasets for e in dataset.evaluations]
    measured = [cost for cost in COSTS if any(cost.of(e) for e in evaluations)]
    rows = [(e.cell, [cost_entry(e, cost) for cost in measured]) for e in evaluations]
    headline = [(e.cell, [cost_entry(e, cost) for cost in HEADLINE]) for e in evaluations]
    note = "Times and memory differ from run to run; scores do not."
    if (together := side_by_side(evaluations)) > 1:
        note += f" Up to {together} stages shared the machine; `versus repro -j 1` measures each alone."
    found = {"costs": measured, "rows": rows, "headline": headline, "verdicts": results.verdicts, "note": note}
    return found if measured else None


def markdown(content: Content) -> list[str]:
    """Return the sentences on costs, and the costs that the page shows in the table of all models."""
    said = [f"- **{escaped(v.dataset)}**: {escaped(v.costs)}" for v in content["verdicts"] if v.costs]
    header = ["data set", "model", *(cost.label for cost in HEADLINE)]
    rows = ([escaped(c.dataset), escaped(c.model), *(e.plain for e in entries)] for c, entries in content["headline"])
    return [content["note"], "", *said, "", *table(header, rows)]
