"""``versus rollback``: make the previous champion of a data set the champion again."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus import params as parameters
from versus.tracking import champions
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dataset", help="a data set of params.yaml")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Move the aliases and print both versions."""
    workspace = Workspace(options.workspace)
    parameters.dataset(parameters.read(workspace.params), options.dataset)
    done = champions.roll_back(workspace, options.dataset)
    if not done.ok:
        raise ValueError(f"the champion of {options.dataset} stays what it is: {done.reason}")
    standing = done.standings[options.dataset]
    print(f"{options.dataset}: {standing.champion} is the champion again; {standing.previous} is the previous one now")
    return 0
