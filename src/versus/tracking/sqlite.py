"""Default store, an sqlite file: created whole or not at all, by any process, and checked before it is used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock

from versus.tracking.destination import SQLITE


def check(file: Path) -> None:
    """Report a damaged store at once, where SQLAlchemy would retry for a minute.

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


def fault_of(file: Path, patience: float = 5.0) -> str:
    """Describe the fault of a store after a check of every page; empty if there is none.

    A store that other processes keep locked for longer than ``patience`` seconds is in use, and hence usable.
    """
    try:
        with closing(sqlite3.connect(file, timeout=patience)) as connection:
            connection.execute("SELECT version_num FROM alembic_version")
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
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
