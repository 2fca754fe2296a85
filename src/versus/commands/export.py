"""``versus export``: write a cell's model as a file that other programs run."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus import params as parameters
from versus.serving.prediction import REPEAT
from versus.workspace import Workspace

FORMATS = {"onnx": ".onnx", "mlflow": ""}  # name -> ending of what is written: a file, or a folder


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cell", help="a cell of params.yaml, such as iris-logistic_regression")
    told = "onnx: a file with preprocessing and labels, checked on the test rows; mlflow: a folder to serve"
    parser.add_argument("--format", choices=FORMATS, default="onnx", help=f"{told} (default: onnx)")
    parser.add_argument("--out", type=Path, help="the file or folder to write (default: named after the cell)")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Write the model and say where it is.

    Raises:
        ValueError: for an unknown cell, or a model that has no such form.
    """
    workspace = Workspace(options.workspace)
    cell = parameters.cell(parameters.read(workspace.params), options.cell)
    out = options.out or Path(f"{cell.name}{FORMATS[options.format]}")
    if out.exists() and options.format == "mlflow":
        raise ValueError(f"{out} exists; --out names another folder")
    saved, data = workspace.model(cell.name) / str(REPEAT), workspace.prepared(cell.dataset)
    if options.format == "onnx":
        from versus.serving import onnx_graph

        onnx_graph.write(saved, data, out)
        print(f"{out}: ONNX Runtime answers the test rows as {cell.name} does.")
    else:
        from versus.serving import package

        package.write(saved, data, out)
        print(f"{out}: `mlflow models serve -m {out}` serves {cell.name}.")
    return 0
