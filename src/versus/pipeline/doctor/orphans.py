"""Outputs of cells and data sets that are no longer in params.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from versus import params as parameters
from versus.params import Params
from versus.pipeline.doctor import removal
from versus.pipeline.doctor.finding import Finding
from versus.workspace import Workspace


def orphans(workspace: Workspace, params: Params) -> Iterator[Finding]:
    """Yield folders that a stage made and no stage makes now; each is recognised by a file that its stage writes.

    `compare` depends on all evaluations and prepared data: an orphan makes it run again. DVC's cache keeps the orphans,
    so that a cell that comes back is not computed again.
    """
    cells = {cell.name for cell in parameters.cells(params)}
    datasets = {*params.datasets, *params.files}
    for folder, names, mark in (
        (workspace.root / "models", cells, "history.csv"),
        (workspace.reports / "evaluations", cells, "evaluation.json"),
        (workspace.root / "data" / "prepared", datasets, "about.json"),
    ):
        for path in _made_by_stages(folder, mark):
            if path.name not in names:
                what = "data set" if names is datasets else "cell"
                yield removal.removable(workspace.root, path, f"{path} is of a {what} that params.yaml does not have")


def _made_by_stages(folder: Path, mark: str) -> list[Path]:
    """Paths in ``folder`` that hold a file called ``mark``; hidden ones, which are half written, are skipped."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p for p in inside if not p.name.startswith(".") and (p / mark).is_file()]
