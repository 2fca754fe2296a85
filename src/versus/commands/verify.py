"""``python -m versus verify``: check that all files in dvc.lock are intact, in the workspace and in DVC's cache."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus.pipeline import verification


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")
    parser.add_argument("--fix", action="store_true", help="remove damaged files, so that `dvc repro` makes them again")


def run(options: argparse.Namespace) -> int:
    """Print a line for each damaged file; returns 1 if there are any that were not removed."""
    found = list(verification.verify(options.workspace))
    for damage in found:
        print(damage)
        if options.fix and damage.place != "lock":
            damage.path.unlink()
    if not found:
        print("Everything that dvc.lock names is whole.")
    elif options.fix:
        print(f"Removed {len(found)} damaged files; `dvc repro` makes them again.")
    else:
        print(f"{len(found)} damaged; `python -m versus verify --fix` removes them, and `dvc repro` makes them again.")
    return int(bool(found) and not options.fix)
