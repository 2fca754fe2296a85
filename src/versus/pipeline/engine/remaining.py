"""Estimate of what a run still takes, by the fits of the last report, corrected by what this run has taken so far."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from versus.pipeline import shares

# Seconds of a stage, whatever it works on; a fit also takes its own seconds, and an evaluation a share of them.
KINDS = {"prepare": 1.0, "extractor": 0.5, "train": 0.3, "evaluate": 0.6, "experiment": 10.0, "compare": 10.0}
OF_THE_FITS = {"train": 1.0, "evaluate": 0.2}
ENOUGH = 0.1  # share of the work that must be done before it corrects the estimate


def seconds_of_cells(reports: Path) -> dict[str, float]:
    """Return cell -> seconds of all its fits in the last report; empty where there is none."""
    costs, scores = reports / "costs.csv", reports / "comparison.csv"
    if not costs.is_file() or not scores.is_file():
        return {}
    with scores.open(newline="", encoding="utf-8") as file:
        repeats = {row["cell"]: int(row["repeats"] or 1) for row in csv.DictReader(file)}
    fits = shares.read_training_times(costs.read_text(encoding="utf-8"))
    return {cell: seconds * repeats.get(cell, 1) for cell, seconds in fits.items()}


class Remaining:
    """Stages that a run still has to run, and the seconds that they are expected to take.

    Args:
        fits: cell -> seconds of all its fits; their mean stands for a cell that is new.
        slots: number of stages that run side by side.
    """

    def __init__(self, fits: Mapping[str, float], slots: int) -> None:
        self._fits, self._slots = fits, slots
        self._typical = sum(fits.values()) / len(fits) if fits else 0.0
        self._due: dict[str, float] = {}  # stage -> expected seconds
        self._started: dict[str, float] = {}
        self._done = self._took = 0.0  # expected and measured seconds of the stages that have run

    def add(self, stage: str) -> None:
        """Expect a stage to run."""
        kind, _, name = stage.partition("@")
        kind = kind.partition("_")[0]
        if kind in KINDS:
            of_the_fits = OF_THE_FITS.get(kind, 0.0) * self._fits.get(name, self._typical)
            self._due.setdefault(stage, KINDS[kind] + of_the_fits)

    def start(self, stage: str, now: float) -> None:
        """Note that a stage has started."""
        self._started[stage] = now

    def end(self, stage: str, now: float) -> None:
        """Note that a stage is up to date, whether it has run or not."""
        expected, started = self._due.pop(stage, None), self._started.pop(stage, None)
        if expected is not None and started is not None:
            self._done += expected
            self._took += now - started

    def seconds(self, now: float) -> float | None:
        """Return the seconds that are left; None where no fit is known to go by."""
        if not self._fits:
            return None
        whole = self._done + sum(self._due.values())
        pace = self._took / self._done if self._done > ENOUGH * whole else 1.0
        left = {stage: pace * expected for stage, expected in self._due.items()}
        running = {s: max(0.0, left[s] - (now - began)) for s, began in self._started.items() if s in left}
        work = sum(running.get(stage, expected) for stage, expected in left.items())
        return max([work / self._slots, *running.values()])
