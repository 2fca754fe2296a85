"""Check of the sqlite store of MLflow's runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from versus.pipeline.doctor.finding import Finding
from versus.tracking import destination, sqlite
from versus.workspace import Workspace

BESIDE = ("-wal", "-shm")  # what sqlite keeps beside a database


def damaged(workspace: Workspace) -> Iterator[Finding]:
    """Yield a finding if the store is not a database, is cut off or has damaged pages. Servers are not checked."""
    file = destination.find(workspace.root).sqlite_file
    if file is None or not file.is_file():
        return
    fault = sqlite.fault_of(file)
    if fault:
        yield Finding(
            f"{file} is not a usable MLflow store: {fault}",
            f"move it away, with {' and '.join(file.name + end for end in BESIDE)}; `make sync` fills a new one",
            partial(_move_aside, file),
        )


def _move_aside(file: Path) -> str:
    """Rename the store and its companion files; they are not deleted, as they may hold runs of other workspaces."""
    kept = file.with_name(f"{file.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in ("", *BESIDE):
        part = file.with_name(file.name + end)
        if part.exists():
            part.rename(kept.with_name(kept.name + end))
    return f"moved {file} to {kept.name}; `make sync` fills a new one"
