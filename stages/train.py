"""Common part of the three train stages: fit one cell from its params, and log its losses while it is fitted."""

from __future__ import annotations

from pathlib import Path

from versus import params as parameters
from versus.fitting import several
from versus.fitting.cell import fit_cell
from versus.tracking import client
from versus.workspace import Workspace


def main(family: str, name: str) -> None:
    """Fit the cell ``name`` of a family; writes models/<cell>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    cell = parameters.cell(params, name)
    if cell.family != family:
        raise ValueError(f"{name} stands under {cell.family} in params.yaml, not under {family}")
    if several.start(cell, params.training, params.tuning):
        return
    if several.is_follower():
        return fit_cell(workspace, cell, params.training, params.seed)
    with client.live(workspace, cell) as live:
        fit_cell(workspace, cell, params.training, params.seed, live.log, params.tuning, live.show)
