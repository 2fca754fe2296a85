"""What was skipped or failed, and why: no silent gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from versus.report.cells import Cell
from versus.report.dataset import Dataset


@dataclass(frozen=True)
class Skip:
    """One thing that was not measured, the reason, and the cells that it concerns."""

    what: str
    reason: str
    cells: tuple[str, ...]


def missing_cells(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the params that have no evaluation."""
    return [cell for cell in cells if cell.missing is not None]


def skips(datasets: Sequence[Dataset]) -> list[Skip]:
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
