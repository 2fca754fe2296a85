"""``versus status``: say which cells run again after an edit, and about how long that takes."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from versus import params as parameters
from versus.commands.repro import cores
from versus.data.errors import listed
from versus.pipeline import changes, shares
from versus.workspace import Workspace

FIT, SCORE = "train-", "evaluate-"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Print a line for each edited file with the cells that it reaches, and the sum."""
    workspace = Workspace(options.workspace)
    params = parameters.read(workspace.params)
    stages = changes.changed(workspace.root, params)
    if not stages:
        print("Neither params nor code have changed since the last run. `dvc status` looks at files of data, too.")
        return 0
    by_cause: dict[str, list[str]] = defaultdict(list)
    for stage, causes in stages.items():
        for cause in causes:
            by_cause[cause].append(stage)
    for cause, reached in by_cause.items():
        print(f"{cause}: {listed(reached, 4)}")
    prepared = {stage.removeprefix("prepare-") for stage in stages if stage.startswith("prepare-")}
    cells = list(parameters.cells(params))
    fitted = [cell for cell in cells if cell.dataset in prepared or FIT + cell.name in stages]
    scored = [cell for cell in cells if cell in fitted or SCORE + cell.name in stages]
    costs = workspace.reports / "costs.csv"
    seconds = shares.read_training_times(costs.read_text(encoding="utf-8")) if costs.is_file() else {}
    print(f"To run: {len(fitted)} of {len(cells)} cells are fitted, {len(scored)} scored, and compared.")
    if seconds:
        expected = shares.expected_seconds(params, fitted, seconds)
        print(f"About {sum(expected.values()) / cores():.0f} s, by the fits of the last report on {cores()} cores.")
    return 0
