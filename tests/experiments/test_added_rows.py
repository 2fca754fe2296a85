"""Experiments that add rows or leave a class out: by models whose gains are known, and as the page shows them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from stages import experiment, fingerprint
from tests.models.small_text import documents
from versus import params as parameters
from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.experiments import few_labels, held_out_class
from versus.experiments.fits import Task
from versus.models import find
from versus.params import ParamsError
from versus.report import number_files, results
from versus.report.section import shown
from versus.report.sections import additions, crossing, held_out
from versus.settings import Cell
from versus.workspace import Workspace

PARAMS = """\
training: {device: cpu}
comparison: {confidence: 0.9}
files:
  blobs: {source: csv, path: blobs.csv, target: y}
discriminative:
  blobs-logistic_regression: {data: blobs, module: linear, class: LogisticRegression, args: {C: 0.1}}
classical_generative:
  blobs-gaussian: {data: blobs, module: gaussian, class: GaussianClassifier, args: {covariance_type: tied}}
experiments:
  labels: {kind: few_labels, data: blobs, cells: [blobs-logistic_regression, blobs-gaussian], labels: [6, 18, 900]}
  drawn: {kind: augmentation, data: blobs, cells: [blobs-logistic_regression, blobs-gaussian], sizes: [12, 60]}
  shift: {kind: label_shift, data: blobs, cells: [blobs-logistic_regression, blobs-gaussian]}
  unseen: {kind: held_out_class, data: blobs, cells: [blobs-logistic_regression, blobs-gaussian]}
"""
NAMES = ("labels", "drawn", "shift", "unseen")
BLOBS = Schema(Table((Column("a"), Column("b"))), Classes(("u", "v")))


@pytest.fixture
def workspace(prepared_workspace: Callable[[str, str], Workspace]) -> Workspace:
    rng = np.random.default_rng(0)
    y = np.minimum(np.arange(240) % 5, 2)  # the last class has three of five rows
    X = rng.normal(size=(240, 2)) + 6 * np.array([[0, 0], [1, 0], [0, 1]])[y]
    Path("blobs.csv").write_text(
        "a,b,y\n" + "".join(f"{a},{b},k{k}\n" for (a, b), k in zip(X.tolist(), y, strict=True))
    )
    return prepared_workspace(PARAMS, "blobs")


def test_each_kind_runs_and_the_page_shows_it(workspace: Workspace) -> None:
    for name in NAMES:
        experiment.main(name)
    found = {name: json.loads(workspace.experiment_result(name).read_text()) for name in NAMES}
    assert found["labels"]["sizes"] == [6, 18]  # 900 are more than there are
    value = {curve["cell"]: curve["value"] for curve in found["labels"]["curves"] if curve["score"] == "accuracy_score"}
    assert value["blobs-gaussian+unlabelled"][0] > 0.97
    gain = next(g for g in found["drawn"]["gains"] if g["score"] == "log_loss")
    assert (gain["with"], gain["without"]) == ("blobs-logistic_regression+gaussian", "blobs-logistic_regression")
    assert gain["difference"]["low"][0] > 0  # a strong penalty counts less beside more rows
    number_files.write_gains(workspace.reports / "gains.csv", found)
    written = (workspace.reports / "gains.csv").read_text().splitlines()
    size, ends = found["drawn"]["sizes"][0], (gain["difference"][end][0] for end in ("value", "low", "high"))
    told = ["drawn", "blobs", "log_loss", "blobs-logistic_regression+gaussian", "blobs-logistic_regression"]
    assert ",".join([*told, str(size), *map(repr, ends)]) in written
    rows = {(row["cell"], row["signal"]): row for row in found["unseen"]["rows"]}
    assert len(rows) == 3
    assert rows["blobs-gaussian", "density"]["value"] > 0.95
    best = next(row for row in found["unseen"]["rows"] if row["from_best"][0] == 0)
    assert best is found["unseen"]["rows"][0]
    read = results.read(workspace, parameters.cells(parameters.read(workspace.params)), experiments=NAMES)
    first, second = shown([additions, held_out, crossing], read)  # none is about sizes alone
    assert [e["name"] for e in first.content["experiments"]] == ["labels", "drawn", "shift"]
    assert len(first.pictures) == 2  # of what has more than one size
    value = {curve["cell"]: curve["value"] for curve in found["shift"]["curves"] if curve["score"] == "log_loss"}
    for cell in ("blobs-logistic_regression", "blobs-gaussian"):
        assert value[f"{cell}+bayes"] < value[cell]
        assert value[f"{cell}+refitted"] < value[cell]
    assert "logistic_regression + gaussian" in first.content["experiments"][1]["words"][0]
    assert "| gaussian | classical generative | density |" in "\n".join(second.markdown)


def test_self_training_learns_from_what_it_is_sure_of() -> None:
    """Two normals whose labels are few."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 600)
    X = rng.normal(size=(600, 2)) + 4 * y[:, None]
    schema = Schema(Table((Column("a"), Column("b"))), Classes(("u", "v")))
    rows = np.array([*np.flatnonzero(y == 0)[:2], *np.flatnonzero(y == 1)[:2]])
    everything = np.arange(500)
    data = Prepared(
        X,
        y,
        schema,
        {
            "train": Ragged.of([everything]),
            "validation": Ragged.of([[]], np.int64),
            "test": Ragged.of([np.arange(500, 600)]),
        },
        {},
    )
    cell = Cell("set-linear", "set", "discriminative", "linear", "LogisticRegression", {})
    model = find(cell.family, cell.module, cell.class_name)
    task = Task(data, 0, np.sort(rows), 0, lambda cell: model(schema=schema))
    taught, alone = few_labels.self_trained(cell, task), task.fitted(cell)
    assert (taught.predict(X) == y).mean() >= (alone.predict(X) == y).mean()
    losses = [log_loss(y[500:], m.predict_proba(X[500:])) for m in (taught, alone)]
    assert losses[0] < 0.7 * losses[1]  # more rows count more beside the penalty


def test_em_finds_the_classes_of_rows_without_labels() -> None:
    """From two labelled rows a class, EM must find the means as if all labels were known."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 500)
    X = rng.normal(size=(500, 2)) + 4 * y[:, None]
    few = np.array([*np.flatnonzero(y == 0)[:2], *np.flatnonzero(y == 1)[:2]])
    others = np.setdiff1d(np.arange(500), few)
    bayes = partial(find("classical_generative", "naive_bayes", "MixedNaiveBayes"), schema=BLOBS)
    found, alone = few_labels.fit_by_em(bayes, X[few], y[few], X[others]), bayes().fit(X[few], y[few])
    np.testing.assert_allclose(found.means_, [X[y == k].mean(axis=0) for k in (0, 1)], atol=0.15)
    assert found.log_prob(X[others]).mean() > alone.log_prob(X[others]).mean()
    halves = [np.full(len(rows), 0.5) for rows in (few, others)]
    doubled = few_labels.fit_by_em(bayes, X[few], y[few], X[others], halves)
    np.testing.assert_allclose(doubled.means_, found.means_, atol=0.02)  # all rows count half, and so alike


def test_documents_learn_from_those_without_labels() -> None:
    X, y, schema = documents(n=900, seed=3)
    bayes = find("classical_generative", "naive_bayes_counts", "MultinomialNaiveBayes")
    few = np.array([*np.flatnonzero(y == 0)[:3], *np.flatnonzero(y == 1)[:3]])
    alone = bayes(schema=schema).fit(X[few], y[few])
    found = few_labels.fit_by_em(lambda: bayes(schema=schema), X[few], y[few], X[np.arange(20, 600)])
    right = [(m.predict(X[np.arange(600, 900)]) == y[600:]).mean() for m in (alone, found)]
    assert right[1] > right[0] + 0.05


def test_areas_of_a_class_left_out_are_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    y, values = rng.integers(0, 3, 90), np.round(rng.normal(size=(3, 90)), 1)
    splits = {part: Ragged.of([np.arange(90)]) for part in ("train", "validation", "test")}
    data = Prepared(np.zeros((90, 1)), y, Schema(Table((Column("a"),)), Classes(("u", "v", "w"))), splits, {})
    rows = {signal: values if signal == "density" else values * np.nan for signal in held_out_class.SIGNALS}
    course = held_out_class.Course(rows, np.zeros((3, 1)), {})
    (row,) = held_out_class.rows_of({"set-model": [course]}, data, 0.95)
    assert row["by_class"] == pytest.approx([roc_auc_score(y != k, values[k]) for k in range(3)])
    assert row["value"] == pytest.approx(np.mean(row["by_class"]))
    assert row["interval"][0] < row["value"] < row["interval"][1]
    for k in range(3):
        left = held_out_class.without(data, k)
        assert left.schema.n_classes == 2
        named = np.array(left.schema.classes)[left.y[y != k]]
        assert (named == np.array(data.schema.classes)[y[y != k]]).all()


def test_a_faulty_kind_or_option_is_refused_with_its_line(tmp_path: Path) -> None:
    for line, fault in (
        ("x: {kind: many_labels, data: blobs, cells: [a, b]}", "many_labels"),
        (
            "x: {kind: few_labels, data: blobs, cells: [blobs-gaussian, blobs-logistic_regression], sizes: [3, 4]}",
            "sizes",
        ),
        (
            "x: {kind: few_labels, data: blobs, cells: [blobs-gaussian, blobs-logistic_regression], labels: [1]}",
            "labels",
        ),
    ):
        path = tmp_path / "params.yaml"
        path.write_text(PARAMS[: PARAMS.index("  labels:")] + f"  {line}\n")
        with pytest.raises(ParamsError, match=fault) as error:
            parameters.read(path)
        assert f"{path}:10" in str(error.value)


def test_two_classes_are_too_few_to_leave_one_out(workspace: Workspace) -> None:
    text = Path("blobs.csv").read_text().replace("k2", "k1")
    Path("blobs.csv").write_text(text)
    from stages import prepare

    fingerprint.main()
    prepare.main("blobs")
    assert prepared.read(workspace.prepared("blobs")).schema.n_classes == 2
    with pytest.raises(ValueError, match="must have 3 classes or more"):
        experiment.main("unseen")
