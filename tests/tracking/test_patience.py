"""A repro waits for a server for seconds, over all of its processes."""

import os
import time
from pathlib import Path

import pytest

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
    with pytest.raises(Outage, match=r"no answer within 0\.6 s"):
        patience.run(hang, healthy=0.1)
    with pytest.raises(Outage, match=r"no answer within 0\.1 s"):
        patience.run(hang, healthy=0.1)
    assert time.monotonic() - began < 2
    assert patience.left() == 0
    assert "no answer" in patience.outage()


def test_slowness_counts_beyond_what_a_healthy_server_takes(patience: Patience) -> None:
    for _ in range(2):
        patience.run(lambda: time.sleep(0.15), healthy=0.05)
    assert 0.1 < patience.left() < 0.4
    assert patience.outage() == ""


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
