"""Workspaces with a tracking store of their own, and no publisher left behind."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.tracking.workspaces import make_cell, make_dataset
from versus.tracking import client, destination, reach
from versus.workspace import Workspace

CELL = "flowers-vae"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """An empty workspace that tracks to ``mlflow.db`` within it; its publishers end with the test."""
    for name in [name for name in os.environ if destination.SETTINGS.match(name)]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("VERSUS_TRACKING", raising=False)
    monkeypatch.setattr(client, "_waited", 0.0)
    started = len(reach._started)
    workspace = Workspace(tmp_path)
    yield workspace
    for publisher in reach._started[started:]:
        publisher.kill()
        publisher.wait()
    shutil.rmtree(workspace.private, ignore_errors=True)  # a publisher whose address is gone leaves


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
