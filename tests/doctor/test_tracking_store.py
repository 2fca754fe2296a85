"""A damaged sqlite store is noticed wherever the damage is, and moved aside."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.doctor.faults import mend, the_only
from versus.tracking import store
from versus.workspace import Workspace


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    store.create(file, (file.parent / "mlruns").as_uri())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def zero_a_page(file: Path) -> None:
    """Damage that shows only to who reads the whole file: the schema and the version are on other pages."""
    with closing(sqlite3.connect(file)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'experiments'").fetchall()
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    content = bytearray(file.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        zero_a_page,
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:50_000]),
        lambda file: file.write_text("not a database, though long enough to be one"),
    ],
)
def test_a_damaged_store_is_moved_aside(
    workspace: Workspace, whole_store: Path, damage: Callable[[Path], object]
) -> None:
    file = workspace.root / "mlflow.db"
    shutil.copy(whole_store, file)
    assert "was copied or moved here" in the_only(workspace).problem
    assert str(whole_store.parent) in mend(workspace)
    damage(file)
    content = file.read_bytes()
    assert "versus sync" in the_only(workspace).mend
    mend(workspace)
    assert [path.read_bytes() for path in workspace.root.glob("mlflow.db.broken-*")] == [content]


def test_a_store_that_somebody_writes_to_is_not_broken(workspace: Workspace, whole_store: Path) -> None:
    file = workspace.root / "mlflow.db"
    shutil.copy(whole_store, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        assert store.fault_of(file, patience=0.1) == ""
