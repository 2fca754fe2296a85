"""Collection of the scores, rows and skipped parts of a cell."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, Use
from versus.metrics import table
from versus.metrics.metric import Metric, UndefinedMetricError

PREDICTIONS = ("classification", "regression")  # kept in full; for other answers, contributions of rows are kept


class Record:
    """Scores by repeat and metric, contributions of rows, predictions, and skipped parts with their reasons."""

    def __init__(self) -> None:
        self.scores: list[tuple[int, str, float]] = []
        self.predictions: list[Array] = []
        self.truths: list[Array] = []
        self._rows: dict[str, list[Array]] = {}
        self._skipped: dict[tuple[str, str], set[int]] = {}

    def ask(self, use: Use, model: Any, held_out: HeldOut, seed: int) -> None:
        """Score all answers of a model for one use, or record the reason against it.

        Raises:
            EvaluationError: if an answer cannot be scored.
        """
        if not use.concerns(held_out.schema):
            return
        reason = use.reason_against(model, held_out.schema)
        if reason is not None:
            self.skip(use.WHAT, reason, held_out.repeat)
            return
        try:
            for answered in use.answers(model, held_out, seed):
                self._score_all(held_out.repeat, answered)
        except UndefinedMetricError as undefined:
            self.skip(use.WHAT, str(undefined), held_out.repeat)

    def _score_all(self, repeat: int, answered: Answers) -> None:
        if answered.use in PREDICTIONS:
            self.truths.append(answered.given[0])
            self.predictions.append(answered.given[1])
        for metric in table.of_use(answered.use):
            self.score(repeat, metric.name + answered.suffix, metric, *answered.given)

    def score(self, repeat: int, name: str, metric: Metric, *given: Any) -> None:
        """Compute a metric; if it is undefined, record the reason instead.

        Raises:
            EvaluationError: if the value is not a finite number, as a defined metric must be.
        """
        try:
            rows = None if metric.rows is None or metric.use in PREDICTIONS else metric.rows(*given)
            value = metric.score(*given) if rows is None else metric.of_rows(rows)
        except UndefinedMetricError as undefined:
            self.skip(name, str(undefined), repeat)
            return
        if not np.isfinite(value):
            raise EvaluationError(f"repeat {repeat}: {name} is {value}")
        self.scores.append((repeat, name, value))
        if rows is not None:
            self._rows.setdefault(name, []).append(rows)

    def skip(self, what: str, reason: str, repeat: int) -> None:
        """Record a skipped measurement and its reason."""
        self._skipped.setdefault((what, reason), set()).add(repeat)

    def skipped(self, repeats: int) -> list[dict[str, str]]:
        """Return the skipped parts, one entry per reason; repeats are named if they differ."""
        found = []
        for (what, reason), where in self._skipped.items():
            some = (
                f" (repeat {', '.join(map(str, sorted(where)))} of 0 to {repeats - 1})" if len(where) < repeats else ""
            )
            found.append({"what": what, "reason": reason + some})
        return found

    def write_scores(self, path: Path) -> None:
        """Write scores.csv: one row per repeat and metric, values in full precision, so that they read back exactly."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["repeat", "metric", "value"])
            writer.writerows((repeat, name, repr(value)) for repeat, name, value in self.scores)

    def write_rows(self, path: Path, repeats: int) -> None:
        """Write rows.npz: name -> (R, n, M), for the metrics with a value in every repeat."""
        whole = {name: np.stack(rows) for name, rows in self._rows.items() if len(rows) == repeats}
        if whole:
            np.savez_compressed(path, **whole)  # type: ignore[arg-type]
