"""Opening a tracking store: sqlite files are made whole or not at all, servers are given little time to answer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from versus.tracking.destination import SQLITE, Destination

if TYPE_CHECKING:
    from mlflow import MlflowClient

# A user's own settings win. MLflow's defaults would hold a stage for minutes when a server is dead.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def be_brief() -> None:
    """Set the timeouts; before mlflow is imported."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)


def open_store(destination: Destination) -> MlflowClient:
    """A client of the store; a sqlite store is created where there is none.

    Raises:
        OSError: if the store's folder cannot be written.
        ValueError: if its file is no sqlite database.
        mlflow.exceptions.MlflowException: if the store exists and cannot be used.
    """
    be_brief()
    import mlflow

    if destination.sqlite_file is not None and destination.artifacts is not None:
        create_sqlite(destination.sqlite_file, destination.artifacts)
        check_sqlite(destination.sqlite_file)
        _hurry_sqlite()
    client: MlflowClient = mlflow.MlflowClient(destination.uri, destination.uri)
    return client


def check_sqlite(file: Path) -> None:
    """Tell a damaged store at once, where SQLAlchemy would try again for a minute.

    Raises:
        ValueError: if the file is no sqlite database with MLflow's tables.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("SELECT version_num FROM alembic_version")
    except sqlite3.Error as error:
        raise ValueError(
            f"{file} is not an MLflow store ({error}); move it away, `make sync` makes a new one"
        ) from None


def fault_of_sqlite(file: Path, patience: float = 5.0) -> str:
    """What is wrong with a store, of which every page is read; empty where nothing is.

    One that others keep locked for longer than ``patience`` seconds is in use, and hence usable.
    """
    try:
        with closing(sqlite3.connect(file, timeout=patience)) as connection:
            connection.execute("SELECT version_num FROM alembic_version")
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        in_use = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return "" if getattr(error, "sqlite_errorcode", None) in in_use else str(error)
    return "" if answer == "ok" else " ".join(str(answer).split())


def create_sqlite(file: Path, artifacts: str) -> None:
    """Create an MLflow store in one step, whoever else does so at the same time and whenever this process is killed.

    MLflow builds its tables by dozens of migrations, and a file that was left half-way through cannot be used again.
    """
    if file.is_file():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{file.name}.lock")):
        if file.is_file():
            return
        for leftover in file.parent.glob(f"{file.name}.*.partial*"):
            leftover.unlink()
        partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
        _build_tables(partial, artifacts)
        with closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # readers do not block the writer; kept in the file
        partial.replace(file)


def _build_tables(file: Path, artifacts: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with _without_sync():
        store = SqlAlchemyStore(f"{SQLITE}{file.as_posix()}", artifacts)  # type: ignore[no-untyped-call]
        store.engine.dispose()


@contextmanager
def _without_sync() -> Iterator[None]:
    """Let sqlite skip waiting for the disk: the file does not count until it is renamed."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def skip(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", skip)
    try:
        yield
    finally:
        event.remove(Engine, "connect", skip)


def _hurry_sqlite() -> None:
    """With WAL, NORMAL keeps the store whole over a crash; what it may lose of the last second is mirrored again."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def normal(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(Engine, "connect", normal)
