"""``python -m versus sync``: log to MLflow what a server that was down has missed."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus import params as parameters
from versus.tracking import client
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Mirror every cell that MLflow lacks, however long it takes; returns 1 where some could not be."""
    workspace = Workspace(options.workspace)
    cells = [cell.name for cell in parameters.cells(parameters.read(workspace.params))]
    summary = client.sync(workspace, cells, to_the_end=True, progress=lambda cell, n, of: print(f"{n}/{of} {cell}"))
    print(summary)
    return 0 if summary.ok else 1
