"""``versus verify``: check that all files in dvc.lock are intact, in the workspace and in DVC's cache.

With a table that somebody hands in, also check that its scores are those of the workspace.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import isclose, isnan
from pathlib import Path

from versus.pipeline import verification
from versus.report.files import read_rows


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")
    parser.add_argument("--fix", action="store_true", help="remove damaged files, so that `dvc repro` makes them again")
    text = "a comparison.csv from elsewhere, whose scores must be those of the workspace"
    parser.add_argument("--table", type=Path, metavar="FILE", help=text)
    text = "by how much a score of the table may differ, relative to scores above 1 (default: 0.001)"
    parser.add_argument("--tolerance", type=float, default=1e-3, metavar="AMOUNT", help=text)


def run(options: argparse.Namespace) -> int:
    """Print a line for each damaged file and each score that differs; returns 1 if there are any."""
    damaged = _run(options)
    if damaged or options.table is None:
        return damaged
    found = list(differences(options.workspace / "reports" / "comparison.csv", options.table, options.tolerance))
    for difference in found:
        print(difference)
    print(f"{len(found)} scores of {options.table} differ." if found else f"{options.table} has the same scores.")
    return int(bool(found))


def _run(options: argparse.Namespace) -> int:
    found = list(verification.verify(options.workspace))
    for damage in found:
        print(damage)
    if not found:
        print(whole(verification.not_run(options.workspace)))
        return 0
    if not options.fix:
        remedy = "`versus verify --fix` removes what is damaged, and `dvc repro` makes all of it again"
        print(f"{len(found)} damaged or missing; {remedy}.")
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


def differences(own: Path, given: Path, tolerance: float) -> Iterator[str]:
    """Yield a line for each score that a given comparison.csv lacks, has besides, or has with another value.

    Raises:
        ValueError: if a table is missing, or is none.
    """
    here, there = _means(own), _means(given)
    for cell, metric in dict.fromkeys([*here, *there]):
        name, mean, other = f"{cell}, {metric}", here.get((cell, metric)), there.get((cell, metric))
        if mean is None or other is None:
            yield f"{name}: only in {given if mean is None else own}"
        elif not isclose(mean, other, rel_tol=tolerance, abs_tol=tolerance) and not (isnan(mean) and isnan(other)):
            yield f"{name}: {mean:.6g} here, {other:.6g} in {given}"


def _means(path: Path) -> dict[tuple[str, str], float]:
    if not path.is_file():
        raise ValueError(f"{path} is missing; a comparison.csv is wanted, which a run leaves in reports/")
    rows = read_rows(path, ("cell", "metric", "mean"))
    try:
        return {(row["cell"], row["metric"]): float(row["mean"] or "nan") for row in rows}
    except ValueError as error:
        raise ValueError(f"{path}: {error}; a score is wanted in column mean") from None
