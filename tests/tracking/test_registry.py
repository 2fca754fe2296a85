import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import scoring_server
from mlflow.types import DataType

from tests.tracking.workspaces import a_cell, make_cell, make_dataset
from versus.data import findings, prepared
from versus.data.findings import Finding, Findings
from versus.data.schema import Schema
from versus.data.targets import Classes
from versus.fitting.refit import fit_on_all_rows
from versus.models import find, persistence
from versus.report import formatting
from versus.serving import card, code, package, prediction
from versus.serving.frames import decode
from versus.settings import Cell, Comparison
from versus.tracking import champions, destination, registry, store
from versus.tracking.answers import Registered, Standing
from versus.tracking.mirror import Mirror
from versus.workspace import Workspace

BAYES = ("classical_generative", "naive_bayes", "MixedNaiveBayes")
TREE = ("discriminative", "trees", "DecisionTree")


def the_cell(name: str) -> Cell:
    """The line of params.yaml of a cell whose model is a `BAYES` or a `TREE`."""
    family, module, class_name = BAYES if name.endswith("bayes") else TREE
    return replace(a_cell(name), family=family, module=module, class_name=class_name, args={})


def fit(workspace: Workspace, cell: str, family: str, module: str, name: str, **arguments: Any) -> None:
    """An evaluated cell with a real model of its repeat 0."""
    make_cell(workspace, cell)
    data = prepared.read(workspace.prepared(cell.split("-")[0]))
    model = find(family, module, name)(**arguments, schema=data.schema)
    shutil.rmtree(workspace.model(cell), ignore_errors=True)
    persistence.save(model.fit(*data.take(0, "train", "validation")), workspace.model(cell) / "0", family, module)


def on_all_rows(workspace: Workspace, cell: str) -> Any:
    """The model of a cell, with the same arguments, fitted on every row of the data set."""
    measured = prediction.load(workspace, cell)
    data = prepared.read(workspace.prepared(cell.split("-")[0]))
    return type(measured)(**measured.get_params()).fit(np.array(data.X), data.y)


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


def register(mirror: Mirror, cell: str) -> Registered:
    """Make sure that a cell's model is a version, as `champions.register` does."""
    candidate = registry.Candidate(mirror.workspace, the_cell(cell), Comparison())
    found = candidate.find(mirror)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory() as scratch:
        candidate.write(Path(scratch) / "model")
        return candidate.add(mirror, Path(scratch) / "model")


def challenge(mirror: Mirror, cell: str) -> Standing:
    return registry.challenge(mirror, "flowers", register(mirror, cell))


def unseen(mirror: Mirror) -> pd.DataFrame:
    data = prepared.read(mirror.workspace.prepared("flowers"))
    return decode(np.array(data.take(0, "test")[0]), data.schema)


def test_a_champion_is_the_cells_model_fitted_on_all_rows_and_says_so(mirror: Mirror) -> None:
    found = register(mirror, "flowers-bayes")
    assert found.fitted_on == "all 150 rows"
    told = mirror.client.get_model_version("flowers", found.version).description
    measured = f"Measured: accuracy {formatting.score(registry_score(mirror))}, "
    assert told.startswith(f"bayes, fitted on all 150 rows. {measured}")
    assert "of 3 fits on 90 rows, on rows kept from each." in told
    registry.promote(mirror, "flowers", found.version)
    loaded = mlflow.pyfunc.load_model("models:/flowers@champion")
    rows = unseen(mirror)
    expected = prediction.predict(on_all_rows(mirror.workspace, "flowers-bayes"), rows)
    pd.testing.assert_frame_equal(loaded.predict(rows), expected)
    assert not expected.equals(prediction.predict(prediction.load(mirror.workspace, "flowers-bayes"), rows))
    whole = rows.assign(length=range(len(rows)), colour=rows["colour"].astype("category"), extra=1)
    assert list(loaded.predict(whole).columns) == list(expected.columns)  # other types, another column
    with pytest.raises(Exception, match="row 1, column 'colour': 'green' is not one of 'blue', 'red'"):
        loaded.predict(rows.assign(colour="green"))
    drawn = loaded.predict(rows, params={"sample": 7, "label": "virginica", "random_state": 1})
    assert (len(drawn), set(drawn["species"])) == (7, {"virginica"})


def registry_score(mirror: Mirror) -> float:
    """The mean accuracy that the run of a cell has."""
    (run,) = mirror.client.search_runs([mirror.experiment("flowers")], "tags.cell = 'flowers-bayes'")
    return float(run.data.metrics["accuracy_score"])


def test_what_stops_early_keeps_its_rows_out_and_a_failed_fit_leaves_the_measured_model(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = prepared.read(mirror.workspace.prepared("flowers"))
    saved, cell = mirror.workspace.model("flowers-tree") / "0", the_cell("flowers-tree")
    tree = find(*TREE)
    monkeypatch.setattr(tree, "holds_out_validation", True, raising=False)
    fitted, words = fit_on_all_rows(saved, data, cell, tmp_path)
    assert words == "120 of 150 rows, and stopped by the others"
    assert fitted.parent == tmp_path
    monkeypatch.setattr(tree, "fit", lambda *_: 1 / 0)
    fitted, words = fit_on_all_rows(saved, data, cell, tmp_path)
    assert words.startswith("90 rows of the first split, since the fit on all rows failed: ZeroDivisionError")
    assert fitted == saved


def test_labels_are_served_in_the_type_of_the_data(mirror: Mirror, tmp_path: Path) -> None:
    data = prepared.read(mirror.workspace.prepared("flowers"))
    schema = Schema(data.schema.x, Classes(("1", "2", "10"), "size"))
    prepared.write(mirror.workspace.prepared("sizes"), replace(data, schema=schema))
    fit(mirror.workspace, "sizes-bayes", *BAYES)
    registry.Candidate(mirror.workspace, the_cell("sizes-bayes"), Comparison()).write(tmp_path / "model")
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert loaded.metadata.signature.outputs.inputs[0].type == DataType.long
    sent = StringIO()
    scoring_server.predictions_to_json(loaded.predict(unseen(mirror)), sent)  # as `mlflow models serve` answers
    assert {row["prediction"] for row in json.loads(sent.getvalue())["predictions"]} <= {1, 2, 10}


LOAD_BOTH = """
import sys, mlflow, pandas
rows = pandas.DataFrame({"length": [1.0], "width": [2.0], "colour": ["red"]})
found = [mlflow.pyfunc.load_model(folder).predict(rows) for folder in sys.argv[1:]]
assert [list(answers)[0] for answers in found] == ["prediction"] * 2, found
assert "versus" not in sys.modules, "a served model brings its own code"
"""


def test_two_champions_load_in_one_process_each_with_its_own_code(mirror: Mirror, tmp_path: Path) -> None:
    folders = []
    for cell in ("flowers-bayes", "flowers-tree"):
        registry.Candidate(mirror.workspace, the_cell(cell), Comparison()).write(tmp_path / cell)
        folders.append(str(tmp_path / cell))
    subprocess.run([sys.executable, "-c", LOAD_BOTH, *folders], cwd=tmp_path, check=True)


def test_the_package_says_what_it_takes_gives_and_needs(mirror: Mirror) -> None:
    register(mirror, "flowers-tree")
    folder = Path(mlflow.artifacts.download_artifacts("models:/flowers/1"))
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
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# flowers-tree\n")
    assert "the model here is fitted on all 150 rows." in text
    assert "setosa, versicolor, virginica" in text
    assert re.search(r"max_depth +\| +2 ", text)
    assert re.search(r"colour +\| +blue, red ", text)
    assert re.search(r"accuracy +\| +0\.\d+", text)
    assert "log_prob: not measured, since the model has no exact density" in text
    assert re.search(r"model files: [0-9a-f]{32}", text)
    forbidden = [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".pt", ".pyc")]
    assert forbidden == []


def test_text_of_data_is_escaped_in_a_card_and_scores_have_the_intervals_of_the_report(mirror: Mirror) -> None:
    hostile, workspace = "<img src=x>|*`@all", mirror.workspace
    path = workspace.evaluation("flowers-tree") / "evaluation.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"skipped": [{"what": "density", "reason": hostile}]}))
    found = Finding("constant", hostile, "one value", "it tells nothing", "drop it")
    findings.write(workspace.prepared("flowers"), Findings((found,), ()))
    line = "flowers-tree,flowers,tree,discriminative,accuracy_score,0.5,0.4321,0.5678"
    (workspace.reports / "comparison.csv").write_text(f"cell,dataset,model,family,metric,mean,low,high\n{line}\n")
    text = card.render(workspace, a_cell("flowers-tree"))
    assert "<img" not in text
    assert text.count(r"&lt;img src=x&gt;\|\*\`&#64;all") == 2
    assert re.search(r"accuracy +\| +0\.\d+ +\| +0\.4321 to 0\.5678 ", text)
    assert "To do: drop it." in text


def test_registering_again_makes_no_new_version(mirror: Mirror) -> None:
    first = register(mirror, "flowers-bayes")
    assert register(mirror, "flowers-bayes") == first
    fit(mirror.workspace, "flowers-bayes", *BAYES, alpha=0.5)
    assert register(mirror, "flowers-bayes").version != first.version


def test_a_model_on_other_test_rows_is_another_version(mirror: Mirror) -> None:
    def measure(test_hash: str) -> Registered:
        path = mirror.workspace.evaluation("flowers-bayes") / "evaluation.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"test_hash": test_hash}))
        return register(mirror, "flowers-bayes")

    first, second = measure("one"), measure("two")
    assert (first.version, second.version) == ("1", "2")
    assert measure("one") == first
    found = mirror.client.get_model_version("flowers", "2")
    assert found.tags["test_hash"] == "two"
    assert mirror.client.get_run(found.run_id).data.tags["test_hash"] == "two"


def test_the_first_challenger_is_the_champion_and_later_ones_are_not(mirror: Mirror) -> None:
    first = challenge(mirror, "flowers-tree")
    assert first.challenger == first.champion is not None
    second = challenge(mirror, "flowers-bayes")
    assert (second.challenger.cell, second.champion.cell) == ("flowers-bayes", "flowers-tree")  # type: ignore[union-attr]
    assert challenge(mirror, "flowers-bayes") == second == registry.standing(mirror, "flowers")


def test_promotion_asks_for_the_champion_that_was_judged(mirror: Mirror) -> None:
    tree = challenge(mirror, "flowers-tree").champion
    bayes = challenge(mirror, "flowers-bayes").challenger
    assert tree is not None
    assert bayes is not None
    with pytest.raises(ValueError, match=r"version 1 \(flowers-tree\) became the champion of flowers meanwhile"):
        registry.promote(mirror, "flowers", bayes.version, champion="7")
    assert registry.standing(mirror, "flowers").champion == tree
    assert registry.promote(mirror, "flowers", bayes.version, champion=tree.version).previous == tree
    assert registry.promote(mirror, "flowers", bayes.version, champion=tree.version).champion == bayes  # asked again


def test_what_was_rolled_back_is_marked_until_it_comes_back(mirror: Mirror) -> None:
    challenge(mirror, "flowers-tree")
    bayes = challenge(mirror, "flowers-bayes").challenger
    assert bayes is not None
    registry.promote(mirror, "flowers", bayes.version)
    back = registry.roll_back(mirror, "flowers")
    assert back.champion is not None
    assert back.previous is not None
    assert (back.champion.cell, back.champion.rolled_back) == ("flowers-tree", False)
    assert (back.previous.cell, back.previous.rolled_back) == ("flowers-bayes", True)
    forth = registry.roll_back(mirror, "flowers")
    assert forth.champion == bayes
    assert forth.previous is not None
    assert forth.previous.rolled_back


def test_an_evaluation_comes_back_from_its_run_and_one_that_is_gone_is_named(mirror: Mirror, tmp_path: Path) -> None:
    version = register(mirror, "flowers-bayes")
    registry.fetch_evaluation(mirror, version, tmp_path / "out")
    folder = mirror.workspace.evaluation("flowers-bayes")
    for name in ("evaluation.json", "predictions.npy"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
    shutil.rmtree(mirror.workspace.root / "mlruns" / "flowers" / version.run_id / "artifacts" / "evaluation")
    with pytest.raises(FileNotFoundError, match="without the alias 'champion' of flowers, the next challenger"):
        registry.fetch_evaluation(mirror, version, tmp_path / "out")


@pytest.mark.parametrize(
    ("prefix", "name"), [("", "flowers"), ("team", "team-flowers"), ("/Users/me:x", "Users_me_x-flowers")]
)
def test_a_registered_model_has_a_name_that_mlflow_takes(prefix: str, name: str) -> None:
    to = destination.Destination("sqlite:///x.db", prefix, Path())
    assert to.registered_model("flowers") == name


def test_aliases_follow_the_champions_and_go_back(mirror: Mirror) -> None:
    def aliases() -> list[str | None]:
        found = (registry.holder(mirror, "flowers", alias) for alias in (registry.CHAMPION, registry.PREVIOUS))
        return [None if holder is None else holder.cell for holder in found]

    assert aliases() == [None, None]
    with pytest.raises(ValueError, match="no previous champion"):
        registry.roll_back(mirror, "flowers")
    tree = register(mirror, "flowers-tree")
    assert aliases() == [None, None]  # registering alone crowns nobody
    registry.promote(mirror, "flowers", tree.version)
    assert aliases() == ["flowers-tree", None]
    bayes = register(mirror, "flowers-bayes")
    registry.promote(mirror, "flowers", bayes.version)
    assert aliases() == ["flowers-bayes", "flowers-tree"]
    registry.promote(mirror, "flowers", bayes.version)
    assert aliases() == ["flowers-bayes", "flowers-tree"]
    assert registry.roll_back(mirror, "flowers").champion == tree
    assert aliases() == ["flowers-tree", "flowers-bayes"]


def test_a_damaged_model_is_not_registered(mirror: Mirror) -> None:
    path = mirror.workspace.model("flowers-bayes") / "0.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(persistence.PersistenceError, match=r"0\.safetensors"):
        register(mirror, "flowers-bayes")
    assert registry.holder(mirror, "flowers") is None


@pytest.mark.slow
def test_a_champion_answers_over_http(mirror: Mirror) -> None:
    registered = champions.register(mirror.workspace, [the_cell("flowers-bayes")], Comparison(), to_the_end=True)
    assert registered.standings["flowers"].champion == registered.standings["flowers"].challenger
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
            expected = prediction.predict(on_all_rows(mirror.workspace, "flowers-bayes"), rows)
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


@pytest.mark.parametrize(
    "module", ["discriminative.linear", "discriminative.trees", "classical_generative.naive_bayes"]
)
def test_a_model_ships_what_predicts_and_neither_evaluation_nor_readers(module: str) -> None:
    files, libraries = code.closure((package.LOADER, f"versus.models.{module}"))
    shipped = {path.relative_to(code.SOURCE / "versus").as_posix() for path in files}
    rooms = {name.split("/")[0] for name in shipped}
    ground = {"__init__.py", "arrays.py", "manifest.py", "settings.py", "workspace.py"}
    assert rooms <= ground | {"data", "models", "numerics", "plugins", "serving", "training"}
    assert f"models/{module.replace('.', '/')}.py" in shipped
    in_data = {name for name in shipped if name.startswith("data/")}
    assert in_data == {
        f"data/{name}.py"
        for name in ("__init__", "columns", "dates", "errors", "notation", "schema", "spaces", "targets", "trees")
    }
    assert not {"dvc", "mlflow", "matplotlib", "jinja2", "torchmetrics"} & libraries
