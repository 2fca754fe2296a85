"""Credentials of the tracking server and of the environment stand nowhere that anything is written or printed to."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.pipeline.conftest import Project
from tests.tracking.servers import MlflowServer
from versus.tracking import store

pytestmark = pytest.mark.slow

PASSWORD, AS_WRITTEN = "c4nary/in~uri", "c4nary%2Fin~uri"
ENVIRONMENT = {
    "MLFLOW_TRACKING_USERNAME": "anna",
    "MLFLOW_TRACKING_PASSWORD": "c4nary-of-mlflow",
    "AWS_SECRET_ACCESS_KEY": "c4nary-of-aws",
}
HEADERS = [base64.b64encode(f"anna:{p}".encode()) for p in (PASSWORD, AS_WRITTEN, "c4nary-of-mlflow")]


def leaks(content: bytes) -> list[bytes]:
    """Where a canary stands, plain, written for a URI or as HTTP sends it, with what surrounds it."""
    places = [content.find(form) for form in (b"c4nary", *HEADERS)]
    return [content[max(0, at - 60) : at + 40] for at in places if at >= 0]


def leaks_below(folder: Path) -> dict[Path, list[bytes]]:
    """The files that hold a canary: outputs, logs, locks, DVC's cache, stores of runs; git's objects aside."""
    files = (p for p in folder.rglob("*") if p.is_file() and ".git/objects" not in p.as_posix())
    return {path: found for path in files if (found := leaks(path.read_bytes()))}


ONE_BY_ONE = """
import os, sys, traceback
from versus.__main__ import main

for words in sys.argv[1:]:
    os.environ["VERSUS_REPRO"] = words  # as in a process of its own, none knows of the outage that another met
    print("==", words, flush=True)
    try:
        main(words.split())
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
"""


def call(project: Project, uri: str, *commands: str) -> str:
    """What these commands of Versus print, one after the other in a process that loads MLflow once."""
    project.tracked = True
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, *commands],
        cwd=project.folder,
        env=project.environment
        | ENVIRONMENT
        | {"MLFLOW_TRACKING_URI": uri, "VERSUS_MIRROR": "1", "VERSUS_TRACKING_PATIENCE": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert [line[3:] for line in done.stdout.splitlines() if line.startswith("== ")] == list(commands), done.stdout
    return done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    store.create(folder / "store.db", (folder / "mlruns").as_uri())
    server = MlflowServer(folder, f"sqlite:///{folder}/store.db")
    server.start()
    yield server
    server.kill()


def test_a_canary_is_found_where_there_is_one(project: Project) -> None:
    (project.folder / ".versus" / "some.log").write_text(f"GET http://anna:{AS_WRITTEN}@127.0.0.1")
    (project.folder / "models" / "x").write_bytes(b"\0" + HEADERS[0])
    assert len(leaks_below(project.folder)) == 2


def test_nothing_holds_a_secret_after_a_repro_that_a_server_mirrors(
    project: Project, server: MlflowServer, tmp_path: Path
) -> None:
    uri = server.uri.replace("://", f"://anna:{AS_WRITTEN}@")
    stages = " ".join(f"{verb}_classical_generative@iris-gaussian" for verb in ("train", "evaluate"))
    said = call(project, uri, f"repro --force --single-item --verbose {stages} compare")
    said += call(project, uri, "sync", "gate", "ui", "doctor")
    assert "5 were there already" in said
    assert f"models of iris: {server.uri}/#" in said
    assert leaks(said.encode()) == []
    assert leaks_below(tmp_path) == {}  # the server's store and its artifacts, too
    experiment = MlflowClient(server.uri).get_experiment_by_name("iris")
    assert experiment is not None
    runs = MlflowClient(server.uri).search_runs([experiment.experiment_id])
    assert len(runs) == 3
    assert leaks(repr([run.to_dictionary() for run in runs]).encode()) == []


def test_no_message_about_a_server_that_cannot_be_reached_holds_a_secret(project: Project, tmp_path: Path) -> None:
    for uri in (
        f"http://anna:{PASSWORD}@127.0.0.1:9",  # nobody listens, and the slash should have been quoted
        f"htp://anna:{AS_WRITTEN}@127.0.0.1:9",
    ):
        said = call(project, uri, "repro --force --single-item evaluate_discriminative@iris-prior")
        assert "warning: tracking: cell iris-prior is not in MLflow" in said
        said += call(project, uri, "sync", "gate", "rollback iris", "ui --port 1", "doctor")
        assert leaks(said.encode()) == []
        assert leaks_below(tmp_path) == {}
