"""A fit that takes long shows its losses while it goes on, and never waits for it."""

import time

import numpy as np
import pytest
from mlflow import MlflowClient

from tests.tracking.processes import curve, runs, wait_for
from tests.tracking.workspaces import CELL, a_cell, history
from versus.tracking import client, destination, live
from versus.tracking.run_log import STATE, TRAINING, tag
from versus.workspace import Workspace

LOSSES = [(step, {"train_loss": float(value)}) for r, step, name, value in history(20) if r == 0 and "train" in name]


@pytest.fixture(autouse=True)
def long_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONG", 0.0)
    monkeypatch.setattr(live, "EVERY", 0.1)


def test_a_fit_appears_while_it_goes_on_and_its_run_becomes_the_cells(stored: Workspace) -> None:
    with client.live(stored, a_cell()) as fit:
        for step, losses in LOSSES[:10]:
            fit.log(step, losses)
            fit.show(step, np.full((3, 8, 8), step, np.uint8), 17)
        wait_for(lambda: runs(stored, CELL) and curve(stored, runs(stored, CELL)[0], repeat=0))
        (run,) = runs(stored, CELL)
        assert (tag(run, STATE), run.info.status) == (TRAINING, "RUNNING")
        for step, losses in LOSSES[10:]:
            fit.log(step, losses)
    assert client.mirror_cell(stored, a_cell(), 0.95).run_id == run.info.run_id
    assert curve(stored, run, repeat=0) == [losses["train_loss"] for _, losses in LOSSES]
    assert len(runs(stored)) == 1
    pictures = MlflowClient(destination.find(stored.root).uri).list_artifacts(run.info.run_id, "images")
    assert len([found for found in pictures if found.path.endswith(".png")]) == 10


@pytest.mark.parametrize(("error", "status"), [(FloatingPointError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_fit_that_breaks_off_does_not_run_on_in_mlflow(
    stored: Workspace, error: type[BaseException], status: str
) -> None:
    def fit() -> None:
        with client.live(stored, a_cell()) as live_fit:
            live_fit.log(*LOSSES[0])
            raise error

    with pytest.raises(error):
        fit()
    (run,) = runs(stored, CELL)
    assert run.info.status == status
    assert curve(stored, run, repeat=0) == [LOSSES[0][1]["train_loss"]]


def test_a_short_fit_leaves_no_trace(stored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONG", 60.0)
    with client.live(stored, a_cell()) as fit:
        for step, losses in LOSSES:
            fit.log(step, losses)
    assert runs(stored) == []


def test_logging_a_step_never_waits_and_the_end_waits_for_the_budget_alone(
    stored: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://10.255.255.1:9")  # packets go nowhere
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "1")
    longest = 0.0
    with client.live(stored, a_cell()) as fit:
        for step in range(2000):
            began = time.monotonic()
            fit.log(step, {"loss": 1.0})
            longest = max(longest, time.monotonic() - began)
        began = time.monotonic()
    assert longest < 0.5
    assert time.monotonic() - began < 5
    assert capsys.readouterr().err.startswith("warning: tracking: the losses of flowers-vae were not shown")
