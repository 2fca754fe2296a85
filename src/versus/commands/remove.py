"""``versus remove``: take data sets with their cells, or cells, out of params.yaml."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus import params as parameters
from versus import params_editing
from versus.commands.add import expect_no_plain_repro


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="a data set or a cell of params.yaml")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the file to take it out of")


def run(options: argparse.Namespace) -> int:
    """Edit params.yaml, which keeps its comments, and say what is gone; results and data files stay where they are."""
    expect_no_plain_repro(options.params.parent)
    for name in options.names:
        for entry in params_editing.without(options.params, parameters.read(options.params), name):
            print(f"removed {entry}")
    print("`versus repro` makes the report without it; `dvc gc --workspace` frees its space.")
    return 0
