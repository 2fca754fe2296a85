"""``python -m versus sync``: log to MLflow what a server that was down has missed."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from versus import params as parameters
from versus import report
from versus.tracking import champions, client
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Mirror every cell that MLflow lacks and register the best ones, however long it takes; 1 where some is left."""
    workspace = Workspace(options.workspace)
    params = parameters.read(workspace.params)
    cells = list(parameters.cells(params))
    primary = asdict(params.comparison.primary)
    names = [cell.name for cell in cells]
    summary = client.sync(workspace, names, primary, to_the_end=True, progress=_show)
    print(summary)
    if summary.reason:
        return 1
    registration = champions.register(
        workspace, report.best_cells(workspace, cells, params.comparison), to_the_end=True
    )
    registration.warn()
    return 0 if summary.ok and registration.ok and not registration.failed else 1


def _show(cell: str, number: int, of: int) -> None:
    print(f"{number}/{of} {cell}")
