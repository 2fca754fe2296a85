"""Predictions of one model on the test rows, as `evaluate` wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.metrics import table
from versus.report.files import read_array, read_arrays, read_json
from versus.statistics.bootstrap import Scorer

AXES = {"classification": 3, "regression": 2}  # of predictions.npy


@dataclass(frozen=True, eq=False)
class Measured:
    """Predictions of a cell on its test rows.

    Args:
        cell: its name.
        task: "classification" or "regression".
        test_hash: hash of the test rows; empty where an earlier version of the evaluation recorded none.
        predictions: (R, n, K) probabilities, or (R, n) values; None for a task with other outputs.
        rows: score -> (R, n, M), contributions of each row to the scores of other outputs.
    """

    cell: str
    task: str
    test_hash: str
    predictions: NDArray[Any] | None = None
    rows: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def scorers(self, metric: str, targets: NDArray[Any] | None) -> list[Scorer]:
        """Return each repeat's score as a function of the weights of its test rows.

        Args:
            metric: a name in scores.csv.
            targets: (R, n) true values; None where a row does not have exactly one.

        Raises:
            ValueError: where the score cannot be computed from these predictions.
        """
        found = table.scorers(metric, self.predictions, targets, self.rows)
        if found is None:
            raise ValueError(f"{self.cell} has no {metric} that could be drawn again row by row")
        return found


def read_measured(folder: Path) -> Measured:
    """Read the evaluation in a folder: ``evaluation.json``, ``predictions.npy`` and ``rows.npz``.

    Raises:
        FileNotFoundError: where one of them is missing.
        ValueError: where one of them is damaged; the message names it.
    """
    about: Mapping[str, Any] = read_json(folder / "evaluation.json", ("cell", "task"))
    predictions, rows = read_array(folder / "predictions.npy"), read_arrays(folder / "rows.npz")
    task, test_hash = str(about["task"]), str(about.get("test_hash", ""))
    if task not in AXES:
        return Measured(str(about["cell"]), task, test_hash, None, rows)
    if predictions is None:
        raise FileNotFoundError(f"{folder / 'predictions.npy'} does not exist")
    axes = AXES[task]
    if predictions.ndim != axes or not np.issubdtype(predictions.dtype, np.floating):
        found = f"{predictions.dtype} {predictions.shape}"
        raise ValueError(f"{folder / 'predictions.npy'} holds {found}; floats with {axes} axes are expected")
    return Measured(str(about["cell"]), task, test_hash, predictions, rows)
