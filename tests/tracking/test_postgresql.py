"""The mirror over PostgreSQL: behind an MLflow server, and as the store itself."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.tracking.servers import MlflowServer
from tests.tracking.workspaces import a_cell, make_cell, make_dataset
from versus.settings import Comparison
from versus.tracking import client
from versus.tracking.run_log import COMPLETE, STATE, tag
from versus.workspace import Workspace

pytest.importorskip("psycopg", reason="MLflow reaches PostgreSQL through psycopg, which is not installed")
# Debian keeps the server's programs off PATH, a folder for each version.
FOLDERS = ["/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
PROGRAMS = os.pathsep.join([os.environ["PATH"], *FOLDERS])
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("initdb", path=PROGRAMS) is None, reason="PostgreSQL is not installed"),
]


class Database:
    """A PostgreSQL cluster of its own on loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as_user = [shutil.which("runuser", path=PROGRAMS) or "runuser", "-u", "postgres", "--"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "versus")

    def _run(self, program: str, *arguments: str) -> None:
        command = [shutil.which(program, path=PROGRAMS) or program, *arguments]
        with (self._folder / "log").open("ab") as log:  # a pipe would stay open with the server
            subprocess.run([*self._as_user, *command], cwd="/", stdout=log, stderr=log, check=True, timeout=60)

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-o", options, "-w", "start")

    def create(self, name: str) -> str:
        """A new database; returns its URI, with a password that must not be seen anywhere."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "versus", name)
        return f"postgresql+psycopg://versus:c4nary-pass@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        database = Database(Path(folder))
        database.start()
        yield database
        database.kill()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    make_dataset(workspace)
    return workspace


def mirror(workspace: Workspace, cell: str) -> bool:
    return client.mirror_cell(workspace, a_cell(cell), 0.95).ok


def mend(workspace: Workspace, *cells: str) -> bool:
    return client.sync(workspace, [a_cell(cell) for cell in cells], Comparison(), to_the_end=True).ok


def runs(uri: str) -> list[Run]:
    store = MlflowClient(uri)
    found = store.get_experiment_by_name("flowers")
    every = [] if found is None else list(store.search_runs([found.experiment_id]))
    return [run for run in every if "mlflow.parentRunId" not in run.data.tags]  # repeats lie below their cell


def test_a_server_over_postgresql_that_dies_half_way_leaves_one_whole_run(
    database: Database, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MlflowServer(tmp_path_factory.mktemp("server"), database.create("behind_server"))
    server.start()
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        make_cell(workspace, "flowers-warm", seed=9)
        assert mirror(workspace, "flowers-warm")
        make_cell(workspace, "flowers-a", steps=200)
        asking = threading.Thread(target=mirror, args=(workspace, "flowers-a"))
        asking.start()
        time.sleep(0.25)
        server.kill()
        asking.join()
        server.start()
        assert mend(workspace, "flowers-warm", "flowers-a")
        assert [tag(r, STATE) for r in runs(server.uri)] == [COMPLETE] * 2
    finally:
        server.kill()


def test_a_database_as_store_holds_runs_and_comes_back_from_an_outage(
    database: Database, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = database.create("store")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    make_cell(workspace, "flowers-a")
    assert mirror(workspace, "flowers-a")
    (run,) = runs(uri)
    assert run.info.artifact_uri.startswith((workspace.root / "mlruns" / "flowers").as_uri())

    make_cell(workspace, "flowers-b", seed=1)
    database.kill()
    try:
        monkeypatch.delenv("VERSUS_TRACKING_PATIENCE")
        began = time.monotonic()
        assert not mirror(workspace, "flowers-b")
        assert time.monotonic() - began < 10
    finally:
        database.start()
    assert mend(workspace, "flowers-a", "flowers-b")
    assert [tag(r, STATE) for r in runs(uri)] == [COMPLETE] * 2

    kept = "".join(path.read_text() for path in workspace.private.iterdir())
    told = capsys.readouterr()
    for text in (kept, told.out, told.err, *(str(r.to_dictionary()) for r in runs(uri))):
        assert "c4nary" not in text
