"""From evaluations to aliases: `compare`'s registration, `versus gate` and `versus rollback`, on real stores."""

import ast
import base64
import hmac
import json
import re
import shlex
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest

from tests.tracking.processes import wait_for
from tests.tracking.servers import MlflowServer, receiver
from versus import evaluation, params, report
from versus.__main__ import main
from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models import find, persistence
from versus.report import results
from versus.serving.frames import decode
from versus.settings import Cell, Comparison
from versus.tracking import champions
from versus.tracking.answers import Registration
from versus.workspace import Workspace

PARAMS = """\
seed: 0
datasets:
  blobs: {source: embedded, name: iris}
files: {}
discriminative:
  blobs-tree: {data: blobs, module: trees, class: DecisionTree, args: {max_depth: DEPTH}}
  blobs-prior: {data: blobs, module: baseline, class: PriorBaseline}
classical_generative: {GAUSSIAN}
"""
GAUSSIAN = "blobs-gaussian: {data: blobs, module: gaussian, class: GaussianClassifier}"
SCHEMA = Schema(Table((Column("length"), Column("width"))), Classes(("cat", "dog", "owl"), "pet"))
REPEATS, N_TEST = 2, 400


class Project:
    """A workspace whose cells are fitted and evaluated here, as the stages do."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)

    def write(self, depth: int, gaussian: bool, test_seed: int = 0) -> None:
        """params.yaml and the data: three blobs, of which the last rows are the official test set."""
        text = PARAMS.replace("DEPTH", str(depth)).replace("GAUSSIAN", GAUSSIAN if gaussian else "")
        self.workspace.params.write_text(text)
        rng, test = np.random.default_rng(5), np.random.default_rng(test_seed)
        y = np.arange(300 + N_TEST) % 3
        noise = np.concatenate([rng.normal(size=(300, 2)), test.normal(size=(N_TEST, 2))])
        X = noise + 2.2 * np.array([[0, 0], [1, 1], [0, 2]])[y]
        rows = [np.arange(240), np.arange(240, 300), np.arange(300, 300 + N_TEST)]
        splits = {part: Ragged.of([r] * REPEATS) for part, r in zip(prepared.PARTS, rows, strict=True)}
        prepared.write(self.workspace.prepared("blobs"), Prepared(X, y, SCHEMA, splits, {"source": "embedded"}))

    def after_promotion(self, command: str) -> None:
        """Add the gate's command to params.yaml."""
        text = self.workspace.params.read_text()
        self.workspace.params.write_text(f"{text}gate: {{after_promotion: {json.dumps(command)}}}\n")

    def evaluate(self) -> None:
        """Fit and measure every cell."""
        data = prepared.read(self.workspace.prepared("blobs"))
        for cell in self.cells():
            models, out = self.workspace.model(cell.name), self.workspace.evaluation(cell.name)
            shutil.rmtree(models, ignore_errors=True)
            for repeat in range(REPEATS):
                seed = {"random_state": repeat} if cell.module == "trees" else {}
                model = find(cell.family, cell.module, cell.class_name)(**cell.args, **seed, schema=SCHEMA)
                model.fit(*data.take(repeat, "train", "validation"))
                persistence.save(model, models / str(repeat), cell.family, cell.module)
            evaluation.evaluate(data, models, cell, out, seed=0)

    def cells(self) -> list[Cell]:
        return list(params.cells(params.read(self.workspace.params)))

    def best(self) -> dict[str, str]:
        return report.best_cells(self.workspace, self.cells())

    def register(self, **how: bool) -> Registration:
        """What `compare` asks for."""
        best = self.best().values()
        return champions.register(self.workspace, [c for c in self.cells() if c.name in best], Comparison(), **how)

    def gate(self, *arguments: str) -> int:
        """The exit code of `versus gate`."""
        return self.call("gate", *arguments)

    def call(self, command: str, *arguments: str) -> int:
        with pytest.raises(SystemExit) as end:
            main([command, *arguments, "--workspace", str(self.workspace.root)])
        return end.value.code if isinstance(end.value.code, int) else 1

    def champion(self) -> str:
        """The cell that holds the alias."""
        return str(mlflow.MlflowClient().get_model_version_by_alias("blobs", "champion").tags["cell"])


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A deep tree alone, evaluated, where `versus run` works; its store is that of the repository around it."""
    root = tmp_path / "repository" / "runs" / "mine"
    root.mkdir(parents=True)
    (root / "dvc.yaml").write_text("vars:\n  - code: ../..\n")
    shutil.copy(empty_store, tmp_path / "repository" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/repository/mlflow.db")
    found = Project(root)
    found.write(depth=20, gaussian=False)
    found.evaluate()
    return found


def replace_the_first(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The first champion, then a better one, which samples."""
    here = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{project.workspace.root}/of-other-models.db")  # MLflow's default is another
    assert project.register(to_the_end=True).ok
    mlflow.set_tracking_uri(here)
    assert project.gate() == 0
    assert "blobs-tree (version 1) is the first champion" in capsys.readouterr().out

    project.write(depth=20, gaussian=True)
    project.evaluate()
    assert project.best() == {"blobs": "blobs-gaussian"}
    file = project.workspace.root / "gate.json"
    assert project.gate("--json", str(file)) == 0
    told = capsys.readouterr().out
    gain = json.loads(file.read_text())["datasets"][0]["judgement"]["gain"]
    (page,) = results.read(project.workspace, project.cells()).contrasts  # tree - gaussian, on the same files
    assert (gain["value"], gain["low"], gain["high"]) == pytest.approx((-page.mean, -page.high, -page.low))
    assert gain["estimand"] in told
    assert told.startswith("blobs passes: blobs-gaussian (version 2) against blobs-tree (version 1); accuracy_score 0.")
    assert "the model to use is fitted on all 700 rows" in told
    assert project.champion() == "blobs-tree"  # judging moves nothing
    hook = "import os; print({n: v for n, v in os.environ.items() if n.startswith('VERSUS_')}, file=open('told', 'a'))"
    project.after_promotion(f"{sys.executable} -c {shlex.quote(hook)}")
    assert project.gate("--promote") == 0
    assert (
        "blobs-gaussian (version 2) is the champion now, blobs-tree (version 1) the previous" in capsys.readouterr().out
    )
    heard = ast.literal_eval((project.workspace.root / "told").read_text())  # once: nothing else was promoted
    assert (heard["VERSUS_DATASET"], heard["VERSUS_CELL"]) == ("blobs", "blobs-gaussian")
    assert (heard["VERSUS_CHAMPION"], heard["VERSUS_PREVIOUS"]) == ("models:/blobs/2", "models:/blobs/1")
    assert project.champion() == "blobs-gaussian"

    rows = decode(np.array(prepared.read(project.workspace.prepared("blobs")).take(0, "test")[0]), SCHEMA)
    model = mlflow.pyfunc.load_model("models:/blobs@champion")
    answers = model.predict(rows)
    assert set(answers["prediction"]) == set(SCHEMA.classes)
    drawn = model.predict(rows.head(0), params={"sample": 5, "label": "owl", "random_state": 0})
    assert list(drawn.columns) == ["length", "width", "pet"]
    assert set(drawn["pet"]) == {"owl"}


def test_a_champion_is_defended_replaced_and_brought_back(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    replace_the_first(project, capsys)
    assert project.gate("--promote") == 0
    assert "blobs-gaussian (version 2) is the champion: unchanged" in capsys.readouterr().out

    project.write(depth=20, gaussian=False)
    project.evaluate()
    assert project.gate("--promote", "--json", str(project.workspace.root / "gate.json")) == 1
    told = capsys.readouterr().out
    assert "blobs FAILS: blobs-tree (version 1) against blobs-gaussian (version 2); " in told
    assert "FAIL accuracy_score" in told
    assert project.champion() == "blobs-gaussian"
    found = json.loads((project.workspace.root / "gate.json").read_text())
    assert found["datasets"][0]["judgement"]["gain"]["high"] < 0
    assert project.gate("--margin", "0.99", "blobs") == 1  # the margin of a class is another
    capsys.readouterr()

    project.write(depth=20, gaussian=False, test_seed=1)
    assert project.gate("--promote") == 2  # prepared anew, not evaluated yet
    assert "was not evaluated on the test rows that data/prepared/blobs has now" in capsys.readouterr().out
    project.evaluate()
    project.after_promotion("no-such-command")
    assert project.gate("--promote", "--markdown", "-") == 2
    streams = capsys.readouterr()
    assert "blobs-tree (version 3) is promoted, but gate.after_promotion failed: " in streams.err
    assert "new baseline: the test rows are not those" in streams.out
    assert "| blobs | **passes**, promoted | blobs-tree (version 3) |" in streams.out
    assert streams.err.startswith("blobs passes: ")
    assert project.champion() == "blobs-tree"

    assert project.call("rollback", "blobs") == 0
    assert "blobs: blobs-gaussian (version 2) is the champion again; blobs-tree (version 3)" in capsys.readouterr().out
    assert project.gate("--promote") == 0
    assert "was rolled back and stays so" in capsys.readouterr().out
    assert project.champion() == "blobs-gaussian"
    assert project.call("sync") == 0
    assert not (project.workspace.root / "mlflow.db").exists()  # all five calls looked where `versus run` writes
    a_moved_project_keeps_its_champion(project, capsys)


def a_moved_project_keeps_its_champion(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    old = project.workspace.root.parents[1]
    new = old.rename(old.with_name("moved project"))
    moved = Project(new / "runs" / "mine")
    mlflow.set_tracking_uri(f"sqlite:///{new}/mlflow.db")
    capsys.readouterr()
    assert moved.gate() == 0
    assert "was rolled back and stays so" in capsys.readouterr().out
    assert moved.champion() == "blobs-gaussian"
    rows = decode(np.array(prepared.read(moved.workspace.prepared("blobs")).take(0, "test")[0]), SCHEMA)
    assert set(mlflow.pyfunc.load_model("models:/blobs@champion").predict(rows)["prediction"]) == set(SCHEMA.classes)
    assert not old.exists()


def moved(request: tuple[dict[str, str], bytes]) -> tuple[str, str]:
    """The alias and the version of a webhook's request, once its signature is seen to be right."""
    headers, body = request
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(b"of both", signed, "sha256")).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{digest}"
    told = json.loads(body)["data"]
    assert told["name"] == "blobs"
    return told["alias"], told["version"]


@pytest.mark.slow
def test_on_a_server_too(
    project: Project, server: MlflowServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    mlflow.set_tracking_uri(server.uri)
    with receiver() as (address, heard):
        events = ["model_version_alias.created"]
        mlflow.MlflowClient().create_webhook("champions", address, events, secret="of both")
        replace_the_first(project, capsys)
        moves = {(alias, version) for alias in ("challenger", "champion") for version in "12"} | {("previous", "1")}
        wait_for(lambda: set(map(moved, heard)) == moves, 30)
    server.kill()
    assert project.gate() == 2
    assert "blobs UNDECIDED: blobs-gaussian could not be registered: " in capsys.readouterr().out
    monkeypatch.delenv("VERSUS_TRACKING_PATIENCE")
    began = time.monotonic()
    assert not project.register().ok
    assert time.monotonic() - began < 10
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("warning: tracking: not all of the best models are in MLflow's registry: ")
    server.start()
    assert project.register(to_the_end=True).ok  # what `make sync` asks for


def test_what_cannot_be_judged_is_neither_passed_nor_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.gate("nothere") == 2
    assert "unknown data set 'nothere'; there are 'blobs'" in capsys.readouterr().err
    shutil.rmtree(project.workspace.evaluation("blobs-prior"))
    assert project.gate() == 2
    assert "blobs UNDECIDED: blobs-prior not evaluated; run `dvc repro` first" in capsys.readouterr().out
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    assert project.gate() == 2
    assert "tracking is off (VERSUS_TRACKING)" in capsys.readouterr().out
    project.workspace.params.write_text("sead: 0")
    assert project.gate() == 2
    assert "unknown key" in capsys.readouterr().err
    assert project.call("rollback", "blobs") == 1


def test_a_first_champion_that_does_not_beat_the_trivial_model_fails(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(depth=20, gaussian=False)
    text = project.workspace.params.read_text()
    project.workspace.params.write_text(text.replace("max_depth: 20", "min_samples_leaf: 1000"))
    project.evaluate()
    for expected in ("is the first champion: there is none to compare it with; ", "is not shown to beat the trivial"):
        assert project.gate("--promote", "--json", str(project.workspace.root / "gate.json")) == 1
        told = capsys.readouterr().out
        assert told.startswith("blobs FAILS: blobs-tree (version 1) ")
        assert expected in told
    found = json.loads((project.workspace.root / "gate.json").read_text())["datasets"][0]
    assert (found["outcome"], found["judgement"]["basis"]) == ("fail", "alone")
    assert [check["name"] for check in found["judgement"]["checks"] if not check["passed"]] == ["baseline"]


def test_one_model_that_is_damaged_does_not_keep_the_others_out(project: Project) -> None:
    shutil.copytree(project.workspace.prepared("blobs"), project.workspace.prepared("twin"))
    for path in (project.workspace.model("blobs-tree"), project.workspace.evaluation("blobs-tree")):
        shutil.copytree(path, path.with_name("twin-tree"))
    about = project.workspace.evaluation("twin-tree") / "evaluation.json"
    about.write_text(about.read_text().replace('"blobs', '"twin'))
    (project.workspace.model("blobs-tree") / "0.json").write_text("{")
    (tree,) = (cell for cell in project.cells() if cell.name == "blobs-tree")
    found = champions.register(project.workspace, [tree, replace(tree, name="twin-tree", dataset="twin")], Comparison())
    assert list(found.standings) == ["twin"]
    assert "0.json" in found.failed["blobs"]
    assert not found.ok


def test_the_best_cell_is_the_reports_and_never_a_guess(project: Project) -> None:
    assert project.best() == {"blobs": "blobs-tree"}  # not the baseline
    project.write(depth=20, gaussian=True)
    assert project.best() == {}  # the gaussian is not evaluated, and might be the best
    project.evaluate()
    assert project.best() == {"blobs": "blobs-gaussian"}
    by_loss = Comparison(primary={"classification": "log_loss"})
    scores = project.workspace.evaluation("blobs-gaussian") / "scores.csv"
    scores.write_text(re.sub(r"log_loss,.*", "log_loss,9.0", scores.read_text()))
    assert report.best_cells(project.workspace, project.cells(), by_loss) == {"blobs": "blobs-tree"}
