"""One cell, measured: each repeat's model on the test rows that it has not seen, into files.

What a model has decides what is measured; what is not carries its reason. Except for times, everything that is
written is the same, bit for bit, whenever the same models are evaluated.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from versus.arrays import Array
from versus.data.prepared import Prepared
from versus.data.targets import Classes, Number
from versus.evaluation.capabilities import capabilities, density
from versus.evaluation.cost import write_cost
from versus.evaluation.generation import score_samples, shown_samples
from versus.evaluation.likelihood import score_density
from versus.evaluation.plane import is_plane, write_plane
from versus.evaluation.record import Record
from versus.evaluation.scored_rows import hash_test_rows
from versus.evaluation.supervised import score_classifier, score_regressor
from versus.metrics.calibration import reliability
from versus.metrics.classification import confusion_matrix
from versus.models import persistence


class Cell(Protocol):
    """What is evaluated: one data set and one model (`versus.params.Cell` is one)."""

    @property
    def name(self) -> str:
        """``<dataset>-<model>``."""

    @property
    def dataset(self) -> str:
        """Its data set."""

    @property
    def family(self) -> str:
        """Folder of the model module."""

    @property
    def module(self) -> str:
        """File of the model class."""

    @property
    def class_name(self) -> str:
        """The model class."""

    @property
    def args(self) -> Mapping[str, Any]:
        """What params.yaml gives the class."""


def evaluate(data: Prepared, models: Path, cell: Cell, out: Path, seed: int) -> None:
    """Measure the fitted models of a cell and write what was found.

    Args:
        data: the prepared data set, of which only the test rows are scored.
        models: folder with one saved model a repeat: ``0.json``, ``1.json`` … and what belongs to them.
        cell: which cell it is.
        out: folder for evaluation.json, scores.csv, predictions.npy, confusion.csv, reliability.csv, samples.npy,
            sample_labels.npy, usage_cost.json and, for points of a plane, grid*.npy; made where it is missing.
        seed: of everything that chance decides: dequantisation, samples, the classifiers that judge them.

    Raises:
        PersistenceError: where a model's file is missing or damaged.
        EvaluationError: where a model answers what cannot be scored.
    """
    out.mkdir(parents=True, exist_ok=True)
    record, predictions = Record(), []
    for repeat in range(data.repeats):
        model = persistence.load(models / str(repeat))
        try:
            predictions.append(_score(record, repeat, model, data, seed + repeat))
            if repeat == 0:
                _write_first(model, data, out, seed)
                X, _ = data.take(0, "test")
                write_cost(model, models / "0", X, data.schema, seed, out / "usage_cost.json")
                about = _about(model, cell, data)
        except Exception as error:
            error.add_note(f"while {cell.name}, repeat {repeat}, was evaluated")
            raise
    _write_predictions([p for p in predictions if p is not None], data, out)
    record.write_scores(out / "scores.csv")
    about["skipped"] = record.skipped(data.repeats)
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
    (out / "evaluation.json").write_text(text + "\n", encoding="utf-8")


def _score(record: Record, repeat: int, model: Any, data: Prepared, seed: int) -> Array | None:
    """All scores of one repeat; returns its predictions on the test rows, None where the model makes none."""
    X, y = data.take(repeat, "test")
    predictions = None
    if isinstance(data.schema.y, Classes) and hasattr(model, "predict_proba"):
        predictions = score_classifier(record, repeat, model, X, y, data.schema)
    elif isinstance(data.schema.y, Number) and hasattr(model, "predict"):
        predictions = score_regressor(record, repeat, model, X, y)
    else:
        record.skip("predictions", f"{type(model).__name__} models the data alone, and predicts no target", repeat)
    score_density(record, repeat, model, X, data.schema, seed)
    score_samples(record, repeat, model, data, seed)
    return predictions


def _write_first(model: Any, data: Prepared, out: Path, seed: int) -> None:
    """What is shown of the first repeat alone: samples, and the plane."""
    if hasattr(model, "sample"):
        samples, labels = shown_samples(model, data.schema, seed)
        np.save(out / "samples.npy", samples, allow_pickle=False)
        np.save(out / "sample_labels.npy", labels, allow_pickle=False)
    if is_plane(data.schema):
        write_plane(model, data, out)


def _about(model: Any, cell: Cell, data: Prepared) -> dict[str, Any]:
    has = capabilities(model)
    method = density(has)
    return {
        "cell": cell.name,
        "dataset": cell.dataset,
        "family": cell.family,
        "module": cell.module,
        "class": cell.class_name,
        "args": dict(cell.args),
        "task": data.schema.y.task,
        "measure": None if method is None else model.measure,
        "bound": None if method is None else method == "elbo",
        "capabilities": has,
        "n_test": int(data.splits["test"].shape[1]),
        "repeats": data.repeats,
        "test_hash": hash_test_rows(data),
    }


def _write_predictions(predictions: list[Array], data: Prepared, out: Path) -> None:
    if not predictions:
        return
    if isinstance(data.schema.y, Number):
        np.save(out / "predictions.npy", np.stack(predictions), allow_pickle=False)
        return
    np.save(out / "predictions.npy", np.stack(predictions).astype(np.float32), allow_pickle=False)
    y = np.concatenate([data.take(repeat, "test")[1] for repeat in range(data.repeats)])
    probabilities = np.concatenate(predictions)
    counts = confusion_matrix(y, probabilities.argmax(axis=1), data.schema.n_classes)
    cells = [(true, predicted, int(count)) for (true, predicted), count in np.ndenumerate(counts)]
    _write_csv(out / "confusion.csv", ["true", "predicted", "count"], cells)
    bins = reliability(y, probabilities)
    columns = [bins.low, bins.high, bins.confidence, bins.accuracy]
    rows = [(*map(repr, map(float, numbers)), int(n)) for *numbers, n in zip(*columns, bins.count, strict=True)]
    _write_csv(out / "reliability.csv", ["bin_low", "bin_high", "confidence", "accuracy", "count"], rows)


def _write_csv(path: Path, header: list[str], rows: list[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
