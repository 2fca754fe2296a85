import shutil
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.tracking import processes
from tests.tracking.servers import MlflowServer
from tests.tracking.workspaces import a_cell, make_cell, make_dataset
from versus.settings import Comparison
from versus.tracking import client
from versus.tracking.run_log import COMPLETE, STATE, tag
from versus.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def remote(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Workspace:
    """A workspace that tracks to the server, under experiments of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", request.node.name)
    monkeypatch.delenv("VERSUS_TRACKING_PATIENCE")
    workspace = Workspace(tmp_path)
    make_dataset(workspace)
    return workspace


def runs(server: MlflowServer, remote: Workspace, name: str) -> list[Run]:
    return processes.runs(remote, uri=server.uri, experiment=f"{name}-flowers")


def stage(workspace: Workspace, cell: str) -> tuple[bool, float]:
    """Whether a stage got its cell mirrored, and how long it waited."""
    began = time.monotonic()
    ok = client.mirror_cell(workspace, a_cell(cell), 0.95).ok
    return ok, time.monotonic() - began


def sync(workspace: Workspace, cells: list[str], *, to_the_end: bool = False) -> bool:
    return client.sync(workspace, [a_cell(cell) for cell in cells], Comparison(), to_the_end=to_the_end).ok


def mend(workspace: Workspace, cells: list[str]) -> None:
    assert sync(workspace, cells, to_the_end=True)


def test_a_cell_is_mirrored_whole(server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest) -> None:
    make_cell(remote, "flowers-a")
    mend(remote, ["flowers-a"])
    (run,) = runs(server, remote, request.node.name)
    assert (run.info.status, tag(run, STATE)) == ("FINISHED", COMPLETE)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    names = {item.path for item in MlflowClient(server.uri).list_artifacts(run.info.run_id)}
    assert names == {"confusion.svg", "reliability.svg", "samples.csv", "scores.csv", "evaluation"}
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
        began = time.monotonic()
        assert not sync(remote, cells)
        waited = sum(seconds for _, seconds in outcomes) + time.monotonic() - began
    finally:
        server.start()
    assert [ok for ok, _ in outcomes] == [False] * 3
    assert waited < 10
    assert outcomes[2][1] < 0.1  # the first outage is remembered
    warnings = capsys.readouterr().err.splitlines()
    assert len([line for line in warnings if line.startswith("warning: tracking: ")]) == len(warnings) == 2
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
    began = time.monotonic()
    with server.frozen():
        assert [stage(remote, cell)[0] for cell in cells] == [False] * 2
        assert not sync(remote, cells)
        assert time.monotonic() - began < 10
    mend(remote, cells)
    found = [r for r in runs(server, remote, request.node.name) if tag(r, "cell") in cells]
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {tag(r, STATE) for r in found} == {COMPLETE}


def test_a_slow_server_costs_less_than_ten_seconds(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest
) -> None:
    cells = [f"flowers-{letter}" for letter in "abcdef"]
    for number, cell in enumerate(cells):
        make_cell(remote, cell, seed=number, steps=200)
    began = time.monotonic()
    with server.slow(share=0.1):
        for cell in cells:
            stage(remote, cell)
        sync(remote, cells)
        assert time.monotonic() - began < 10
    mend(remote, cells)
    found = runs(server, remote, request.node.name)
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {tag(r, STATE) for r in found} == {COMPLETE}


def test_two_clones_that_mirror_the_same_cells_at_once_keep_one_run_of_each(
    server: MlflowServer,
    remote: Workspace,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "60")
    cells = [f"flowers-{letter}" for letter in "abcd"]
    for number, cell in enumerate(cells):
        make_cell(remote, cell, seed=number)
    clone = Workspace(tmp_path / "clone")
    for folder in ("data", "reports"):
        shutil.copytree(remote.root / folder, clone.root / folder)
    code = f"assert client.sync(workspace, [a_cell(c) for c in {cells!r}], Comparison()).ok"
    both = [processes.Stage(workspace, code) for workspace in (remote, clone)]
    assert [(stage.end(), stage.said("err")) for stage in both] == [(0, "")] * 2
    found = runs(server, remote, request.node.name)
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {(tag(r, STATE), r.info.status) for r in found} == {(COMPLETE, "FINISHED")}


def test_a_server_that_dies_half_way_leaves_one_whole_run(
    server: MlflowServer, remote: Workspace, request: pytest.FixtureRequest
) -> None:
    make_cell(remote, "flowers-warm", seed=9)
    mend(remote, ["flowers-warm"])
    cells = ["flowers-a", "flowers-b"]
    for number, (cell, delay) in enumerate(zip(cells, (0.1, 0.3), strict=True)):
        make_cell(remote, cell, seed=number, steps=200)
        code = "client.connect(workspace)\nprint('at it', flush=True)\n"
        asking = processes.Stage(remote, f"{code}client.mirror_cell(workspace, a_cell({cell!r}), 0.95)")
        processes.wait_for(asking.said, 60)
        time.sleep(delay)
        server.kill()
        assert asking.end() == 0
        server.start()
        mend(remote, cells[: number + 1])
    found = [r for r in runs(server, remote, request.node.name) if tag(r, "cell") in cells]
    assert sorted(tag(r, "cell") for r in found) == cells
    assert {(tag(r, STATE), r.info.status) for r in found} == {(COMPLETE, "FINISHED")}
    for run in found:
        assert len(processes.curve(remote, run, repeat=0, uri=server.uri)) == 200
