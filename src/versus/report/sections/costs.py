"""Costs of fitting and using each model.

Times and memory differ from run to run, scores do not: they stand on the page and in costs.csv, not in report.md.
"""

from __future__ import annotations

from typing import Any

from versus.report.costs import COSTS, energy_by, side_by_side
from versus.report.entries import cost_entry
from versus.report.results import Results

NAME, TITLE = "costs", "Costs"
ENERGY = {
    "RAPL": "read from the processor's counter (RAPL), which counts all that runs on it",
    "TDP": "estimated from the processor's nominal power (TDP) and the share of it that the fit had",
}


def content(results: Results) -> dict[str, Any] | None:
    """Return a row for each evaluated cell, a column for each cost that any has; None where nothing was measured."""
    evaluations = [e for dataset in results.datasets for e in dataset.evaluations]
    measured = [cost for cost in COSTS if any(cost.of(e) for e in evaluations)]
    rows = [(e.cell, [cost_entry(e, cost) for cost in measured]) for e in evaluations]
    note = "Times and memory differ from run to run; scores do not."
    if (together := side_by_side(evaluations)) > 1:
        note += f" Up to {together} stages shared the machine; `versus repro -j 1` measures each alone."
    if any("together" in fit for e in evaluations for fit in e.training.get("repeats", ())):
        note += " Repeats of small networks were trained together: training is their time divided by their number."
    if ways := energy_by(evaluations):
        how = " or ".join(words for way, words in ENERGY.items() if way in ways)
        note += f" Energy is that of processor and GPU, {how}."
    found = {"costs": measured, "rows": rows, "note": note}
    return found if measured else None
