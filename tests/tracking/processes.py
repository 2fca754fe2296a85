"""Stages in processes of their own, and what they wrote, for the tests of the mirror."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from versus.tracking import client, destination, run_log
from versus.workspace import Workspace

SOURCE = Path(client.__file__).parents[2]
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


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["mlflow", "alembic.migration", "versus.tracking.mirror", "tests.tracking.workspaces"])


class Stage:
    """Code that runs as a stage: in the workspace, in a process that is forked from one that has MLflow loaded."""

    def __init__(self, workspace: Workspace, code: str, **environment: str) -> None:
        self._output = Path(tempfile.mkdtemp(dir=workspace.root))
        given = {**os.environ, **environment}
        self.process = FORKS.Process(target=_run, args=(workspace.root, code, given, self._output))
        self.process.start()

    def said(self, stream: str = "out") -> str:
        """What it has printed so far on a stream, out or err."""
        file = self._output / stream
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def end(self) -> int | None:
        """Wait for its end; the exit code."""
        self.process.join(600)
        return self.process.exitcode


def _run(folder: Path, code: str, environment: dict[str, str], output: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, stream in ((1, "out"), (2, "err")):
        os.dup2(os.open(output / stream, os.O_WRONLY | os.O_CREAT, 0o644), number)
    exec(PROLOGUE + code, {})


def in_a_stage(workspace: Workspace, code: str, **environment: str) -> tuple[str, str]:
    """What code prints when it runs as a stage, on both streams."""
    stage = Stage(workspace, code, **environment)
    assert stage.end() == 0, stage.said("err")
    return stage.said("out"), stage.said("err")
