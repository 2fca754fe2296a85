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
from versus.fitting import failure
from versus.fitting.failure import Failure
from versus.metrics import table
from versus.models import catalogue
from versus.report import formatting, results
from versus.settings import Cell, Comparison
from versus.workspace import Workspace


class Point(NamedTuple):
    """One value of a metric. MLflow's table hides keys with a slash in groups; the other keys are its columns."""

    key: str
    value: float
    step: int = 0


class RepeatRecord(NamedTuple):
    """Fit of one repeat, as a child run: its own parameters, its scores, and its losses by step.

    Losses have the same keys in all repeats, so that MLflow draws the repeats into one chart.
    """

    params: dict[str, str]
    scores: list[Point]
    losses: list[Point]


class TrialRecord(NamedTuple):
    """Arguments that a tuning tried, as a child run: its parameters, its losses, and why it failed where it did."""

    params: dict[str, str]
    losses: list[Point]
    failed: str


Scores = dict[str, dict[int, float]]  # metric -> repeat -> value


@dataclass(frozen=True)
class CellRecord:
    """Files of a cell, in MLflow's terms.

    Args:
        cell: its line of params.yaml.
        fingerprint: hash of the evaluation and the data: the same results make the same run.
        params, tags: parameters and tags of the run.
        scores: means over the repeats.
        repeats: repeat -> its fit, of models that are fitted step by step; empty for others.
        passing: values that may differ between equal results, each replacing the one before: times and memory.
        intervals: deciding score -> its interval in words; it depends on the confidence.
        score_table: rows of a table, its header first: each score with its mean, its interval, and the repeats' values.
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
    repeats: dict[int, RepeatRecord] = field(default_factory=dict)
    passing: list[Point] = field(default_factory=list)
    intervals: dict[str, str] = field(default_factory=dict)
    score_table: list[tuple[object, ...]] = field(default_factory=list)
    trials: list[TrialRecord] = field(default_factory=list)
    failed: str = ""

    @property
    def passing_fingerprint(self) -> str:
        """Hash of the costs and the intervals."""
        return hashlib.sha256(repr((self.passing, self.score_table)).encode()).hexdigest()[:16]

    @property
    def children(self) -> int:
        """Number of child runs."""
        return len(self.repeats) + len(self.trials)

    @property
    def mean_losses(self) -> Iterator[Point]:
        """Yield the mean of each loss over the repeats that reached the step."""
        values: dict[tuple[str, int], list[float]] = {}
        for repeat in self.repeats.values():
            for key, value, step in repeat.losses:
                values.setdefault((key, step), []).append(value)
        yield from (Point(key, float(np.mean(found)), step) for (key, step), found in values.items())


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
    scores = _scores(folder / "scores.csv")
    ends = _intervals(workspace, cell, confidence)
    deciding = [metric.name for metric in table.deciding(about["task"])]
    percent = formatting.percent(confidence, 0)
    started, ended = _times(training, cost if cost.is_file() else folder / "evaluation.json")
    return CellRecord(
        cell,
        fingerprint(workspace, cell),
        _params(cell, about, training),
        _tags(cell, about, training),
        started,
        ended,
        scores=[Point(metric, float(np.mean(list(values.values())))) for metric, values in scores.items()],
        repeats=_repeats(folder, scores, about.get("seed")),
        trials=list(_trials(folder / "trials.csv")),
        passing=list(_costs(training, _json(usage) if usage.is_file() else {})),
        intervals={m: f"{formatting.span(*ends[m])} ({percent})" for m in deciding if m in ends},
        score_table=list(_score_table(scores, ends)),
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


def losses_at(step: int, losses: Mapping[str, float]) -> list[Point]:
    """Return the losses of one step as points of the training curves."""
    return [Point(f"training/{name}", float(value), step) for name, value in losses.items()]


def _repeats(folder: Path, scores: Scores, seed: int | None) -> dict[int, RepeatRecord]:
    """Read the fit of each repeat that has training curves."""
    curves: dict[int, list[Point]] = {}
    for row in _rows(folder / "history.csv"):
        point = losses_at(int(row["step"]), {row["name"]: float(row["value"])})
        curves.setdefault(int(row["repeat"]), []).extend(point)
    trials = (row for row in _rows(folder / "trials.csv") if row["chosen"] == "1")
    chosen = {row["repeat"]: json.loads(row["arguments"]) for row in trials}
    found = {}
    for repeat, losses in curves.items():
        params = {f"args.{name}": _text(value) for name, value in chosen.get(str(repeat), {}).items()}
        params |= {} if seed is None else {"random_state": str(seed + repeat)}
        own = [Point(metric, values[repeat]) for metric, values in scores.items() if repeat in values]
        found[repeat] = RepeatRecord({"repeat": str(repeat), **params}, own, losses)
    return found


def _trials(path: Path) -> Iterator[TrialRecord]:
    """Yield the trials of a trials.csv, all repeats of one together: they try the same arguments."""
    rows = sorted(_rows(path), key=lambda row: int(row["trial"]))
    for _, same in groupby(rows, key=lambda row: row["trial"]):
        repeats = list(same)
        losses = {int(row["repeat"]): float(row["loss"]) for row in repeats if row["loss"]}
        points = [Point("validation_loss", float(np.mean(list(losses.values()))))] if losses else []
        points += [Point("repeats/validation_loss", loss, repeat) for repeat, loss in losses.items()]
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
    """Yield the rows of a CSV file; none if there is no such file."""
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def _params(cell: Cell, about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    """All arguments, given or by default, named as DVC names them, the seed, and the sizes of the data."""
    params: dict[str, Any] = {"data": cell.dataset, "module": cell.module, "class": cell.class_name}
    arguments = {**catalogue.defaults(cell.family, cell.module, cell.class_name), **cell.args}
    params |= {f"args.{name}": value for name, value in arguments.items()}
    params |= {name: about[name] for name in ("seed", "repeats", "n_test") if name in about}
    if training["repeats"]:
        params["n_train"] = training["repeats"][0].get("n_train")
    return {name: _text(value) for name, value in params.items()}


def _tags(cell: Cell, about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    tags = cell_tags(cell) | {"dvc_stage": f"evaluate_{cell.family}@{cell.name}"}
    tags |= {name: about.get(name) for name in ("task", "measure", "test_hash", "failed.reason", "failed.where")}
    tags["bound"] = json.dumps(about["bound"]) if about.get("bound") is not None else None
    tags["capabilities"] = " ".join(about.get("capabilities", ()))
    for name in ("device", "precision", "energy_by"):
        if training["repeats"]:
            tags[name] = training["repeats"][0].get(name)
    tags |= {f"hardware.{name}": value for name, value in training.get("hardware", {}).items()}
    return {name: str(value) for name, value in tags.items() if value not in (None, "")}


def cell_tags(cell: Cell) -> dict[str, Any]:
    """Tags that identify the cell of a run; its family is called what the report calls it."""
    names = {"cell": cell.name, "dataset": cell.dataset, "family": cell.group_name}
    return names | {"module": cell.module, "class": cell.class_name}


def _scores(path: Path) -> Scores:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `dvc checkout` or `dvc repro` brings it back")
    found: Scores = {}
    for row in _rows(path):
        found.setdefault(row["metric"], {})[int(row["repeat"])] = float(row["value"])
    return found


def _intervals(workspace: Workspace, cell: Cell, confidence: float) -> dict[str, tuple[float, float]]:
    """Return the interval of each mean that has one, equal to that in the report."""
    (dataset,) = results.read(workspace, [cell], comparison=Comparison(confidence=confidence)).datasets
    (evaluation,) = dataset.evaluations
    found = {metric: dataset.interval(evaluation, metric) for metric in evaluation.scores}
    return {metric: ends for metric, ends in found.items() if ends is not None}


def _score_table(scores: Scores, ends: Mapping[str, tuple[float, float]]) -> Iterator[tuple[object, ...]]:
    """Yield the header, and for each score a row: mean, interval, and the value of each repeat."""
    repeats = sorted({repeat for values in scores.values() for repeat in values})
    yield ("score", "mean", "low", "high", *(f"repeat {repeat}" for repeat in repeats))
    for metric, values in scores.items():
        mean = float(np.mean(list(values.values())))
        yield (metric, mean, *ends.get(metric, ("", "")), *(values.get(repeat, "") for repeat in repeats))


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
