"""One cell's evaluation: the files that the stages wrote, checked and read on first use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Events, Ragged
from versus.data.prepared import PIECES
from versus.metrics import table
from versus.report.files import damaged, read_array, read_arrays, read_json, read_numbers, read_rows
from versus.settings import Cell
from versus.statistics.bootstrap import Scorer
from versus.statistics.paired_rows import PairedRows
from versus.workspace import DEFAULT

Floats = NDArray[np.float64]


class Bin(NamedTuple):
    """Bin of a reliability diagram: mean confidence, accuracy with the ends of its interval, and rows."""

    confidence: float
    accuracy: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class TriedArguments:
    """Trial of a tuning (`versus.fitting.tuning.Trial`), as trials.csv has it; the loss is NaN where it failed."""

    arguments: Mapping[str, Any]
    edges: Mapping[str, str]
    loss: float
    chosen: bool
    failed: str


@dataclass(frozen=True)
class Evaluation:
    """Measurements of one cell. Arrays are read on first use.

    Args:
        cell: the cell that was evaluated.
        folder: folder of its evaluation.
        facts: ``evaluation.json``.
        scores: metric -> (repeats,), NaN for a repeat without the metric.
        training: ``training_cost.json``, empty where there is none.
        usage: ``usage_cost.json``, empty where there is none.
    """

    cell: Cell
    folder: Path
    facts: Mapping[str, Any]
    scores: Mapping[str, Floats]
    training: Mapping[str, Any]
    usage: Mapping[str, Any]

    @property
    def capabilities(self) -> frozenset[str]:
        """Names of the methods that the model offers."""
        return frozenset(self.facts["capabilities"])

    @property
    def can_sample(self) -> bool:
        """True where the model can draw new data."""
        return "sample" in self.capabilities

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over the repeats that have it; NaN where none has."""
        values = self.scores.get(metric, np.empty(0))
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")

    @cached_property
    def default(self) -> Evaluation | None:
        """Evaluation of the same cell with its default arguments; None where none other were chosen."""
        return read(self.folder / DEFAULT, self.cell)

    @cached_property
    def predictions(self) -> list[NDArray[Any]] | None:
        """Of each repeat, probabilities (n, K) or predicted values (n,); rows as `Prepared.rows`."""
        found = self._array("predictions")
        return None if found is None else self._by_repeat(found)

    def _by_repeat(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(rows, np.cumsum(self.facts["n_test"])[:-1])

    def scorers(
        self, metric: str, targets: Sequence[NDArray[Any]] | None, weights: Sequence[Floats] | None = None
    ) -> list[Scorer] | None:
        """Return each repeat's score as a function of the weights of its test rows; None where rows are missing.

        Args:
            metric: a name in scores.csv.
            targets: of each repeat (n,) true values of the test rows; None where a row does not have exactly one.
            weights: of each repeat (n,); None where all rows count alike.
        """
        return table.scorers(metric, self.predictions, targets, self._rows, weights)

    def row_scores(
        self, metric: str, targets: Sequence[NDArray[Any]] | None, weights: Sequence[Floats] | None = None
    ) -> list[Floats] | None:
        """Return of each repeat the score of each test row, (n,); None where the metric has none (`scorers`)."""
        return table.row_scores(metric, self.predictions, targets, self._rows, weights)

    def n_scored(self, metric: str) -> int | None:
        """Number of test rows that the first repeat kept a score of; None where predictions score all of them."""
        rows = self._rows.get(metric)
        return len(rows[0]) if rows else None

    @cached_property
    def _rows(self) -> dict[str, list[Floats]]:
        return {name: self._by_repeat(rows) for name, rows in read_arrays(self.folder / "rows.npz").items()}

    @cached_property
    def samples(self) -> Events | None:
        """Generated events (n, *event), or Ragged sequences."""
        return self._events("samples")

    @cached_property
    def sample_labels(self) -> Events | None:
        """Class of each generated event (n,), or Ragged tags of its tokens."""
        return self._events("sample_labels")

    @cached_property
    def confusion(self) -> list[tuple[int, int, int]]:
        """Confusion counts above 0 as (true class, predicted class, count), summed over repeats."""
        rows = read_numbers(self.folder / "confusion.csv", ("true", "predicted", "count"))
        return [(int(true), int(predicted), int(count)) for true, predicted, count in rows]

    @cached_property
    def reliability(self) -> list[Bin]:
        """Reliability bins of about equal counts, by confidence."""
        rows = read_numbers(self.folder / "reliability.csv", ("confidence", "accuracy", "low", "high", "count"))
        return [Bin(sure, right, low, high, int(count)) for sure, right, low, high, count in rows]

    @cached_property
    def curves(self) -> list[tuple[float, float, float, float]]:
        """ROC and precision-recall curves at the same places: (place, hits, precision, prevalence); may be empty."""
        rows = read_numbers(self.folder / "curves.csv", ("place", "hits", "precision", "prevalence"))
        return [(place, hits, precision, prevalence) for place, hits, precision, prevalence in rows]

    @cached_property
    def importance(self) -> dict[str, PairedRows]:
        """Loss in `importance_score` when a column is permuted: column -> mean and uncertainty; may be empty."""
        path = self.folder / "importance.csv"
        names = [row["column"] for row in read_rows(path, ("column",))]
        numbers = read_numbers(path, ("mean", "standard_error", "rows"))
        return {n: PairedRows(mean, error, int(rows)) for n, (mean, error, rows) in zip(names, numbers, strict=True)}

    @property
    def importance_score(self) -> str:
        """Name of the score that `importance` is a loss of; empty where there is none."""
        return next((row["score"] for row in read_rows(self.folder / "importance.csv", ("score",))), "")

    @cached_property
    def history(self) -> dict[str, dict[int, list[tuple[float, float]]]]:
        """Training curves: name of the loss -> repeat -> (step, value), ordered by step."""
        curves: dict[str, dict[int, list[tuple[float, float]]]] = {}
        path = self.folder / "history.csv"
        names = [row["name"] for row in read_rows(path, ("name",))]
        for name, (repeat, *point) in zip(names, read_numbers(path, ("repeat", "step", "value")), strict=True):
            curves.setdefault(name, {}).setdefault(int(repeat), []).append((point[0], point[1]))
        return {name: {r: sorted(points) for r, points in repeats.items()} for name, repeats in curves.items()}

    @cached_property
    def graphs(self) -> list[dict[str, Any]]:
        """Graphs that the model of the first repeat has learned, as `versus.models.graphs.Graph`; empty without."""
        found = read_json(self.folder / "graphs.json", ("graphs",), needed=False)
        return list(found.get("graphs", ()))

    @cached_property
    def filters(self) -> NDArray[Any] | None:
        """Weights of hidden units to the pixels of an event, (H, *event), of the first repeat's model."""
        return self._array("filters")

    @cached_property
    def pictures(self) -> dict[str, NDArray[Any]]:
        """Pictures of the codes of the first repeat's model: name -> (rows, columns, *event); empty without."""
        return dict(read_arrays(self.folder / "pictures.npz"))

    @cached_property
    def progression(self) -> dict[str, NDArray[Any]]:
        """What was drawn while the first repeat was fitted; empty without.

        "epochs" (E,), and "images" (E, n, *event) or "texts" (E, n, tokens).
        """
        return read_arrays(self.folder / "progression.npz")

    @cached_property
    def trials(self) -> dict[int, list[TriedArguments]]:
        """Trials of the tuning: repeat -> trials, the default first; empty where nothing was tuned."""
        path, found = self.folder / "trials.csv", dict[int, list[TriedArguments]]()
        for row in read_rows(path, ("repeat", "loss", "chosen", "arguments", "edges", "failed")):
            try:
                arguments, edges = json.loads(row["arguments"]), json.loads(row["edges"])
                repeat, loss = int(row["repeat"]), float(row["loss"] or "nan")
            except ValueError as error:
                raise damaged(path, f"without what a trial has ({error})") from None
            found.setdefault(repeat, []).append(
                TriedArguments(arguments, edges, loss, row["chosen"] == "1", row["failed"])
            )
        return found

    def _events(self, name: str) -> Events | None:
        values, starts = (self._array(f"{name}.{piece}") for piece in PIECES)
        return self._array(name) if values is None or starts is None else Ragged(values, starts)

    def _array(self, name: str) -> NDArray[Any] | None:
        return read_array(self.folder / f"{name}.npy")


def read(folder: Path, cell: Cell | None = None) -> Evaluation | None:
    """Read the evaluation in a folder; None where there is none.

    Args:
        folder: folder of the cell's evaluation.
        cell: its cell, as in params.yaml; None to use the one that the evaluation names.

    Raises:
        ValueError: if a file is damaged; the message names the file and says how to make it again.
    """
    if not (folder / "evaluation.json").is_file():
        return None
    facts = read_json(folder / "evaluation.json", ("capabilities", "skipped", "n_test", "repeats"))
    return Evaluation(
        cell=cell or _cell(facts),
        folder=folder,
        facts=facts,
        scores=_read_scores(folder / "scores.csv", int(facts["repeats"])),
        training=read_json(folder / "training_cost.json", ("repeats",), needed=False),
        usage=read_json(folder / "usage_cost.json", (), needed=False),
    )


def _cell(facts: Mapping[str, Any]) -> Cell:
    name, dataset, family, module, class_name = (
        str(facts.get(key, "")) for key in ("cell", "dataset", "family", "module", "class")
    )
    return Cell(name, dataset, family, module, class_name, facts.get("args", {}))


def _read_scores(path: Path, repeats: int) -> dict[str, Floats]:
    scores: dict[str, Floats] = {}
    metrics = [row["metric"] for row in read_rows(path, ("metric",))]
    for metric, (repeat, value) in zip(metrics, read_numbers(path, ("repeat", "value")), strict=True):
        scores.setdefault(metric, np.full(repeats, np.nan))[int(repeat)] = value
    return scores
