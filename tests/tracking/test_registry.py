import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from tests.tracking.workspaces import make_cell, make_dataset
from versus import prediction
from versus.data import prepared
from versus.data.frames import decode
from versus.models import find, persistence
from versus.tracking import client, destination, registry, store
from versus.tracking.mirror import Mirror
from versus.workspace import Workspace

BAYES = ("classical_generative", "naive_bayes", "MixedNaiveBayes")
TREE = ("discriminative", "trees", "DecisionTree")


def fit(workspace: Workspace, cell: str, family: str, module: str, name: str, **arguments: Any) -> None:
    """An evaluated cell with a real model of its repeat 0."""
    make_cell(workspace, cell)
    data = prepared.read(workspace.prepared("flowers"))
    model = find(family, module, name)(**arguments, schema=data.schema)
    folder = workspace.model(cell) / "0"
    shutil.rmtree(folder, ignore_errors=True)
    persistence.save(model.fit(*data.take(0, "train", "validation")), folder, family, module)


@pytest.fixture
def mirror(workspace: Workspace, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    shutil.copy(empty_store, workspace.root / "mlflow.db")
    make_dataset(workspace)
    fit(workspace, "flowers-bayes", *BAYES)
    fit(workspace, "flowers-tree", *TREE, max_depth=2)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    to = destination.find(workspace.root)
    mlflow.set_tracking_uri(to.uri)
    return Mirror(store.open_store(to), to, workspace, "here")


def unseen(mirror: Mirror) -> pd.DataFrame:
    data = prepared.read(mirror.workspace.prepared("flowers"))
    return decode(np.array(data.take(0, "test")[0]), data.schema)


def test_a_champion_predicts_what_the_cells_model_predicts(mirror: Mirror) -> None:
    found = registry.register(mirror, "flowers-bayes")
    assert registry.promote(mirror, "flowers", found.version)
    loaded = mlflow.pyfunc.load_model("models:/flowers@champion")
    rows = unseen(mirror)
    expected = prediction.predict(prediction.load(mirror.workspace, "flowers-bayes"), rows)
    pd.testing.assert_frame_equal(loaded.predict(rows), expected)
    whole = rows.assign(length=range(len(rows)), colour=rows["colour"].astype("category"), extra=1)
    assert list(loaded.predict(whole).columns) == list(expected.columns)  # other types, another column
    with pytest.raises(Exception, match="row 1, column 'colour': 'green' is not one of 'blue', 'red'"):
        loaded.predict(rows.assign(colour="green"))
    drawn = loaded.predict(rows, params={"sample": 7, "label": "virginica", "random_state": 1})
    assert (len(drawn), set(drawn["species"])) == (7, {"virginica"})


def test_the_package_says_what_it_takes_gives_and_needs(mirror: Mirror) -> None:
    run_id = registry.register(mirror, "flowers-tree").run_id
    folder = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="model"))
    found = mlflow.models.Model.load(folder)
    assert found.signature.inputs.input_names() == ["length", "width", "colour"]
    assert found.signature.outputs.input_names()[0] == "prediction"
    assert found.signature.params is None  # a tree draws nothing
    assert found.metadata["columns"]["colour"] == ["blue", "red"]
    assert len(found.load_input_example(folder)) == 3
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert all("==" in need and "+" not in need for need in needs)
    assert {"mlflow", "scikit-learn", "skops"} <= {need.split("==")[0] for need in needs}
    assert not [need for need in needs if need.startswith(("torch", "dvc"))]
    forbidden = [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".pt", ".pyc")]
    assert forbidden == []


def test_registering_again_makes_no_new_version(mirror: Mirror) -> None:
    first = registry.register(mirror, "flowers-bayes")
    assert registry.register(mirror, "flowers-bayes") == first
    fit(mirror.workspace, "flowers-bayes", *BAYES, smoothing=0.5)
    assert registry.register(mirror, "flowers-bayes").version != first.version


def test_aliases_follow_the_champions_and_go_back(mirror: Mirror) -> None:
    def aliases() -> list[str | None]:
        found = (registry.holder(mirror, "flowers", alias) for alias in (registry.CHAMPION, registry.PREVIOUS))
        return [None if holder is None else holder.cell for holder in found]

    assert aliases() == [None, None]
    with pytest.raises(ValueError, match="no previous champion"):
        registry.roll_back(mirror, "flowers")
    tree = registry.register(mirror, "flowers-tree")
    assert aliases() == [None, None]  # registering alone crowns nobody
    registry.promote(mirror, "flowers", tree.version)
    assert aliases() == ["flowers-tree", None]
    bayes = registry.register(mirror, "flowers-bayes")
    registry.promote(mirror, "flowers", bayes.version)
    assert aliases() == ["flowers-bayes", "flowers-tree"]
    assert not registry.promote(mirror, "flowers", bayes.version)
    assert aliases() == ["flowers-bayes", "flowers-tree"]
    assert registry.roll_back(mirror, "flowers") == tree
    assert aliases() == ["flowers-tree", "flowers-bayes"]


def test_a_damaged_model_is_not_registered(mirror: Mirror) -> None:
    path = mirror.workspace.model("flowers-bayes") / "0" / "arrays.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(persistence.PersistenceError, match=r"arrays.safetensors"):
        registry.register(mirror, "flowers-bayes")
    assert registry.holder(mirror, "flowers") is None


@pytest.mark.slow
def test_a_champion_answers_over_http(mirror: Mirror) -> None:
    registered = client.register(mirror.workspace, {"flowers": "flowers-bayes"}, to_the_end=True)
    assert registered.versions["flowers"]["cell"] == "flowers-bayes"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Nothing but the logged code may be needed: the server runs elsewhere and without this repository.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"MLFLOW_TRACKING_URI": mirror.destination.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # uvicorn
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/flowers@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=mirror.workspace.root / "mlruns", env=environment, start_new_session=True
    ) as server:
        try:
            rows = unseen(mirror).head(4)
            answer = post(port, {"dataframe_split": rows.to_dict(orient="split", index=False)})
            expected = prediction.predict(prediction.load(mirror.workspace, "flowers-bayes"), rows)
            assert [row["prediction"] for row in answer["predictions"]] == list(expected["prediction"])
            drawn = post(
                port, {"dataframe_split": {"columns": list(rows.columns), "data": []}, "params": {"sample": 5}}
            )
            assert len(drawn["predictions"]) == 5
        finally:
            os.killpg(server.pid, 9)


def post(port: int, message: dict[str, Any]) -> dict[str, Any]:
    """The answer of a model server, which is waited for."""
    body = json.dumps(message, default=float).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                found: dict[str, Any] = json.loads(reply.read())
                return found
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.2)
