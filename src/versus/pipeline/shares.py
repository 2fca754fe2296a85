"""Shares of the cells: N machines train side by side, and exchange results through DVC's run cache.

Every machine computes the same division from params.yaml and the committed costs, so they need not communicate. Cells
are assigned from the longest to the shortest, each to the share with the least work so far: the fullest share then
takes at most 4/3 of the time of the best division (longest processing time first; Graham 1969, *Bounds on
multiprocessing timing anomalies*).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.params import Params
    from versus.settings import Cell

# Seconds that a cell takes whatever it fits: mostly its evaluation.
OVERHEAD = 3.0


@dataclass(frozen=True)
class Share:
    """Share number ``index`` of ``count``, counted from 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read a share written as ``2/3``.

        Raises:
            ValueError: if the text is not two whole numbers with 1 ≤ index ≤ count.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"{text!r} is no share; 2/3 is the second of three")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def divide(seconds: Mapping[str, float], count: int) -> list[list[str]]:
    """Divide cells into shares of about equal duration.

    Args:
        seconds: name of a cell -> expected seconds.
        count: number of shares; some stay empty if there are fewer cells.
    """
    shares: list[list[str]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for cell in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = loads.index(min(loads))
        shares[least].append(cell)
        loads[least] += seconds[cell]
    return shares


def cells_of(workspace: Workspace, share: Share) -> list[Cell]:
    """Return the cells of one share, in the order of params.yaml."""
    from versus import params as parameters
    from versus.report import files  # loads the whole report, which a run with nothing to do does not need

    params = parameters.read(workspace.params)
    cells = list(parameters.cells(params))
    fit_times = read_training_times(files.committed(workspace.reports / "costs.csv") or "")
    chosen = divide(expected_seconds(params, cells, fit_times), share.count)[share.index - 1]
    return [cell for cell in cells if cell.name in chosen]


def expected_seconds(params: Params, cells: Sequence[Cell], fit_times: Mapping[str, float]) -> dict[str, float]:
    """Return cell -> expected seconds of all its fits and the overhead; the average fit time replaces a missing one."""
    from versus import params as parameters

    typical = sum(fit_times.values()) / len(fit_times) if fit_times else 0.0
    given = {cell.name: parameters.dataset(params, cell.dataset) for cell in cells}
    repeats = {name: dataset.repeats or dataset.folds for name, dataset in given.items()}
    return {cell.name: OVERHEAD + repeats[cell.name] * fit_times.get(cell.name, typical) for cell in cells}


def read_training_times(text: str) -> dict[str, float]:
    """Read cell -> seconds of one fit from the text of a costs.csv."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["cell"]: float(row["value"]) for row in rows if row["quantity"] == "training_time"}
