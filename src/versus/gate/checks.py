"""Conditions for a challenger besides the deciding score, computed from its predictions on the test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.metrics import table
from versus.metrics.table import named
from versus.report.files import read_array, read_arrays, read_json
from versus.statistics.bootstrap import Scorer

TOLERANCE = 1e-3  # of a sum of probabilities, which are stored in single precision


@dataclass(frozen=True)
class Check:
    """Result of one condition: its name, True where it holds, and the figures in words."""

    name: str
    passed: bool
    text: str


def soundness(predictions: NDArray[Any]) -> Check:
    """Check that probabilities (n, K) are finite, not negative and sum to 1, or that values (n,) are finite."""
    if not np.isfinite(predictions).all():
        count = int((~np.isfinite(predictions)).sum())
        return Check("answers", False, f"{count} of {predictions.size} answers on test rows are not finite numbers")
    if predictions.ndim == 1:
        return Check("answers", True, "all answers are finite")
    wrong = (predictions.min(axis=1) < 0) | (np.abs(predictions.sum(axis=1, dtype=np.float64) - 1) > TOLERANCE)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        total = predictions[row].sum(dtype=np.float64)
        where = f"the first is test row {row}, counted over all repeats, whose sum is {total:.4g}"
        return Check(
            "answers", False, f"{int(wrong.sum())} rows of probabilities are negative or do not sum to 1; {where}"
        )
    return Check("answers", True, "all probabilities are finite and sum to 1")


def class_recalls(
    challenger: NDArray[Any], champion: NDArray[Any], targets: NDArray[Any], classes: Sequence[str], margin: float
) -> list[Check]:
    """Check that the recall of every class, over the test rows of all repeats, fell by no more than the margin.

    Args:
        challenger, champion: (n, K) probabilities.
        targets: (n,) class codes.
        classes: K names.
        margin: largest fall of recall allowed, as a share.

    Returns:
        One failed check for each class that fell further, or one that passed and names the class that fell most.
    """
    members = np.bincount(targets, minlength=len(classes))
    new, old = (
        _hits(predictions, targets, len(classes)) / np.maximum(members, 1) for predictions in (challenger, champion)
    )
    fall = np.where(members > 0, old - new, 0.0)

    def told(k: int) -> str:
        change = (
            f"fell by {fall[k]:.3f}" if fall[k] > 0 else f"rose by {-fall[k]:.3f}" if fall[k] < 0 else "is the same"
        )
        return f"recall of class {classes[k]!r} {change}, from {old[k]:.3f} to {new[k]:.3f} on {members[k]} test rows"

    limit = f"{margin:.3f} is allowed"
    worse = [int(k) for k in np.argsort(-fall, kind="stable") if fall[k] > margin]
    if worse:
        return [Check(f"class {classes[k]}", False, f"{told(k)}; {limit}") for k in worse]
    most = int(np.argmax(fall))
    if fall[most] <= 0:
        return [Check("classes", True, "no class is recalled less often than before")]
    return [Check("classes", True, f"no class fell too far: {told(most)}; {limit}")]


def _hits(probabilities: NDArray[Any], targets: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    right = probabilities.argmax(axis=1) == targets
    found: NDArray[np.int64] = np.bincount(targets[right], minlength=n_classes)
    return found


def calibration(challenger: NDArray[Any], champion: NDArray[Any], targets: NDArray[Any], margin: float) -> Check:
    """Check that the expected calibration error, over the test rows of all repeats, rose by at most the margin."""
    error = named("expected_calibration_error")
    new, old = (error.score(targets, p) for p in (challenger, champion))
    text = f"expected calibration error {new:.3f}, the champion's {old:.3f}; a rise of {margin:.3f} is allowed"
    return Check("calibration", new - old <= margin, text)


AXES = {"classification": 2, "regression": 1}  # of predictions.npy


@dataclass(frozen=True, eq=False)
class Measured:
    """Predictions of a cell on its test rows, those of all repeats one after the other.

    Args:
        cell: its name.
        task: "classification" or "regression".
        test_hash: hash of the test rows; empty where an earlier version of the evaluation recorded none.
        sizes: number of test rows of each repeat; they sum to n.
        predictions: (n, K) probabilities, or (n,) values; None for a task with other outputs.
        rows: score -> (n, M), contributions of each row to the scores of other outputs.
    """

    cell: str
    task: str
    test_hash: str
    sizes: tuple[int, ...]
    predictions: NDArray[Any] | None = None
    rows: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def scorers(self, metric: str, targets: NDArray[Any] | None) -> list[Scorer]:
        """Return each repeat's score as a function of the weights of its test rows.

        Args:
            metric: a name in scores.csv.
            targets: (n,) true values; None where a row does not have exactly one.

        Raises:
            ValueError: where the score cannot be computed from these predictions.
        """
        rows = {name: self._by_repeat(whole) for name, whole in self.rows.items()}
        split = [None if whole is None else self._by_repeat(whole) for whole in (self.predictions, targets)]
        found = table.scorers(metric, split[0], split[1], rows)
        if found is None:
            raise ValueError(f"{self.cell} has no {metric} that could be drawn again row by row")
        return found

    def _by_repeat(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(rows, np.cumsum(self.sizes)[:-1])


def read_measured(folder: Path) -> Measured:
    """Read the evaluation in a folder: ``evaluation.json``, ``predictions.npy`` and ``rows.npz``.

    Raises:
        FileNotFoundError: where one of them is missing.
        ValueError: where one of them is damaged; the message names it.
    """
    about: Mapping[str, Any] = read_json(folder / "evaluation.json", ("cell", "task", "n_test"))
    predictions, rows = read_array(folder / "predictions.npy"), read_arrays(folder / "rows.npz")
    task, test_hash = str(about["task"]), str(about.get("test_hash", ""))
    if not isinstance(about["n_test"], list):
        raise ValueError(
            f"{folder / 'evaluation.json'} was written by an earlier version, which kept answers otherwise"
        )
    cell, sizes = str(about["cell"]), tuple(map(int, about["n_test"]))
    if task not in AXES:
        return Measured(cell, task, test_hash, sizes, None, rows)
    if predictions is None:
        raise FileNotFoundError(f"{folder / 'predictions.npy'} does not exist")
    axes = AXES[task]
    if predictions.ndim != axes or not np.issubdtype(predictions.dtype, np.floating):
        found = f"{predictions.dtype} {predictions.shape}"
        raise ValueError(f"{folder / 'predictions.npy'} holds {found}; floats with {axes} axes are expected")
    return Measured(cell, task, test_hash, sizes, predictions, rows)
