"""``versus verify``: check that all files in dvc.lock are intact, in the workspace and in DVC's cache."""

from __future__ import annotations

import argparse
from pathlib import Path

from versus.pipeline import verification


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")
    parser.add_argument("--fix", action="store_true", help="remove damaged files, so that `dvc repro` makes them again")


def run(options: argparse.Namespace) -> int:
    """Print a line for each damaged file; returns 1 if there are any that `dvc repro` would not mend now."""
    found = list(verification.verify(options.workspace))
    for damage in found:
        print(damage)
    if not found:
        print(whole(verification.not_run(options.workspace)))
        return 0
    if not options.fix:
        print(f"{len(found)} damaged; `versus verify --fix` removes them, and `dvc repro` makes them again.")
        return 1
    removed = sum(damage.remove() for damage in found)
    lost = f" {len(found) - removed} are missing: there is nothing to remove." if removed < len(found) else ""
    print(f"Removed {removed} damaged files.{lost} `dvc repro` makes them again, or `dvc pull` fetches them.")
    return 0


def whole(not_run: list[str]) -> str:
    """Say that nothing is damaged, and which stages have left nothing that could be."""
    said = "Everything that dvc.lock names is whole."
    if not not_run:
        return said
    stages = "1 stage" if len(not_run) == 1 else f"{len(not_run)} stages"
    return f"{said} It does not name {stages} of dvc.yaml ({', '.join(not_run[:3])} …): `dvc repro` runs them."
