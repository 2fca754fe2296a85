"""``versus sync``: log results to MLflow that it missed while its server was down."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus import params as parameters
from versus import report
from versus.tracking import champions, client
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Log all missing cells to MLflow and register the best ones, without a time limit; returns 1 if any is left."""
    workspace = Workspace(options.workspace)
    params = parameters.read(workspace.params)
    cells = list(parameters.cells(params))
    summary = client.sync(workspace, cells, params.comparison, to_the_end=True, progress=_show)
    print(summary)
    if summary.reason:
        return 1
    best = report.best_cells(workspace, cells, params.comparison).values()
    registration = champions.register(
        workspace, [c for c in cells if c.name in best], params.comparison, to_the_end=True
    )
    return 0 if summary.ok and registration.ok else 1


def _show(cell: str, number: int, of: int) -> None:
    print(f"{number}/{of} {cell}")
