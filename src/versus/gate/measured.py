"""What one model answered on the test rows, as `evaluate` wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.report.files import read_array, read_json


@dataclass(frozen=True, eq=False)
class Measured:
    """A cell's answers on its test rows.

    Args:
        cell: its name.
        task: "classification" or "regression".
        test_hash: hash of the test rows; empty where an earlier version of the evaluation noted none.
        predictions: (R, n, K) probabilities, or (R, n) values.
    """

    cell: str
    task: str
    test_hash: str
    predictions: NDArray[Any]


def read_measured(folder: Path) -> Measured:
    """The evaluation in a folder: ``evaluation.json`` and ``predictions.npy``.

    Raises:
        FileNotFoundError: where one of them is missing.
        ValueError: where one of them is damaged; the message names it.
    """
    about: Mapping[str, Any] = read_json(folder / "evaluation.json", ("cell", "task"))
    predictions = read_array(folder / "predictions.npy")
    if predictions is None:
        raise FileNotFoundError(f"{folder / 'predictions.npy'} does not exist")
    axes = 2 if about["task"] == "regression" else 3
    if predictions.ndim != axes or not np.issubdtype(predictions.dtype, np.floating):
        found = f"{predictions.dtype} {predictions.shape}"
        raise ValueError(f"{folder / 'predictions.npy'} holds {found}; floats with {axes} axes are due")
    return Measured(str(about["cell"]), str(about["task"]), str(about.get("test_hash", "")), predictions)
