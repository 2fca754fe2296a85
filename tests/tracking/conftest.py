"""Workspaces with a tracking store of their own, and no publisher left behind."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.tracking.servers import MlflowServer
from tests.tracking.workspaces import make_cell, make_dataset
from versus.tracking import client, destination, reach
from versus.workspace import Workspace

CELL = "flowers-vae"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's settings, and time enough: a test machine may be busy with other tests."""
    for name in [name for name in os.environ if destination.SETTINGS.match(name)]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("VERSUS_TRACKING", raising=False)
    monkeypatch.setattr(client, "_waited", 0.0)
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "60")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace that tracks to ``mlflow.db`` within it; its publishers end with the test."""
    workspace = Workspace(tmp_path)
    yield workspace
    end_publishers(workspace)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Workspace]:
    """A workspace that tests share for the sake of its publisher, each with a cell of its own."""
    workspace = Workspace(tmp_path_factory.mktemp("served"))
    shutil.copy(empty_store, workspace.root / "mlflow.db")
    make_dataset(workspace)
    yield workspace
    end_publishers(workspace)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[MlflowServer]:
    """A server over a store of its own, for the tests of one file."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "store.db")
    server = MlflowServer(folder, f"sqlite:///{folder}/store.db")
    server.start()
    yield server
    server.kill()


def end_publishers(workspace: Workspace) -> None:
    """Kill what this process started for a workspace; others leave when their address is gone."""
    for publisher in reach._started:
        if str(workspace.root) in publisher.args:  # type: ignore[operator]
            publisher.kill()
            publisher.wait()
    shutil.rmtree(workspace.private, ignore_errors=True)


@pytest.fixture
def evaluated(workspace: Workspace) -> Workspace:
    """A workspace with one evaluated cell."""
    make_dataset(workspace)
    make_cell(workspace, CELL)
    return workspace


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sqlite store without runs: creating one takes a second, copying it nothing."""
    from versus.tracking import store

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    store.be_brief()
    store.create_sqlite(file, (file.parent / "mlruns").as_uri())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def stored(evaluated: Workspace, empty_store: Path) -> Workspace:
    """A workspace with one evaluated cell and an empty sqlite store."""
    shutil.copy(empty_store, evaluated.root / "mlflow.db")
    return evaluated
