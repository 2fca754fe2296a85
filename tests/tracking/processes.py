"""Looking at publishers and at what they wrote, for the tests of the mirror."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from mlflow import MlflowClient
from mlflow.entities import Run

from versus.tracking import client, destination
from versus.workspace import Workspace

SOURCE = Path(client.__file__).parents[2]


def publishers(workspace: Workspace) -> list[psutil.Process]:
    """The publishers that serve a workspace."""
    return [p for p in psutil.process_iter(["cmdline"]) if _serves(p.info["cmdline"] or [], workspace)]


def _serves(words: list[str], workspace: Workspace) -> bool:
    return "versus.tracking.publisher" in words and str(workspace.root) in words


def runs(workspace: Workspace, cell: str = "") -> list[Run]:
    """The runs of the data set "flowers", of one cell where it is given; deleted ones aside."""
    store = MlflowClient(destination.find(workspace.root).uri)
    found = store.get_experiment_by_name("flowers")
    condition = f"tags.cell = '{cell}'" if cell else ""
    return [] if found is None else list(store.search_runs([found.experiment_id], condition))


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def in_a_stage(workspace: Workspace, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code as a stage does: in a process of its own, in the workspace."""
    lines = ["from pathlib import Path", "from versus.workspace import Workspace", "from versus.tracking import client"]
    return subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, "workspace = Workspace(Path())", code])],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "VERSUS_PUBLISHER_IDLE": "20", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
