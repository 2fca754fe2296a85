"""Files that no run needs any more: half written ones, unfinished fits, outputs of cells that are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from versus import params as parameters
from versus.fitting import failure, unfinished
from versus.params import Params
from versus.pipeline.doctor.finding import Finding, removable, remove
from versus.tracking import destination
from versus.workspace import Workspace

# Seen from the workspace. Whoever writes such a file renames it once it is whole.
ASIDE = (
    "data/.fingerprints",
    "data/prepared/.*.partial",
    "reports/evaluations/.*.partial",
    ".params.yaml",
    ".params.yaml.new",
)


def written_aside(workspace: Workspace) -> Iterator[Finding]:
    """Yield files left half written. `dvc` hashes some of their folders as a whole, so it would run `compare` again."""
    found = [path for pattern in ASIDE for path in sorted(workspace.root.glob(pattern))]
    found += [path for path in sorted(workspace.private.glob("dvc.*")) if re.fullmatch(r"dvc\.\d+", path.name)]
    for path in found:
        yield removable(workspace.root, path, f"{path} was left half written")
    yield from _unfinished_stores(destination.find(workspace.root).sqlite_file)


def _unfinished_stores(file: Path | None) -> Iterator[Finding]:
    if file is None:
        return
    lock = file.with_name(f"{file.name}.lock")
    for path in sorted(file.parent.glob(f"{file.name}.*.partial*")):
        yield Finding(f"{path} was left half written", f"remove {path}", partial(_remove_under, lock, path))


def _remove_under(lock: Path, path: Path) -> str:
    """Remove a file that the holder of the lock may be using.

    Raises:
        OSError: if the lock is held.
    """
    try:
        with FileLock(lock, timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        raise OSError(f"{path} has come into use") from None
    return f"removed {path}"


def unfinished_fits(workspace: Workspace, params: Params) -> Iterator[Finding]:
    """Yield fits of cells that are gone, and unfinished ones whose parameters, data or code have changed.

    A cell whose stage is up to date has no matching unfinished fit: it was delivered, or its output was removed when
    the fit began.
    """
    stages = {cell.name: (f"train-{cell.name}", cell.dataset) for cell in parameters.cells(params)}
    stages |= {f"experiment-{name}": (f"experiment-{name}", asked.data) for name, asked in params.experiments.items()}
    for folder in sorted(p for kind in ("failed", "fits") for p in workspace.private.glob(f"{kind}/*")):
        if folder.name in stages:
            continue
        yield removable(workspace.root, folder, f"{folder} holds fits, and params.yaml has no such cell")
    for folder in sorted(path for path in workspace.private.glob("unfinished/*") if path.is_dir()):
        stage = stages.get(folder.name)
        if stage is None:
            why = "params.yaml has no such cell"
        elif not _fits(workspace, folder, *stage):
            why = "its parameters, data or code have changed since"
        else:
            continue
        found = removable(workspace.root, folder, f"{folder} is an unfinished fit, and {why}")
        fix = found.fix and partial(_remove_unused, workspace.root, folder)
        yield Finding(found.problem, found.mend, fix)


def _fits(workspace: Workspace, folder: Path, stage: str, dataset: str) -> bool:
    """Check whether training would resume the fit; True also if unknown because the data are not prepared yet."""
    try:
        return unfinished.is_of(folder, unfinished.fingerprint(workspace, stage, dataset))
    except FileNotFoundError:
        return True


def _remove_unused(root: Path, folder: Path) -> str:
    """Remove an unfinished fit under the lock that its stage holds during the fit.

    Raises:
        OSError: if the stage is running.
    """
    try:
        with FileLock(unfinished.lock(folder), timeout=0):
            return remove(root, folder)
    except Timeout:
        raise OSError(f"{folder} is being fitted") from None


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
                yield removable(workspace.root, path, f"{path} is of a {what} that params.yaml does not have")


def _made_by_stages(folder: Path, mark: str) -> list[Path]:
    """Paths in ``folder`` that hold a file called ``mark``, or the reason why there is none.

    Hidden ones, which are half written, are skipped.
    """
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    marks = (mark, failure.NAME)
    return [p for p in inside if not p.name.startswith(".") and any((p / name).is_file() for name in marks)]
