"""Tuning chooses on validation rows alone, is never worse there than the default, and resumes where it was killed."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import evaluate, fingerprint, prepare, train
from versus import manifest, report
from versus import params as parameters
from versus.arrays import FAMILIES
from versus.data import prepared
from versus.fitting import tuning
from versus.metrics.table import named
from versus.models import catalogue, find, persistence
from versus.models.arguments import Between
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.discriminative.linear import LogisticRegression, RidgeRegression
from versus.report.formatting import signed
from versus.workspace import Workspace

PARAMS = """\
tuning: {trials: 6}
training: {device: cpu}
datasets:
  iris: {source: embedded, name: iris, repeats: 1}
discriminative:
  iris-knn: {data: iris, module: neighbours, class: KNearestNeighbours}
  iris-logistic_regression: {data: iris, module: linear, class: LogisticRegression, args: {C: 1.0e-4}}
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
"""


CELL = "iris-logistic_regression"


class KilledError(BaseException):
    """Stands for a kill."""


def prepare_in(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = PARAMS) -> Workspace:
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    Path("params.yaml").write_text(text)
    fingerprint.main()
    prepare.main("iris")
    return Workspace(folder)


def fitted(folder: Path) -> dict[str, str]:
    """Hash of each file of the models, measured costs aside."""
    files = (path for path in (folder / "models").rglob("*") if path.is_file())
    kept = (path for path in files if "cost" not in path.name and path.name != manifest.NAME)
    return {str(path.relative_to(folder)): manifest.sha256(path) for path in kept}


def table(folder: Path, cell: str) -> list[dict[str, str]]:
    with (folder / "reports/evaluations" / cell / "trials.csv").open() as file:
        return list(csv.DictReader(file))


def test_what_is_chosen_is_fitted_and_is_no_worse_than_the_default(tmp_path, monkeypatch):
    workspace = prepare_in(tmp_path / "a", monkeypatch)
    train.main("discriminative", "iris-logistic_regression")
    evaluate.main("iris-logistic_regression")
    trials = table(workspace.root, "iris-logistic_regression")
    losses = [float(trial["loss"]) for trial in trials]
    (chosen,) = (trial for trial in trials if trial["chosen"] == "1")
    assert len(trials) == 7
    assert trials[0]["arguments"] == "{}"
    assert float(chosen["loss"]) == min(losses) < losses[0]  # a C of 1e-4 is far too small
    model = json.loads((workspace.model("iris-logistic_regression") / "0.json").read_text())
    assert json.loads(chosen["arguments"])["C"] == model["arguments"]["C"]
    cost = json.loads(workspace.training_cost("iris-logistic_regression").read_text())
    assert cost["repeats"][0]["tuning_seconds"] > 0
    assert cost["repeats"][0]["n_train"] == 120  # the final fit learns from both parts, as without tuning

    report.build(workspace, parameters.cells(parameters.read(workspace.params)))
    told = (workspace.reports / "report.md").read_text()
    (row,) = (line for line in told.splitlines() if line.startswith("| iris | logistic_regression | 7 |"))
    assert f"{losses[0]:.3f} | {min(losses):.3f}" in row
    data = prepared.read(workspace.prepared("iris"))
    X, y = data.take(0, "test")
    default = LogisticRegression(C=1e-4, schema=data.schema).fit(*data.take(0, "train", "validation"))
    right = [float((m.predict(X) == y).mean()) for m in (default, persistence.load(workspace.model(CELL) / "0"))]
    assert f"| accuracy | {right[0]:.3f} | {right[1]:.3f} | {signed(right[1] - right[0])} (" in row
    assert "Not tuned" not in told  # the trivial one has nothing to tune
    assert "of 1 models were tuned in each repeat, on its validation rows: up to 6 trials beside the default." in told
    assert "chosen arguments" in (workspace.reports / "report.html").read_text()


def test_no_test_row_is_seen(tmp_path, monkeypatch):
    for poisoned in (False, True):
        workspace = prepare_in(tmp_path / str(poisoned), monkeypatch)
        if poisoned:
            data = prepared.read(workspace.prepared("iris"))
            rows, X, y = data.rows(0, "test"), np.array(data.X), np.array(data.y)
            X[rows], y[rows] = 1e6, 0
            prepared.save_events(workspace.prepared("iris"), "X", X)
            prepared.save_events(workspace.prepared("iris"), "y", y)
            manifest.write(workspace.prepared("iris"))
        for cell in ("iris-knn", "iris-logistic_regression"):
            train.main("discriminative", cell)
    assert fitted(tmp_path / "True") == fitted(tmp_path / "False")


def test_a_killed_tuning_resumes_and_ends_with_the_same_bytes(tmp_path, monkeypatch):
    scored = []
    real = tuning.validation_loss

    def dies_at(last: int) -> Any:
        def loss(*given: Any) -> float:
            scored.append(1)
            if len(scored) == last:
                raise KilledError
            return real(*given)

        return loss

    prepare_in(tmp_path / "whole", monkeypatch)
    train.main("discriminative", "iris-knn")
    prepare_in(tmp_path / "killed", monkeypatch)
    monkeypatch.setattr(tuning, "validation_loss", dies_at(4))
    with pytest.raises(KilledError):
        train.main("discriminative", "iris-knn")
    monkeypatch.setattr(tuning, "validation_loss", dies_at(0))
    train.main("discriminative", "iris-knn")
    assert len(scored) == 7 + 1  # what was killed was tried again, and nothing else
    assert fitted(tmp_path / "killed") == fitted(tmp_path / "whole")


def test_a_failed_trial_is_recorded_and_a_model_without_space_is_not_tuned(tmp_path, monkeypatch):
    space = {"p": (1, 0)}
    workspace = prepare_in(tmp_path / "a", monkeypatch)
    monkeypatch.setattr(find("discriminative", "neighbours", "KNearestNeighbours"), "search_space", space)
    for cell in ("iris-knn", "iris-prior"):
        train.main("discriminative", cell)
        evaluate.main(cell)
    trials = table(workspace.root, "iris-knn")
    assert len(trials) == 3  # no setting of a finite space is tried twice
    (failed,) = (trial for trial in trials if trial["failed"])
    assert json.loads(failed["arguments"]) == {"p": 0}
    assert (failed["loss"], failed["chosen"]) == ("", "0")
    assert not (workspace.evaluation("iris-prior") / "trials.csv").exists()


def test_no_trial_starts_after_the_seconds_but_the_default_is_tried(tmp_path):
    def fit(arguments: Any, checkpoint: Path) -> Any:
        return RidgeRegression(**arguments).fit(X[:20], y[:20])

    X = np.random.default_rng(0).normal(size=(30, 2))
    y = X[:, 0]
    given = tuning.Tuning(trials=50)
    assert tuning.choose(RidgeRegression, given, 0, tmp_path, fit, (X[20:], y[20:]), seconds=0.0) == {}
    assert len(tuning.collect(tmp_path)) == 1
    assert tuning.choose(RidgeRegression, given, 0, tmp_path, fit, (X[20:], y[20:])) != {}
    trials = tuning.collect(tmp_path)
    assert len(trials) == 51
    assert trials[tuning.best(trials)].edges == {"alpha": "lower"}  # without noise, the less shrinkage the better


def test_losses_are_those_of_the_table_of_metrics():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 3
    model = GaussianClassifier().fit(X + y[:, None], y)
    expected = named("log_loss").score(y, model.predict_proba(X))
    assert tuning.validation_loss(model, X, y, 0) == pytest.approx(expected)
    regression = RidgeRegression().fit(X, X[:, 0] ** 2)
    rmse = named("root_mean_squared_error").score(y, regression.predict(X))
    assert tuning.validation_loss(regression, X, y, 0) == pytest.approx(rmse**2)

    class Density:
        schema_ = model.schema_
        log_prob = model.log_prob

    assert tuning.validation_loss(Density(), X, y, 0) == pytest.approx(-model.log_prob(X).mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_search_space_draws_is_accepted(family):
    seen = 0
    for module in catalogue.modules(family):
        for name, arguments in catalogue.signatures(family, module).items():
            drawn = tuning.candidates(find(family, module, name), 30, seed=0)
            seen += len(drawn) > 1
            assert drawn[0] == {}
            for given in drawn:
                assert all(arguments[argument].accepts(value) for argument, value in given.items()), (name, given)
                assert json.loads(json.dumps(given)) == given
    assert seen >= 2


def test_the_edges_of_a_range():
    assert [Between(1e-4, 1.0).edge(value) for value in (1e-4, 1.5e-4, 1e-2, 0.7, 1.0)] == [
        "lower",
        "lower",
        "",
        "upper",
        "upper",
    ]
    assert [Between(1, 64).edge(value) for value in (1, 8, 64)] == ["", "", "upper"]
    drawn = [Between(1, 8).rvs(np.random.RandomState(seed)) for seed in range(200)]
    assert {1, 8} <= set(drawn) <= set(range(1, 9))
