"""Evaluation of one cell: each repeat's model on its unseen test rows, and the cost of its use, in files.

The model's methods decide which measurements are made; skipped ones carry their reason. Except for times, all output
is identical, bit for bit, whenever the same models are evaluated.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array, Events
from versus.data.prepared import Prepared, save_events
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Number
from versus.evaluation import importance
from versus.evaluation.answers import HeldOut, capabilities, density
from versus.evaluation.extractor import Extractor
from versus.evaluation.pictures import pictures
from versus.evaluation.plane import is_plane, write_plane
from versus.evaluation.record import WEIGHTS, Record, hash_test_rows
from versus.evaluation.uses import ANSWERS, USES
from versus.evaluation.uses.density import as_asked
from versus.evaluation.uses.generation import MOST_IMAGES, shown_samples
from versus.evaluation.uses.language import continuations
from versus.metrics.classification import confusion_matrix, reliability
from versus.metrics.cost import prediction_speed, samples_per_second
from versus.metrics.curves import GRID, mean_curves
from versus.models import persistence
from versus.models.protocols import takes_weights
from versus.settings import Cell
from versus.workspace import DEFAULT


def evaluate(
    data: Prepared, models: Path, cell: Cell, out: Path, seed: int, extractor: Extractor | None = None
) -> None:
    """Evaluate the fitted models of a cell and write the results.

    Args:
        data: the prepared data set; only its test rows are scored.
        models: folder with one saved model per repeat: ``0.json``, ``1.json`` … and their other files.
        cell: the cell.
        out: folder for evaluation.json, scores.csv, rows.npz, predictions.npy, confusion.csv, reliability.csv,
            curves.csv, importance.csv, samples.npy, sample_labels.npy, usage_cost.json, for some models graphs.json and
            filters.npy and pictures.npz, and for two-dimensional data grid*.npy; created if missing.
        seed: seed of all randomness: dequantisation, samples, and the classifiers that score them.
        extractor: by whose features drawn images are scored; None leaves those scores out.

    Raises:
        PersistenceError: if a model's file is missing or damaged.
        EvaluationError: if a model's answer cannot be scored.
    """
    out.mkdir(parents=True, exist_ok=True)
    record, about = Record(), {}
    importances = []
    for repeat in range(data.repeats):
        model = persistence.load(models / str(repeat))
        try:
            if data.weights is not None and not takes_weights(model):
                record.skip(WEIGHTS, f"the fit of {type(model).__name__} takes none: all rows counted alike", repeat)
            held_out = HeldOut(data, repeat, extractor)
            for use in USES:
                record.ask(use, model, held_out, seed + repeat)
            importances.append(importance.measure(record, model, held_out, seed + repeat))
            if repeat == 0:
                _write_first(model, data, out, seed)
                write_cost(model, models / "0", data.take(0, "test")[0], data.schema, seed, out / "usage_cost.json")
                about = _about(model, cell, data, seed)
                if extractor is not None and extractor.exists and "sample" in about["capabilities"]:
                    about["extractor"] = {**extractor.facts, "images": min(about["n_test"][0], MOST_IMAGES)}
        except Exception as error:
            error.add_note(f"while {cell.name}, repeat {repeat}, was evaluated")
            raise
    _write(record, data, about, out)
    if all(importances):
        importance.write(out / "importance.csv", data, importances)
    if (models / DEFAULT).is_dir():
        evaluate_default(data, models, cell, out / DEFAULT, seed)


def evaluate_default(data: Prepared, models: Path, cell: Cell, out: Path, seed: int) -> None:
    """Score what a tuned cell answers with its default arguments, on the same test rows.

    Args:
        data, models, cell, seed: as for `evaluate`; where a repeat has no default model, its model is the default one.
        out: folder for evaluation.json, scores.csv, rows.npz and predictions.npy; created if missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    record, about = Record(), dict[str, Any]()
    for repeat in range(data.repeats):
        default = models / DEFAULT / str(repeat)
        model = persistence.load(default if persistence.files(default) else models / str(repeat))
        about = about or _about(model, cell, data, seed)
        held_out = HeldOut(data, repeat)
        for use in ANSWERS:
            record.ask(use, model, held_out, seed + repeat)
    _write(record, data, about, out)


def _write(record: Record, data: Prepared, about: dict[str, Any], out: Path) -> None:
    """Write scores, rows, predictions and facts."""
    if record.predictions:
        _write_predictions(record, data, out)
    record.write_scores(out / "scores.csv")
    record.write_rows(out / "rows.npz", data.repeats)
    about["skipped"] = record.skipped(data.repeats)
    if record.floors:
        about["floors"] = record.floors
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
    (out / "evaluation.json").write_text(text + "\n", encoding="utf-8")


def _write_first(model: Any, data: Prepared, out: Path, seed: int) -> None:
    """Write the output shown for the first repeat only: samples, graphs, and the plane."""
    if hasattr(model, "sample"):
        samples, labels = shown_samples(model, data.schema, seed)
        save_events(out, "samples", samples)
        save_events(out, "sample_labels", labels)
    if hasattr(model, "graphs"):
        found = {"graphs": [asdict(graph) for graph in model.graphs()]}
        (out / "graphs.json").write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
    if hasattr(model, "filters"):
        np.save(out / "filters.npy", model.filters(), allow_pickle=False)
    if drawn := pictures(model, data, seed):
        np.savez_compressed(out / "pictures.npz", **drawn)  # type: ignore[arg-type]
    if is_plane(data.schema):
        write_plane(model, data, out)


def _about(model: Any, cell: Cell, data: Prepared, seed: int) -> dict[str, Any]:
    has = capabilities(model)
    method = density(has)
    unknown = [data.unknown_tokens(r)[0] for r in range(data.repeats)] if isinstance(data.schema.x, Tokens) else None
    shown: dict[str, Any] = {
        "continuations": continuations(model, HeldOut(data, 0), seed),
        "topics": model.topics() if hasattr(model, "topics") else [],
        "transitions": model.transitions() if hasattr(model, "transitions") else {},
    }
    if hasattr(model, "filters"):
        shown["log_normaliser"] = model.log_normaliser_.tolist()
    return {
        "cell": cell.name,
        "dataset": cell.dataset,
        "family": cell.family,
        "module": cell.module,
        "class": cell.class_name,
        "args": dict(cell.args),
        "seed": seed,
        "task": data.schema.y.task,
        "measure": None if method is None else model.measure,
        "bound": None if method is None else method.endswith("elbo"),
        "special_cases": model.known_special_cases(),
        "capabilities": has,
        "n_test": data.splits["test"].lengths.tolist(),
        "repeats": data.repeats,
        "test_hash": hash_test_rows(data),
        **({} if unknown is None else {"unknown_tokens": unknown}),
        **{name: found for name, found in shown.items() if found},
    }


def _write_predictions(record: Record, data: Prepared, out: Path) -> None:
    """Write the answers on the test rows of all repeats, one repeat after the other."""
    predictions = np.concatenate(record.predictions)
    if isinstance(data.schema.y, Number):
        np.save(out / "predictions.npy", predictions, allow_pickle=False)
        return
    np.save(out / "predictions.npy", predictions.astype(np.float32), allow_pickle=False)
    y, probabilities = np.concatenate(record.truths), predictions
    counts = confusion_matrix(y, probabilities.argmax(axis=1), data.schema.n_classes)
    occur = np.nonzero(counts)  # of thousands of classes nearly all pairs do not
    cells = list(zip(*(found.tolist() for found in (*occur, counts[occur])), strict=True))
    _write_csv(out / "confusion.csv", ["true", "predicted", "count"], cells)
    tested = data.splits["test"].values
    bins = reliability(y, probabilities, distinct=len(np.unique(tested)) / len(tested))
    columns = (bins.confidence, bins.accuracy, bins.low, bins.high, bins.count)
    _write_csv(out / "reliability.csv", ["confidence", "accuracy", "low", "high", "count"], _rows(*columns))
    found = mean_curves(record.truths, record.predictions)
    if found is not None:
        of_guess = np.full(len(GRID), found.prevalence)
        rows = _rows(GRID, found.hits, found.precision, of_guess)
        _write_csv(out / "curves.csv", ["place", "hits", "precision", "prevalence"], rows)


def _rows(*columns: Array) -> list[tuple[str, ...]]:
    return [tuple(repr(value.item()) for value in row) for row in zip(*columns, strict=True)]


def _write_csv(path: Path, header: list[str], rows: list[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_cost(model: Any, saved: Path, X: Events, schema: Schema, seed: int, out: Path) -> None:
    """Measure one fitted model on test rows X (N, *event) and its files at ``saved``; write usage_cost.json.

    Latency is that of the model's main answer: probabilities, values, trees, log-densities, or what it rebuilds.
    """
    has = capabilities(model)
    names = ("predict_proba", "predict", "parse", density(has), "reconstruct")
    answer = next((name for name in names if name in has), None)
    cost: dict[str, Any] = {"latency_ms": None, "throughput_per_s": None, "samples_per_s": None}
    if answer is not None:
        rows = as_asked(model, X[:256], schema, seed) if answer == density(has) else X[:256]
        cost |= prediction_speed(getattr(model, answer), rows)
    if "sample" in has:
        cost["samples_per_s"] = samples_per_second(lambda n: model.sample(n, random_state=seed))
    cost["parameters"] = _parameters(model, saved)
    cost["bytes_on_disk"] = sum(file.stat().st_size for file in persistence.files(saved))
    out.write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")


def _parameters(model: Any, saved: Path) -> int:
    """Number of parameters that the model reports, or else of the numbers that it stores."""
    if hasattr(model, "count_parameters"):
        return int(model.count_parameters())
    return persistence.count_numbers(saved)
