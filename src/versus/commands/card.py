"""``versus card``: print or write the model card of a cell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from versus import params as parameters
from versus.serving import card
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cell", help="an evaluated cell of params.yaml, such as iris-naive_bayes")
    parser.add_argument("--out", type=Path, help="a .md to write (default: print it)")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Write what the model is, its data, scores, limits and provenance, as Markdown."""
    workspace = Workspace(options.workspace)
    params = parameters.read(workspace.params)
    text = card.render(workspace, parameters.cell(params, options.cell), params.comparison.confidence)
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0
