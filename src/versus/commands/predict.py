"""``versus predict``: predict the rows of a file with a cell's model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from versus import params as parameters
from versus.serving import files, prediction
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cell", help="a cell of params.yaml, such as iris-gaussian_tied")
    parser.add_argument("file", type=Path, help="the original columns in a file of any kind that add reads; images")
    parser.add_argument(
        "--unseen",
        choices=("error", "missing"),
        default="error",
        help="how to treat a category that the model has not seen",
    )
    parser.add_argument("--out", type=Path, help="a .csv to write (default: print it)")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Write a row of predictions for each row of the file."""
    workspace = Workspace(options.workspace)
    parameters.cell(parameters.read(workspace.params), options.cell)
    model = prediction.load(workspace, options.cell)
    answers = prediction.predict(model, files.read(options.file, model.schema), options.unseen)
    answers.to_csv(options.out or sys.stdout, index=False)
    return 0
