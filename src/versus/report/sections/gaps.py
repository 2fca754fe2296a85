"""Cells and measurements that were skipped or failed, with reasons: no gap is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.results import Results
from versus.report.section import Content, escaped

NAME, TITLE = "gaps", "Skipped or failed"


@dataclass(frozen=True)
class Skip:
    """A measurement that was skipped, the reason, and the cells that it concerns."""

    what: str
    reason: str
    cells: tuple[str, ...]


def content(results: Results) -> dict[str, Any]:
    """Return the cells without an evaluation, failed ones first, and the measurements that other cells skipped."""
    return {"absent": {**results.failed, **results.missing}, "skips": skips(results.datasets)}


def skips(datasets: Sequence[DatasetResults]) -> list[Skip]:
    """Collect the measurements that the evaluations skipped, one entry for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for dataset in datasets:
        for evaluation in dataset.evaluations:
            for skipped in evaluation.facts["skipped"]:
                # The reasons name the class; with "the model" instead, cells that share a reason are grouped.
                reason = str(skipped["reason"]).replace(str(evaluation.facts.get("class")), "the model")
                key = str(skipped["what"]), reason
                found.setdefault(key, []).append(evaluation.cell.name)
    return [Skip(what, reason, tuple(cells)) for (what, reason), cells in sorted(found.items())]


def markdown(content: Content) -> list[str]:
    """Return a line for each gap."""
    absent = [f"- **{escaped(cell)}**: {escaped(reason)}" for cell, reason in content["absent"].items()]
    skipped = [f"- {escaped(s.what)}: {escaped(s.reason)} ({_count(len(s.cells))})" for s in content["skips"]]
    return [*(absent or ["Every cell of the params was evaluated."]), "", *skipped]


def _count(n: int) -> str:
    return "1 cell" if n == 1 else f"{n} cells"
