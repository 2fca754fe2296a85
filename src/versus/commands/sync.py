"""``python -m versus sync``: log to MLflow what a server that was down has missed."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus.tracking import client
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Mirror every cell that MLflow lacks and say how many there were."""
    print(client.sync(Workspace(options.workspace)))
    return 0
