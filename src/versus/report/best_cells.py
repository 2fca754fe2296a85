"""The best cell of each data set, as the report names it."""

from __future__ import annotations

from collections.abc import Iterable

from versus.report.build import read_datasets
from versus.report.cells import FAMILY_NAMES, Configured, Judging, Options
from versus.workspace import Workspace


def best_cells(workspace: Workspace, cells: Iterable[Configured], options: Judging | None = None) -> dict[str, str]:
    """Data set -> the cell with the best mean of the deciding score.

    Data sets with a cell that is not evaluated are left out, for that one might be the best; so are those where
    nothing predicts but baselines.

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    whole = (d for d in read_datasets(workspace, cells, options or Options()) if not d.missing)
    return {d.name: best.cell.name for d in whole if (best := d.best(*FAMILY_NAMES)) is not None}
