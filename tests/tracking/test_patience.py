"""A repro waits for a server for seconds, over all of its processes."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INVALID_PARAMETER_VALUE

from versus.tracking.destination import Destination
from versus.tracking.patience import Outage, Patience
from versus.workspace import Workspace


@pytest.fixture
def patience(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Patience:
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "0.5")
    return Patience(workspace, Destination("http://127.0.0.1:9", "", workspace.root))


def hang() -> None:
    time.sleep(60)


def test_what_is_done_in_time_costs_nothing(patience: Patience) -> None:
    assert [patience.run(lambda: 7) for _ in range(5)] == [7] * 5
    assert (patience.left(), patience.outage()) == (0.5, "")


def test_an_action_that_hangs_is_left_alone_when_the_budget_is_spent(patience: Patience) -> None:
    began = time.monotonic()
    with pytest.raises(Outage, match=r"no answer within 0\.\d s"):
        patience.run(hang, healthy=0.1)
    assert time.monotonic() - began < 2
    assert patience.left() == 0
    assert "no answer" in patience.outage()
    asked: list[int] = []
    with pytest.raises(Outage, match="no answer"):
        patience.run(lambda: asked.append(1))
    assert asked == []  # nothing is tried when nothing is left


def test_a_slow_answer_costs_all_of_its_time_so_that_any_number_of_them_costs_the_budget(patience: Patience) -> None:
    began, answers = time.monotonic(), []

    def slow() -> None:
        time.sleep(0.1)
        answers.append(1)

    while patience.left():
        with suppress(Outage):
            patience.run(slow, healthy=0.05)
    assert 1 <= len(answers) <= 5
    assert time.monotonic() - began < 1.5
    with pytest.raises(Outage, match="answer"):
        patience.run(slow)


def test_a_process_that_waits_gives_up_when_others_have_spent_the_budget(
    patience: Patience, workspace: Workspace
) -> None:
    def wait() -> None:
        with suppress(Outage):
            patience.run(hang, healthy=0.0)

    waiting = threading.Thread(target=wait)
    waiting.start()
    Patience(workspace, Destination("http://127.0.0.1:9", "", Path()))._note(9.0, "down")
    waiting.join(0.4)
    assert not waiting.is_alive()


def test_processes_of_one_repro_share_the_budget_and_another_repro_has_its_own(
    patience: Patience, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSUS_REPRO", "first")
    with pytest.raises(Outage, match="no answer"):
        patience.run(hang, healthy=0.0)
    assert Patience(workspace, Destination("http://127.0.0.1:9", "", Path())).left() == 0
    monkeypatch.setenv("VERSUS_REPRO", "second")
    assert (patience.left(), patience.outage()) == (0.5, "")


def test_processes_of_a_workspace_write_one_after_the_other(patience: Patience) -> None:
    with pytest.raises(Outage):
        patience.write(hang, healthy=0.0)  # it hangs on, and holds the lock
    written: list[int] = []
    with pytest.raises(Outage, match=r"no answer|mlflow\.lock"):
        patience.write(lambda: written.append(1), healthy=0.2)
    assert written == []


def test_faults_of_the_request_are_no_outages(patience: Patience) -> None:
    def ask() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        patience.run(ask)
    assert patience.outage() == ""


def test_a_local_file_is_waited_for_without_limit(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "0")
    local = Patience(workspace, Destination(f"sqlite:///{workspace.root}/mlflow.db", "", Path()))
    assert local.run(lambda: time.sleep(0.5) or os.getpid(), healthy=0.0) == os.getpid()


def test_what_others_overtook_is_done_again_and_what_is_wrong_is_not(patience: Patience) -> None:
    left = [
        MlflowException("UNIQUE constraint failed: experiments.name", BAD_REQUEST),
        MlflowException("The run 7 must be in the 'active' state", INVALID_PARAMETER_VALUE),
    ]

    def write() -> str:
        if left:
            raise left.pop()
        return "written"

    assert patience.write(write, healthy=60) == "written"
    assert patience.outage() == ""
    left[:] = [ValueError("damaged")] * 2  # type: ignore[list-item]
    with pytest.raises(ValueError, match="damaged"):
        patience.write(write, healthy=60)
    assert len(left) == 1
