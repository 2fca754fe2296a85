"""Workspaces with a tracking store of their own."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tracking.servers import MlflowServer
from tests.tracking.workspaces import CELL, make_cell, make_dataset
from versus.workspace import Workspace

if TYPE_CHECKING:  # loading MLflow takes seconds
    from versus.tracking.mirror import Mirror

SETTINGS = re.compile(r"MLFLOW_|AWS_|AZURE_|GOOGLE_|VERSUS_|(https?|all|no)_proxy$", re.IGNORECASE)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's settings, and time enough: a test machine may be busy with other tests."""
    for name in filter(SETTINGS.match, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("VERSUS_MIRROR", "1")
    monkeypatch.setenv("VERSUS_TRACKING_PATIENCE", "60")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace that tracks to ``mlflow.db`` within it."""
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[MlflowServer]:
    """A server over a store of its own, for the tests of one file."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "store.db")
    server = MlflowServer(folder, f"sqlite:///{folder}/store.db")
    server.start()
    yield server
    server.kill()


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
    store.create(file, (file.parent / "mlruns").as_uri())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def stored(evaluated: Workspace, empty_store: Path) -> Workspace:
    """A workspace with one evaluated cell and an empty sqlite store."""
    shutil.copy(empty_store, evaluated.root / "mlflow.db")
    return evaluated


@pytest.fixture
def mirror(stored: Workspace) -> Mirror:
    """The mirror of that workspace."""
    from versus.tracking import destination, store
    from versus.tracking.mirror import Mirror

    to = destination.find(stored.root)
    return Mirror(store.open_store(to), to, stored, "here")
