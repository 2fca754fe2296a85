"""Unfinished fits that no training will go on with."""

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
    """Unfinished fits of cells that are gone, or of other params, data or code than there are now.

    A cell whose stage is up to date has none that fits: it was delivered, or its output was removed as the fit began.
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
    """Whether training would go on with it; also where that cannot be told, as data are yet to be prepared."""
    try:
        return unfinished.is_of(folder, unfinished.fingerprint(workspace, cell))
    except FileNotFoundError:
        return True


def _remove_unused(root: Path, folder: Path) -> str:
    """Remove an unfinished fit under the lock that its stage holds while it fits.

    Raises:
        OSError: if the stage is at work.
    """
    try:
        with FileLock(unfinished.lock(folder), timeout=0):
            return removal.remove(root, folder)
    except Timeout:
        raise OSError(f"{folder} is being fitted") from None
