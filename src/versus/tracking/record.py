"""What MLflow is told about a cell: its files as parameters, metrics and tags, and their fingerprint."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from versus.tracking.content_hash import hash_files
from versus.tracking.intervals import interval
from versus.workspace import Workspace


class Point(NamedTuple):
    """One value of a metric. Keys with a slash are folded away by MLflow's table; those without are its columns."""

    key: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class CellRecord:
    """A cell's files, in MLflow's terms.

    Args:
        fingerprint: hash of the evaluation and the data: the same results make the same run.
        costs_fingerprint: hash of times and memory, which differ each time a cell is run.
        started, ended: when its models were fitted, in seconds since the epoch.
    """

    cell: str
    dataset: str
    fingerprint: str
    costs_fingerprint: str
    params: dict[str, str]
    tags: dict[str, str]
    scores: list[Point]
    curves: list[Point]
    costs: list[Point]
    started: float
    ended: float

    @property
    def name(self) -> str:
        """The run's name: the model, since the experiment is the data set."""
        return self.cell.split("-", 1)[1]


def read(workspace: Workspace, cell: str) -> CellRecord:
    """What the files of an evaluated cell say.

    Raises:
        FileNotFoundError: if the cell is not evaluated yet.
        ValueError: if a file is damaged.
    """
    folder = workspace.evaluation(cell)
    about = _json(folder / "evaluation.json")
    training_cost, usage_cost = workspace.training_cost(cell), workspace.usage_cost(cell)
    costs = [path for path in (training_cost, usage_cost) if path.is_file()]
    training = _json(training_cost) if training_cost.is_file() else {"repeats": []}
    started, ended = _times(training, training_cost, folder / "evaluation.json")
    data = workspace.prepared(about["dataset"])
    data_hash = hash_files([data])
    results = [path for path in folder.iterdir() if path not in costs]
    return CellRecord(
        cell=cell,
        dataset=about["dataset"],
        fingerprint=hash_files(results)[:16] + data_hash[:16],
        costs_fingerprint=hash_files(costs)[:16],
        params=_params(about, training),
        tags=_tags(about, training),
        scores=list(_scores(folder / "scores.csv", training, np.load(data / "test.npy", allow_pickle=False))),
        curves=list(read_curves(folder / "history.csv")),
        costs=list(_costs(training, _json(usage_cost) if usage_cost.is_file() else {})),
        started=started,
        ended=ended,
    )


def curve_key(name: str, repeat: int) -> str:
    """The metric that a training curve is logged as."""
    return f"training/{name}_repeat_{repeat}"


def read_curves(path: Path) -> Iterator[Point]:
    """The training curves of a history.csv; none where there is no such file."""
    if path.is_file():
        for row in _rows(path):
            yield Point(curve_key(row["name"], int(row["repeat"])), float(row["value"]), int(row["step"]))


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


def _params(about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    """The cell's line of params.yaml, keyed as DVC keys it, and what it was fitted on."""
    params = {"data": about["dataset"], "module": about["module"], "class": about["class"]}
    params |= {f"args.{name}": value for name, value in about["args"].items()}
    params |= {name: about[name] for name in ("repeats", "n_test") if name in about}
    if training["repeats"]:
        params["n_train"] = training["repeats"][0].get("n_train")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}


def _tags(about: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, str]:
    names = ("cell", "dataset", "family", "module", "class", "task", "measure", "test_hash")
    tags = {name: about.get(name) for name in names}
    tags["bound"] = json.dumps(about["bound"]) if about.get("bound") is not None else None
    tags["capabilities"] = " ".join(about.get("capabilities", ()))
    tags["dvc_stage"] = f"evaluate_{about['family']}@{about['cell']}"
    for name in ("device", "precision"):
        if training["repeats"]:
            tags[name] = training["repeats"][0].get(name)
    tags |= {f"hardware.{name}": value for name, value in training.get("hardware", {}).items()}
    return {name: str(value) for name, value in tags.items() if value not in (None, "")}


def _scores(path: Path, training: Mapping[str, Any], test_rows: NDArray[np.int64]) -> Iterator[Point]:
    """For each metric its mean, the ends of its interval, and each repeat as a step."""
    repeats: dict[str, dict[int, float]] = {}
    for row in _rows(path):
        repeats.setdefault(row["metric"], {})[int(row["repeat"])] = float(row["value"])
    n_train = min((int(r["n_train"]) for r in training["repeats"] if r.get("n_train")), default=0)
    for metric, values in repeats.items():
        yield from (Point(f"repeats/{metric}", value, repeat) for repeat, value in sorted(values.items()))
        array = np.array(list(values.values()))
        yield Point(metric, float(array.mean()))
        ends = interval(metric, array, n_train, test_rows)
        if ends is not None:
            yield Point(f"interval/{metric}_low", ends[0])
            yield Point(f"interval/{metric}_high", ends[1])


def _costs(training: Mapping[str, Any], usage: Mapping[str, Any]) -> Iterator[Point]:
    """Seconds as the mean of the repeats, memory as the most that one took, the rest as measured."""
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


def _times(training: Mapping[str, Any], cost: Path, evaluation: Path) -> tuple[float, float]:
    """When the fits began and ended, by the time of the file that tells how long they took.

    The evaluation may come much later; what lies between is no part of the run. No file says when, on purpose: files
    that differ from run to run make DVC rerun what follows.
    """
    ended = (cost if cost.is_file() else evaluation).stat().st_mtime
    return ended - sum(float(repeat.get("seconds", 0.0)) for repeat in training["repeats"]), ended
