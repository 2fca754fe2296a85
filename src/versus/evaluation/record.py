"""The scores and gaps of a cell while they are collected."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from versus.metrics.undefined import UndefinedMetricError


class EvaluationError(ValueError):
    """A fitted model that answers what cannot be scored, such as NaN; the message names cell, repeat and method."""


class Record:
    """Scores by repeat and metric, and what was skipped with its reason."""

    def __init__(self) -> None:
        self.scores: list[tuple[int, str, float]] = []
        self._skipped: dict[tuple[str, str], set[int]] = {}

    def score(self, repeat: int, name: str, function: Callable[..., float], *arrays: Any) -> None:
        """Compute a metric; where it is undefined, keep the reason instead.

        Raises:
            EvaluationError: where the value is not a finite number, which a defined metric always is.
        """
        try:
            value = float(function(*arrays))
        except UndefinedMetricError as undefined:
            self.skip(name, str(undefined), repeat)
            return
        if not np.isfinite(value):
            raise EvaluationError(f"repeat {repeat}: {name} is {value}")
        self.scores.append((repeat, name, value))

    def skip(self, what: str, reason: str, repeat: int) -> None:
        """Note that something was not measured, and why."""
        self._skipped.setdefault((what, reason), set()).add(repeat)

    def skipped(self, repeats: int) -> list[dict[str, str]]:
        """What was skipped, one entry a reason; repeats are named where they differ."""
        found = []
        for (what, reason), where in self._skipped.items():
            some = (
                f" (repeat {', '.join(map(str, sorted(where)))} of 0 to {repeats - 1})" if len(where) < repeats else ""
            )
            found.append({"what": what, "reason": reason + some})
        return found

    def write_scores(self, path: Path) -> None:
        """Write scores.csv: one row a repeat and metric, values so that they read back to the same bits."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["repeat", "metric", "value"])
            writer.writerows((repeat, name, repr(value)) for repeat, name, value in self.scores)
