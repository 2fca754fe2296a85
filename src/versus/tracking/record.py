"""Record of a cell for MLflow: its files as parameters, metrics, tags and pictures, and their fingerprint."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from versus import manifest
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.fitting import failure
from versus.fitting.failure import Failure
from versus.report import results
from versus.settings import Cell, Comparison
from versus.workspace import Workspace


class Point(NamedTuple):
    """One value of a metric. MLflow's table hides keys with a slash in groups; the other keys are its columns."""

    key: str
    value: float
    step: int = 0


class TrialRecord(NamedTuple):
    """Arguments that a tuning tried, as a child run: its parameters, its losses, and why it failed where it did."""

    params: dict[str, str]
    losses: list[Point]
    failed: str


MOST_SAMPLES = 100  # in a picture


@dataclass(frozen=True)
class CellRecord:
    """Files of a cell, in MLflow's terms.

    Args:
        cell: its line of params.yaml.
        fingerprint: hash of the evaluation and the data: the same results make the same run.
        params, tags: parameters and tags of the run.
        scores: means and the values of single repeats.
        curves: losses by step.
        passing: values that may differ between equal results, each replacing the one before: times, memory, and the
            intervals, which depend on the confidence.
        trials: arguments that its tuning tried, the default first; empty where nothing was tuned.
        failed: reason why the cell has no results; empty if it has.
        started, ended: start and end of its fits, in seconds since the epoch.
    """

    cell: Cell
    fingerprint: str
    params: dict[str, str]
    tags: dict[str, str]
    started: float
    ended: float
    scores: list[Point] = field(default_factory=list)
    curves: list[Point] = field(default_factory=list)
    passing: list[Point] = field(default_factory=list)
    trials: list[TrialRecord] = field(default_factory=list)
    failed: str = ""

    @property
    def passing_fingerprint(self) -> str:
        """Hash of the values in ``passing``."""
        return hashlib.sha256(repr(self.passing).encode()).hexdigest()[:16]


def fingerprint(workspace: Workspace, cell: Cell) -> str:
    """Hash of a cell's evaluation and data, without the costs.

    Raises:
        FileNotFoundError: if the cell is not evaluated, or its data are not prepared.
    """
    costs = (workspace.training_cost(cell.name), workspace.usage_cost(cell.name))
    found = (path for path in workspace.evaluation(cell.name).rglob("*") if path.is_file())
    results = [path for path in found if path not in costs and not path.name.startswith(".")]
    if not results:
        raise FileNotFoundError(f"{cell.name} is not evaluated; run `dvc repro` first")
    data = workspace.prepared(cell.dataset) / manifest.NAME
    return manifest.digest(results)[:16] + manifest.sha256(data)[:16]


def read(workspace: Workspace, cell: Cell, confidence: float = 0.95) -> CellRecord:
    """Read the record of an evaluated cell from its files.

    Args:
        workspace: the workspace with the cell's files.
        cell: the cell.
        confidence: confidence of the intervals of its scores.

    Raises:
        FileNotFoundError: if the cell is not evaluated yet.
        ValueError: if a file is damaged.
    """
    folder = workspace.evaluation(cell.name)
    cost = workspace.training_cost(cell.name)
    training = _json(cost) if cost.is_file() else {"repeats": []}
    failed = failure.read(folder)
    if failed is not None:
        return _read_failed(workspace, cell, failed, training)
    about = _json(folder / "evaluation.json")
    usage = workspace.usage_cost(cell.name)
    repeats = _repeats(folder / "scores.csv")
    started, ended = _times(training, cost if cost.is_file() else folder / "evaluation.json")
    return CellRecord(
        cell,
        fingerprint(workspace, cell),
        _params(cell, about, training),
        _tags(cell, about, training),
        started,
        ended,
        scores=list(_scores(repeats)),
        curves=list(read_curves(folder / "history.csv")),
        trials=list(_trials(folder / "trials.csv")),
        passing=[
            *_costs(training, _json(usage) if usage.is_file() else {}),
            *_intervals(workspace, cell, confidence),
        ],
    )


def _read_failed(workspace: Workspace, cell: Cell, failed: Failure, training: Mapping[str, Any]) -> CellRecord:
    started, ended = _times(training, workspace.evaluation(cell.name) / failure.NAME)
    return CellRecord(
        cell,
        fingerprint(workspace, cell),
        _params(cell, {}, training),
        _tags(cell, {"failed.reason": failed.reason, "failed.where": failed.where}, training),
        started,
        ended,
        failed=failed.reason,
    )


def curve_key(name: str, repeat: int) -> str:
    """Name of the metric that a training curve is logged as."""
    return f"training/{name}_repeat_{repeat}"


def read_curves(path: Path) -> Iterator[Point]:
    """Read the training curves of a history.csv; none if there is no such file."""
    if path.is_file():
        for row in _rows(path):
            yield Point(curve_key(row["name"], int(row["repeat"])), float(row["value"]), int(row["step"]))


def _trials(path: Path) -> Iterator[TrialRecord]:
    """Yield the trials of a trials.csv, all repeats of one together: they try the same arguments."""
    rows = list(_rows(path)) if path.is_file() else []
    for _, same in groupby(sorted(rows, key=lambda row: int(row["trial"])), key=lambda row: row["trial"]):
        repeats = list(same)
        losses = {int(row["repeat"]): float(row["loss"]) for row in repeats if row["loss"]}
        points = [Point("repeats/validation_loss", loss, repeat) for repeat, loss in losses.items()]
        points += [Point("validation_loss", float(np.mean(list(losses.values()))))] if losses else []
        points.append(Point("chosen_in_repeats", sum(int(row["chosen"]) for row in repeats)))
        params = {f"args.{name}": _text(value) for name, value in json.loads(repeats[0]["arguments"]).items()}
        yield TrialRecord(params, points, next((row["failed"] for row in repeats if row["failed"]), ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {type(found).__name__}, needs an object")
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _params(cell: Cell, about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    """Parameters of the cell's line of params.yaml, named as DVC names them, and the sizes of its data."""
    params = {"data": cell.dataset, "module": cell.module, "class": cell.class_name}
    params |= {f"args.{name}": value for name, value in cell.args.items()}
    params |= {name: about[name] for name in ("repeats", "n_test") if name in about}
    if training["repeats"]:
        params["n_train"] = training["repeats"][0].get("n_train")
    return {name: _text(value) for name, value in params.items()}


def _tags(cell: Cell, about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    tags = cell_tags(cell) | {"dvc_stage": f"evaluate_{cell.family}@{cell.name}"}
    tags |= {name: about.get(name) for name in ("task", "measure", "test_hash", "failed.reason", "failed.where")}
    tags["bound"] = json.dumps(about["bound"]) if about.get("bound") is not None else None
    tags["capabilities"] = " ".join(about.get("capabilities", ()))
    for name in ("device", "precision"):
        if training["repeats"]:
            tags[name] = training["repeats"][0].get(name)
    tags |= {f"hardware.{name}": value for name, value in training.get("hardware", {}).items()}
    return {name: str(value) for name, value in tags.items() if value not in (None, "")}


def cell_tags(cell: Cell) -> dict[str, Any]:
    """Tags that identify the cell of a run."""
    names = {"cell": cell.name, "dataset": cell.dataset, "family": cell.family}
    return names | {"module": cell.module, "class": cell.class_name}


def _repeats(path: Path) -> dict[str, dict[int, float]]:
    """Metric -> repeat -> value, from a scores.csv."""
    found: dict[str, dict[int, float]] = {}
    for row in _rows(path):
        found.setdefault(row["metric"], {})[int(row["repeat"])] = float(row["value"])
    return found


def _scores(repeats: Mapping[str, Mapping[int, float]]) -> Iterator[Point]:
    """Yield each metric's mean, and each repeat as a step."""
    for metric, values in repeats.items():
        yield from (Point(f"repeats/{metric}", value, repeat) for repeat, value in sorted(values.items()))
        yield Point(metric, float(np.mean(list(values.values()))))


def _intervals(workspace: Workspace, cell: Cell, confidence: float) -> Iterator[Point]:
    """Yield the ends of the interval of each mean, equal to those in the report."""
    for dataset in results.read(workspace, [cell], comparison=Comparison(confidence=confidence)).datasets:
        for evaluation in dataset.evaluations:
            for metric in evaluation.scores:
                ends = dataset.interval(evaluation, metric)
                if ends is not None:
                    yield Point(f"interval/{metric}_low", ends[0])
                    yield Point(f"interval/{metric}_high", ends[1])


def _costs(training: Mapping[str, Any], usage: Mapping[str, Any]) -> Iterator[Point]:
    """Yield seconds as the mean of the repeats, memory as their maximum, the rest as measured."""
    repeats = training["repeats"]
    for name in sorted({name for repeat in repeats for name in repeat}):
        values = [r[name] for r in repeats if isinstance(r.get(name), int | float)]
        if values and name != "n_train":
            together = max(values) if name.endswith("_bytes") else sum(values) / len(values)
            yield Point(f"cost/training_{name}", float(together))
    yield from _numbers("cost/", usage)


def _numbers(prefix: str, found: Mapping[str, Any]) -> Iterator[Point]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _numbers(f"{prefix}{name}_", value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield Point(prefix + name, float(value))


def _times(training: Mapping[str, Any], written: Path) -> tuple[float, float]:
    """Start and end of the fits; they ended when the file ``written`` was last changed.

    The evaluation may come much later; the time between is not part of the run. No file stores these times, on purpose:
    files that differ between runs make DVC rerun the stages that follow.
    """
    ended = written.stat().st_mtime
    return ended - sum(float(repeat.get("seconds", 0.0)) for repeat in training["repeats"]), ended


def draw(folder: Path, schema: Schema, out: Path) -> None:
    """Draw an evaluation as files: svg of confusion, reliability, graphs; png of filters, codes, samples; text; csv."""
    from versus.report import evaluation  # drawing takes libraries that most stages do without
    from versus.report.figures import samples
    from versus.report.figures.classification import confusion_matrix, reliability_diagram
    from versus.report.figures.figure import standalone
    from versus.report.figures.pixels import png
    from versus.report.files import write_csv
    from versus.report.sections import progression
    from versus.report.sections.codes import picture
    from versus.report.sections.learned import filter_sheet, graphs, texts

    found = evaluation.read(folder)
    if found is None:
        return
    confusion, reliability = confusion_matrix(found, schema.classes), reliability_diagram([found])
    if confusion is not None:
        (out / "confusion.svg").write_text(standalone(confusion.figure), encoding="utf-8")
    if reliability is not None:
        (out / "reliability.svg").write_text(standalone(reliability), encoding="utf-8")
    for i, figure in enumerate(graphs(found)[0]):
        (out / f"graph_{i}.svg").write_text(standalone(figure), encoding="utf-8")
    if learned := texts(found):
        (out / "learned.txt").write_text(learned, encoding="utf-8")
    if steps := found.facts.get("transitions"):
        shares = ((name, *map(repr, values)) for name, values in zip(steps["from"], steps["values"], strict=True))
        write_csv(out / "transitions.csv", ("from", *steps["to"]), shares)
    if found.filters is not None and isinstance(schema.x, Image):
        (out / "filters.png").write_bytes(png(filter_sheet(found.filters), scale=4))
    for name, images in found.pictures.items() if isinstance(schema.x, Image) else ():
        (out / f"{name}.png").write_bytes(png(picture(images, schema.levels), scale=4))
    if found.progression and isinstance(schema.x, Image):
        (out / "progression.png").write_bytes(png(progression.rows(found, schema.levels)[1], scale=4))
    drawn, labels = found.samples, found.sample_labels
    if drawn is None or labels is None:
        return
    if isinstance(schema.x, Image):
        (out / "samples.png").write_bytes(samples.image_sheet(drawn, labels, schema, MOST_SAMPLES))
        return
    rows = (
        (*samples.values(drawn[i], schema, "{:.6g}".format), samples.label(labels[i], schema, repr))
        for i in range(min(MOST_SAMPLES, len(labels)))
    )
    write_csv(out / "samples.csv", (*samples.columns(schema), schema.target), rows)
