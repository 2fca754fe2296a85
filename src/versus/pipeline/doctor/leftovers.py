"""Temporary files that a killed process left half written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from versus.pipeline.doctor import removal
from versus.pipeline.doctor.finding import Finding
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
        yield removal.removable(workspace.root, path, f"{path} was left half written")
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
