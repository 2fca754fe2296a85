"""A metric is one function and one row of the table: all else follows from it."""

import csv

import numpy as np
import pytest

from tests.report.made_workspace import Made, blobs
from tests.test_evaluation import iris, train
from versus import params as parameters
from versus.evaluation import evaluate
from versus.gate import judge
from versus.metrics import table
from versus.metrics.metric import Metric
from versus.report import build, results
from versus.settings import Comparison, Gate
from versus.workspace import Workspace


def wrong_rows(y, probabilities):
    return (probabilities.argmax(axis=1) != y)[:, None]


def wrong_value(y, probabilities):
    return float(np.mean(probabilities.argmax(axis=1) != y))


@pytest.fixture(params=[{"rows": wrong_rows}, {"value": wrong_value}], ids=["rows", "value"])
def error_rate(request, monkeypatch):
    """A row that the table does not have."""
    added = Metric(
        "error_rate", "rate of errors", "classification", "share", "lower", 0, 1, "here", "scores", **request.param
    )
    monkeypatch.setattr(table, "METRICS", (*table.METRICS, added))
    return added


def test_it_is_scored(error_rate, tmp_path):
    data = iris()
    cell = train(data, tmp_path / "models", "discriminative", "baseline", "PriorBaseline", {})
    evaluate(data, tmp_path / "models", cell, tmp_path / "out", seed=0)
    rows = list(csv.DictReader((tmp_path / "out" / "scores.csv").open()))
    scores = {(row["metric"], row["repeat"]): float(row["value"]) for row in rows}
    for repeat in ("0", "1"):
        assert scores["error_rate", repeat] == pytest.approx(1 - scores["accuracy_score", repeat])


@pytest.mark.parametrize("fixed_test", [False, True])
def test_it_is_shown_has_an_interval_and_can_decide(error_rate, tmp_path, fixed_test):
    made = Made(Workspace(tmp_path))
    repeats = 1 if fixed_test else 3
    made.add_classification("blobs", *blobs(2, 100, 2), repeats=repeats, fixed_test=fixed_test)
    build(made.workspace, made.cells, {}, Comparison(primary={"classification": "error_rate"}))
    for name in ("report.html", "report.md"):
        assert "rate of errors" in (made.workspace.reports / name).read_text()
    rows = [
        r for r in csv.DictReader((made.workspace.reports / "comparison.csv").open()) if r["metric"] == "error_rate"
    ]
    assert len(rows) == len(made.cells)
    for row in rows:
        assert 0 <= float(row["low"]) <= float(row["mean"]) <= float(row["high"]) <= 1
    verdict = (made.workspace.reports / "report.md").read_text()
    assert "rate of errors" in verdict.split("## All models")[0]


def test_it_gates(error_rate, tmp_path):
    made = Made(Workspace(tmp_path))
    made.add_classification("blobs", *blobs(2, 100, 2))
    (dataset,) = results.read(
        made.workspace, made.cells, comparison=Comparison(primary={"classification": "error_rate"})
    ).datasets
    good, bad = dataset.ordered(list(dataset.evaluations), "error_rate")[0], dataset.baseline
    for challenger, champion, passes in ((good, bad, True), (bad, good, False)):
        found = judge(dataset, challenger, champion, Gate())
        assert found.passed == passes
        assert "error_rate" in " ".join(check.text for check in found.checks)


def test_params_accept_it(error_rate, tmp_path):
    (tmp_path / "params.yaml").write_text("comparison: {primary: {classification: error_rate}}\n")
    assert parameters.read(tmp_path / "params.yaml").comparison.primary == {"classification": "error_rate"}
