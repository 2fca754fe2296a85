"""Models as ONNX files: ONNX Runtime answers original rows as the model does, and what differs is not kept."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes, Number
from versus.models import catalogue, find, persistence
from versus.serving import onnx_graph
from versus.serving.frames import decode

ROWS = 60
RNG = np.random.default_rng(0)
TABLE = Table((Column("a, or b"), Column("kind", ("p", "q", "r")), Column("c"), Column("flag", ("no", "yes"))))
THREE, TWO = Classes(("x", "y", "z"), "letter"), Classes(("left", "right"), "side")


def mixed() -> np.ndarray:
    X = np.column_stack(
        [RNG.normal(size=ROWS), RNG.integers(0, 3, ROWS), RNG.normal(5, 3, ROWS), RNG.integers(0, 2, ROWS)]
    )
    X[::5, 0] = np.nan
    X[::7, 1] = np.nan
    return X.astype(float)


def saved(folder: Path, name: str, schema: Schema, X: Any, y: Any, **arguments: Any) -> tuple[Any, Path, Path]:
    """A fitted model, its files, and the prepared data set."""
    family, module = catalogue.classes()[name]
    own = {"random_state": 0} if "random_state" in catalogue.signatures(family, module)[name] else {}
    model = find(family, module, name)(**arguments, **own, schema=schema).fit(X[:40], y[:40])
    persistence.save(model, folder / "model" / "0", family, module)
    parts = {"train": np.arange(40), "validation": np.arange(0), "test": np.arange(40, ROWS)}
    splits = {part: Ragged.of(rows[None]) for part, rows in parts.items()}
    prepared.write(folder / "data", Prepared(X, y, schema, splits, {"source": "embedded", "name": "made"}))
    return model, folder / "model" / "0", folder / "data"


CASES = [
    ("LogisticRegression", THREE, {}),
    ("LogisticRegression", TWO, {}),
    ("LinearSVM", THREE, {}),
    ("RandomForest", THREE, {"n_estimators": 5}),
    ("RidgeRegression", Number("size"), {}),
    ("RandomForestRegressor", Number("size"), {"n_estimators": 5}),
    ("MLPRegressor", Number("size"), {"epochs": 2, "hidden_layer_sizes": [8]}),
]


@pytest.mark.parametrize(("name", "target", "arguments"), CASES, ids=lambda case: str(getattr(case, "names", case)))
def test_a_file_answers_raw_rows_as_the_model_does(
    tmp_path: Path, name: str, target: Classes | Number, arguments: dict[str, Any]
) -> None:
    X = mixed()
    signal = np.nan_to_num(X[:, 0]) + X[:, 3] + X[:, 2] / 5
    y = 1e4 + 100 * signal if isinstance(target, Number) else np.digitize(signal, [1.5, 2.2][: len(target.names) - 1])
    model, files, data = saved(tmp_path, name, Schema(TABLE, target), X, y, **arguments)
    out = tmp_path / "model.onnx"
    onnx_graph.write(files, data, out)
    rows = decode(X[40:], model.schema)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    given = {
        c.name: (rows[c.name].fillna("").to_numpy(object) if c.categories else rows[c.name].to_numpy(float))[:, None]
        for c in TABLE.columns
    }
    assert [i.name for i in session.get_inputs()] == [c.name for c in TABLE.columns]
    answers = dict(zip([o.name for o in session.get_outputs()], session.run(None, given), strict=True))
    if isinstance(target, Number):
        np.testing.assert_allclose(answers["prediction"], model.predict(X[40:]), rtol=1e-5)
        return
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(X[40:]), atol=1e-5)
    assert list(answers["label"]) == [target.names[k] for k in model.predict(X[40:])]
    given["kind"][0] = "never seen"
    unknown = X[40:].copy()
    unknown[0, 1] = np.nan
    np.testing.assert_allclose(session.run(["probabilities"], given)[0], model.predict_proba(unknown), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("LogisticRegression", {}), ("ConvolutionalClassifier", {"epochs": 1, "channels": 2, "hidden": 4})],
)
def test_images_go_in_as_they_are_stored(
    tmp_path: Path, name: str, arguments: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    y = np.arange(ROWS) % 2
    X = (RNG.integers(0, 9, (ROWS, 6, 5)) + 7 * y[:, None, None]).astype(np.uint8)
    model, files, data = saved(tmp_path, name, Schema(Image((6, 5), 16), TWO), X, y, **arguments)
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        onnx_graph.write(files, data, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")  # nothing of what torch would say of itself
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    found = session.run(["probabilities"], {"X": X[:9]})[0]
    np.testing.assert_allclose(found, model.predict_proba(X[:9]), atol=1e-5)


@pytest.mark.parametrize("target", [Number("size"), TWO, THREE], ids=["number", "two classes", "three classes"])
def test_boosted_trees_of_numbers_with_gaps(tmp_path: Path, target: Classes | Number) -> None:
    X = mixed()[:, [0, 2]]
    schema = Schema(Table((Column("a"), Column("b"))), target)
    size = np.nan_to_num(X[:, 0]) + X[:, 1]
    y = size if isinstance(target, Number) else np.digitize(size, [4.0, 6.0][: len(target.names) - 1])
    name = "HistGradientBoostingRegressor" if isinstance(target, Number) else "HistGradientBoosting"
    _, files, data = saved(tmp_path, name, schema, X, y, max_iter=4, min_samples_leaf=4)
    onnx_graph.write(files, data, tmp_path / "model.onnx")  # compares the answers
    assert (tmp_path / "model.onnx").is_file()


def test_what_cannot_be_exported_is_refused_with_the_reason_and_what_differs_is_not_kept(tmp_path: Path) -> None:
    X, y = mixed(), np.arange(ROWS) % 2
    schema = Schema(TABLE, TWO)
    for name, reason in (
        ("MixedNaiveBayes", "its formulas are code of Versus"),
        ("HistGradientBoosting", "its trees split sets of categories"),
        ("RBFSVM", "linear models, trees of scikit-learn and networks are exported"),
    ):
        _, files, data = saved(tmp_path / name, name, schema, X, y)
        with pytest.raises(onnx_graph.ExportError, match=f"{name} cannot be exported as ONNX: .*{reason}"):
            onnx_graph.write(files, data, tmp_path / "no.onnx")
    assert not list(tmp_path.glob("*.onnx*"))
    _, files, data = saved(tmp_path, "LogisticRegression", schema, X, y)
    onnx_graph.write(files, data, tmp_path / "yes.onnx")
    other = find("discriminative", "linear", "LogisticRegression")(schema=schema).fit(X[:40], 1 - y[:40])
    with pytest.raises(onnx_graph.ExportError, match="the file is not kept"):
        onnx_graph.check(tmp_path / "yes.onnx", other, X[40:])


def test_rows_of_frames_are_what_a_file_takes() -> None:
    frame = pd.DataFrame({"a, or b": [1.0], "kind": ["q"], "c": [2.0], "flag": ["yes"]})
    X = np.array([[1.0, 1.0, 2.0, 1.0]])
    given = onnx_graph.fed(X, Schema(TABLE, TWO))
    assert {name: values.tolist() for name, values in given.items()} == {n: [[frame[n][0]]] for n in frame}
