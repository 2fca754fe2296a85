"""``versus sample``: draw new data from a cell's generative model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from versus import params as parameters
from versus.data.spaces import Image
from versus.serving import prediction
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cell", help="a generative cell of params.yaml, such as iris-gaussian_tied")
    parser.add_argument("-n", type=int, default=64, help="number of draws (default: 64)")
    parser.add_argument("--label", help="the class to draw from (default: all, as frequent as in the data)")
    parser.add_argument("--seed", type=int, help="seed of the draws; the same seed draws the same data")
    parser.add_argument("--out", type=Path, help="a .csv for tables and texts, a .npy for images (default: print it)")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Draw samples and write them."""
    workspace = Workspace(options.workspace)
    parameters.cell(parameters.read(workspace.params), options.cell)
    model = prediction.load(workspace, options.cell)
    drawn = prediction.sample(model, options.n, options.label, options.seed)
    if not isinstance(model.schema.x, Image):
        drawn.to_csv(options.out or sys.stdout, index=False)
    elif options.out is None or options.out.suffix != ".npy":
        raise ValueError("these are images; name a file for them, such as --out samples.npy")
    else:
        np.save(options.out, drawn, allow_pickle=False)
        print(f"{len(drawn)} images in {options.out}")
    return 0
