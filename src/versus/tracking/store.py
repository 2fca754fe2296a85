"""Tracking store: its client, with short time limits for servers; and the default store, an sqlite file.

The file is created whole or not at all, by any process, checked before it is used, and follows its folder: in a copied
or moved project, MLflow would look for artifacts in the old place.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from versus.tracking.destination import SQLITE, Destination

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's defaults would hold a stage for minutes when a server is dead. A user's own settings win.
BRIEF = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
THOROUGH = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password in it
}
TALKATIVE = ("mlflow", "alembic", "urllib3", "sqlalchemy")  # errors also come as exceptions

# Columns of MLflow's tables with addresses of artifacts (3.17).
ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}

_set_here: set[str] = set()


def open_store(to: Destination, *, brief: bool = True) -> MlflowClient:
    """Open a client of the store; create a sqlite store if there is none.

    Args:
        to: the store.
        brief: True to give up on a silent server after seconds, False after minutes.

    Raises:
        OSError: if the store's folder cannot be written.
        ValueError: if its file is no sqlite database.
        mlflow.exceptions.MlflowException: if the store exists and cannot be used.
    """
    for name, value in {**SETTINGS, **(BRIEF if brief else THOROUGH)}.items():
        if name not in os.environ or name in _set_here:
            os.environ[name] = value
            _set_here.add(name)
    import mlflow

    if not os.environ.get("VERSUS_TRACEBACK"):
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    if to.sqlite_file is not None and to.artifacts is not None:
        create(to.sqlite_file, to.artifacts)
        if fault := fault_of(to.sqlite_file, thorough=False):  # SQLAlchemy would try again for a minute
            advice = "move it away, `versus sync` makes a new one"
            raise ValueError(f"{to.sqlite_file} is not an MLflow store ({fault}); {advice}")
        relocate(to)
        hurry()
    client: MlflowClient = mlflow.MlflowClient(to.uri, to.uri)
    return client


def fault_of(file: Path, patience: float = 5.0, *, thorough: bool = True) -> str:
    """Describe the fault of a store; empty if there is none.

    A store that other processes keep locked for longer than ``patience`` seconds is in use, and hence usable.

    Args:
        file: the sqlite file.
        patience: seconds to wait for its lock.
        thorough: True to check every page, False for a look at MLflow's version of it.
    """
    try:
        with closing(sqlite3.connect(file, timeout=patience)) as connection:
            connection.execute("SELECT version_num FROM alembic_version")
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone() if thorough else ("ok",)
    except sqlite3.Error as error:
        in_use = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return "" if getattr(error, "sqlite_errorcode", None) in in_use else str(error)
    return "" if answer == "ok" else " ".join(str(answer).split())


def create(file: Path, artifacts: str) -> None:
    """Create an MLflow store in one step, safe if other processes create it too or this one is killed.

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
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(f"{SQLITE}{partial.as_posix()}", artifacts).engine.dispose()  # type: ignore[no-untyped-call]
        with closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # readers do not block the writer; kept in the file
        partial.replace(file)


def former_artifacts(to: Destination) -> str:
    """URI of the folder of artifacts where a sqlite store was before it was copied or moved; empty if it was not."""
    assert to.sqlite_file is not None
    with closing(_connect(to.sqlite_file)) as connection:
        found = connection.execute("SELECT artifact_location, name, experiment_id FROM experiments").fetchall()
    for location, name, number in found:
        root, _, last = str(location).rpartition("/")
        # Others are of experiments whose place somebody else has chosen.
        if root.endswith("/mlruns") and last in (name, str(number)) and root != to.artifacts:
            return root
    return ""


def relocate(to: Destination) -> str:
    """Let the runs of a copied or moved sqlite store have their artifacts beside it; returns the former folder's URI.

    Runs whose artifacts are still in the old place alone keep their address.
    """
    assert to.sqlite_file is not None
    former = former_artifacts(to)
    if not former:
        return ""
    with FileLock(to.sqlite_file.with_name(f"{to.sqlite_file.name}.lock")), closing(_connect(to.sqlite_file)) as store:
        for table, column in ADDRESSES.items():
            rows = store.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} LIKE ?", (f"{former}/%",))
            for row, address in rows.fetchall():
                moved = f"{to.artifacts}{address.removeprefix(former)}"
                if table == "experiments" or _exists(moved) or not _exists(address):
                    store.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (moved, row))
        store.commit()
    return former


def _exists(uri: str) -> bool:
    return Path(unquote(urlsplit(uri).path)).exists()


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=30)


def hurry() -> None:
    """Let every connection from now on wait less for the disk.

    With WAL, NORMAL keeps the store intact after a crash; changes of the last second, if lost, are mirrored again.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    if not event.contains(Engine, "connect", _normal):
        event.listen(Engine, "connect", _normal)


def _normal(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")
