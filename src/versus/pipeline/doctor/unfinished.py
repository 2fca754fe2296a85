"""Unfinished fits that no training will resume."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from versus import params as parameters
from versus.fitting import unfinished
from versus.params import Params
from versus.pipeline.doctor import removal
from versus.pipeline.doctor.finding import Finding
from versus.settings import Cell
from versus.workspace import Workspace


def stale(workspace: Workspace, params: Params) -> Iterator[Finding]:
    """Yield unfinished fits of cells that are gone, or whose parameters, data or code have changed.

    A cell whose stage is up to date has no matching unfinished fit: it was delivered, or its output was removed when
    the fit began.
    """
    cells = {cell.name: cell for cell in parameters.cells(params)}
    for folder in sorted(path for path in workspace.private.glob("unfinished/*") if path.is_dir()):
        cell = cells.get(folder.name)
        if cell is None:
            why = "params.yaml has no such cell"
        elif not _fits(workspace, cell, folder):
            why = "its parameters, data or code have changed since"
        else:
            continue
        found = removal.removable(workspace.root, folder, f"{folder} is an unfinished fit, and {why}")
        fix = found.fix and partial(_remove_unused, workspace.root, folder)
        yield Finding(found.problem, found.mend, fix)


def _fits(workspace: Workspace, cell: Cell, folder: Path) -> bool:
    """Check whether training would resume the fit; True also if unknown because the data are not prepared yet."""
    try:
        return unfinished.is_of(folder, unfinished.fingerprint(workspace, cell))
    except FileNotFoundError:
        return True


def _remove_unused(root: Path, folder: Path) -> str:
    """Remove an unfinished fit under the lock that its stage holds during the fit.

    Raises:
        OSError: if the stage is running.
    """
    try:
        with FileLock(unfinished.lock(folder), timeout=0):
            return removal.remove(root, folder)
    except Timeout:
        raise OSError(f"{folder} is being fitted") from None
