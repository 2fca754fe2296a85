import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.tracking.conftest import end_publishers
from tests.tracking.servers import MlflowServer
from tests.tracking.workspaces import make_cell, make_dataset
from versus.tracking import client
from versus.tracking.run_log import COMPLETE, STATE, tag
from versus.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def remote(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace that tracks to the server, under experiments of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", request.node.name)
    monkeypatch.delenv("VERSUS_TRACKING_PATIENCE")
    workspace = Workspace(tmp_path)
    make_dataset(workspace)
    yield workspace
    end_publishers(workspace)


def runs(server: MlflowServer, remote: Workspace, name: str) -> list[Run]:
    store = MlflowClient(server.uri)
    found = store.get_experiment_by_name(f"{name}-flowers")
    return [] if found is None else list(store.search_runs([found.experiment_id]))


def stage(workspace: Workspace, cell: str) -> tuple[bool, float]:
    """Whether a stage, which is a process, got its cell mirrored, and how long it waited."""
    client._waited = 0.0
    began = time.monotonic()
    ok = client.mirror_cell(workspace, cell).ok
    return ok, time.monotonic() - began


def mend(workspace: Workspace, cells: list[str]) -> None:
    client._waited = 0.0
    summary = client.sync(workspace, cells, to_the_end=True)
    assert summary.ok, summary


def test_a_cell_is_mirrored_whole(server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest) -> None:
    make_cell(remote, "flowers-a")
    mend(remote, ["flowers-a"])
    (run,) = runs(server, remote, request.node.name)
    assert (run.info.status, tag(run, STATE)) == ("FINISHED", COMPLETE)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    names = {item.path for item in MlflowClient(server.uri).list_artifacts(run.info.run_id)}
    assert names == {"confusion.svg", "reliability.svg", "samples.csv", "evaluation"}
    assert stage(remote, "flowers-a")[0]
    assert len(runs(server, remote, request.node.name)) == 1


def test_a_server_that_is_down_costs_little_and_the_gap_is_mended(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["flowers-a", "flowers-b", "flowers-c"]
    for number, cell in enumerate(cells):
        make_cell(remote, cell, seed=number)
    server.kill()
    try:
        outcomes = [stage(remote, cell) for cell in cells]
        assert client.sync(remote, cells).ok is False
    finally:
        server.start()
    assert [ok for ok, _ in outcomes] == [False] * 3
    assert max(seconds for _, seconds in outcomes) < 10
    assert outcomes[2][1] < 1  # the first outage is remembered
    warnings = capsys.readouterr().err.splitlines()
    assert len([line for line in warnings if line.startswith("warning: tracking: ")]) == len(warnings) == 4
    mend(remote, cells)
    found = runs(server, remote, request.node.name)
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {tag(r, STATE) for r in found} == {COMPLETE}


def test_a_server_that_freezes_costs_less_than_ten_seconds_and_leaves_one_run(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest
) -> None:
    make_cell(remote, "flowers-warm", seed=9)
    mend(remote, ["flowers-warm"])
    cells = ["flowers-a", "flowers-b"]
    for number, cell in enumerate(cells):
        make_cell(remote, cell, seed=number)
    with server.frozen():
        outcomes = [stage(remote, cell) for cell in cells]
    assert [ok for ok, _ in outcomes] == [False] * 2
    assert max(seconds for _, seconds in outcomes) < 10
    mend(remote, cells)
    found = [r for r in runs(server, remote, request.node.name) if tag(r, "cell") in cells]
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {tag(r, STATE) for r in found} == {COMPLETE}


def test_a_slow_server_costs_less_than_ten_seconds(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest
) -> None:
    make_cell(remote, "flowers-a", steps=200)
    with server.slow(share=0.1):
        _, seconds = stage(remote, "flowers-a")
    assert seconds < 10
    mend(remote, ["flowers-a"])
    (run,) = runs(server, remote, request.node.name)
    assert tag(run, STATE) == COMPLETE


def test_a_server_that_dies_half_way_leaves_one_whole_run(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest
) -> None:
    make_cell(remote, "flowers-warm", seed=9)
    mend(remote, ["flowers-warm"])
    cells = ["flowers-a", "flowers-b"]
    for number, (cell, delay) in enumerate(zip(cells, (0.1, 0.3), strict=True)):
        make_cell(remote, cell, seed=number, steps=200)
        asking = threading.Thread(target=stage, args=(remote, cell))
        asking.start()
        time.sleep(delay)
        server.kill()
        asking.join(timeout=10)
        assert not asking.is_alive()
        server.start()
        mend(remote, cells[: number + 1])
    found = [r for r in runs(server, remote, request.node.name) if tag(r, "cell") in cells]
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {(tag(r, STATE), r.info.status) for r in found} == {(COMPLETE, "FINISHED")}
    for run in found:
        curve = MlflowClient(server.uri).get_metric_history(run.info.run_id, "training/train_loss_repeat_0")
        assert len(curve) == 200
