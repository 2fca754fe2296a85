"""What was skipped or failed, and why: no silent gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.markdown import escaped
from versus.report.results import Results
from versus.report.section import Content

NAME, TITLE = "gaps", "Skipped or failed"


@dataclass(frozen=True)
class Skip:
    """One thing that was not measured, the reason, and the cells that it concerns."""

    what: str
    reason: str
    cells: tuple[str, ...]


def content(results: Results) -> dict[str, Any]:
    """Cells without an evaluation, those that failed first, and what the evaluations of the others left out."""
    return {"absent": {**results.failed, **results.missing}, "skips": skips(results.datasets)}


def skips(datasets: Sequence[DatasetResults]) -> list[Skip]:
    """What the evaluations say they skipped, one entry for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for dataset in datasets:
        for evaluation in dataset.evaluations:
            for skipped in evaluation.facts["skipped"]:
                # The reasons name the class; said of "the model" they are the same for all that share them.
                reason = str(skipped["reason"]).replace(str(evaluation.facts.get("class")), "the model")
                key = str(skipped["what"]), reason
                found.setdefault(key, []).append(evaluation.cell.name)
    return [Skip(what, reason, tuple(cells)) for (what, reason), cells in sorted(found.items())]


def markdown(content: Content) -> list[str]:
    """A line for each gap."""
    absent = [f"- **{escaped(cell)}**: {escaped(reason)}" for cell, reason in content["absent"].items()]
    skipped = [f"- {escaped(s.what)}: {escaped(s.reason)} ({_count(len(s.cells))})" for s in content["skips"]]
    return [*(absent or ["Every cell of the params was evaluated."]), "", *skipped]


def _count(n: int) -> str:
    return "1 cell" if n == 1 else f"{n} cells"
