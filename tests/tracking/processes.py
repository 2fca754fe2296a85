"""Stages in processes of their own, and what they wrote, for the tests of the mirror."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from versus.tracking import client, destination, run_log
from versus.workspace import Workspace

SOURCE = Path(client.__file__).parents[2]
ROOT = SOURCE.parent
PROLOGUE = """\
from pathlib import Path
from tests.tracking.workspaces import a_cell
from versus.settings import Comparison
from versus.tracking import client
from versus.workspace import Workspace
workspace = Workspace(Path())
"""


def runs(workspace: Workspace, cell: str = "", uri: str = "", experiment: str = "flowers") -> list[Run]:
    """The runs of an experiment, of one cell where it is given; deleted ones and children aside."""
    store = MlflowClient(uri or destination.find(workspace.root).uri)
    found = store.get_experiment_by_name(experiment)
    condition = f"tags.cell = '{cell}'" if cell else ""
    every = [] if found is None else store.search_runs([found.experiment_id], condition)
    return [run for run in every if MLFLOW_PARENT_RUN_ID not in run.data.tags]


def curve(workspace: Workspace, run: Run, repeat: int, loss: str = "train_loss", uri: str = "") -> list[float]:
    """The values of a loss in the child run of a repeat, by step; empty where there is none."""
    store = MlflowClient(uri or destination.find(workspace.root).uri)
    child = run_log.fits_of(store, run).get(repeat)
    found = store.get_metric_history(child.info.run_id, f"training/{loss}") if child else []
    return [point.value for point in sorted(found, key=lambda point: point.step)]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def start(workspace: Workspace, code: str, **environment: str) -> subprocess.Popen[str]:
    """Start code as a stage: in a process of its own, in the workspace."""
    return subprocess.Popen(
        [sys.executable, "-c", PROLOGUE + code],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": f"{SOURCE}{os.pathsep}{ROOT}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def in_a_stage(workspace: Workspace, code: str, **environment: str) -> tuple[str, str]:
    """What code prints when it runs as a stage, on both streams."""
    process = start(workspace, code, **environment)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out, err
