"""Conditions for a challenger besides the difference to the champion, from its answers on the test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.metrics.table import named
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation

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
    challenger: NDArray[Any],
    champion: NDArray[Any],
    targets: NDArray[Any],
    classes: Sequence[str],
    margin: float,
    weights: NDArray[np.float64] | None = None,
) -> list[Check]:
    """Check that the recall of every class, over the test rows of all repeats, fell by no more than the margin.

    Args:
        challenger, champion: (n, K) probabilities.
        targets: (n,) class codes.
        classes: K names.
        margin: largest fall of recall allowed, as a share.
        weights: (n,) of the rows; None where all count alike.

    Returns:
        One failed check for each class that fell further, or one that passed and names the class that fell most.
    """
    members = np.bincount(targets, minlength=len(classes))
    new, old = (_recalls(predictions, targets, len(classes), weights) for predictions in (challenger, champion))
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


def _recalls(
    probabilities: NDArray[Any], targets: NDArray[Any], n_classes: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    right = probabilities.argmax(axis=1) == targets
    hits = np.bincount(targets[right], None if weights is None else weights[right], minlength=n_classes)
    members = np.bincount(targets, weights, minlength=n_classes)
    found: NDArray[np.float64] = hits / np.where(members > 0, members, 1)
    return found


def calibration(
    challenger: NDArray[Any],
    champion: NDArray[Any],
    targets: NDArray[Any],
    margin: float,
    weights: NDArray[np.float64] | None = None,
) -> Check:
    """Check that the expected calibration error, over the test rows of all repeats, rose by at most the margin."""
    error = named("expected_calibration_error")
    new, old = (error.score(targets, p, weights=weights) for p in (challenger, champion))
    text = f"expected calibration error {new:.3f}, the champion's {old:.3f}; a rise of {margin:.3f} is allowed"
    return Check("calibration", new - old <= margin, text)


def beats_baseline(dataset: DatasetResults, challenger: Evaluation) -> list[Check]:
    """Check that a model is shown to be better than the best trivial one by the deciding score; empty without one.

    Raises:
        ValueError: where the baseline was evaluated on other test rows, or the difference cannot be judged.
    """
    baseline, metric = dataset.baseline, dataset.primary
    if baseline is None:
        return []
    if baseline.facts.get("test_hash") != challenger.facts.get("test_hash"):
        names = f"{baseline.cell.name} and {challenger.cell.name}"
        raise ValueError(f"{names} were not evaluated on the same test rows; run `dvc repro` first")
    apart = dataset.difference(challenger, baseline, metric)
    if apart is None:
        raise ValueError(f"{metric}: nothing says how sure the difference from {baseline.cell.name} is")
    passed = dataset.is_shown_better(challenger, baseline)
    scores = f"{metric} {challenger.mean(metric):.4g}, {baseline.cell.name}'s {baseline.mean(metric):.4g}"
    how = "beats" if passed else "is not shown to beat"
    text = f"{challenger.cell.name} {how} the trivial baseline: {scores} (p {formatting.p_value(apart.p_value())})"
    return [Check("baseline", passed, text if passed else f"{text}; nothing is gained by using it")]


AXES = {"classification": 2, "regression": 1}  # of predictions.npy


def answers(evaluation: Evaluation) -> NDArray[Any] | None:
    """Return answers on the test rows of all repeats, (n, K) probabilities or (n,) values; None for other outputs.

    Raises:
        FileNotFoundError: where they are missing.
        ValueError: where they are of another form; the message names the file.
    """
    if not isinstance(evaluation.facts["n_test"], list):
        file = evaluation.folder / "evaluation.json"
        raise ValueError(f"{file} was written by an earlier version, which kept answers otherwise")
    axes = AXES.get(str(evaluation.facts.get("task")))
    if axes is None:
        return None
    path = evaluation.folder / "predictions.npy"
    if evaluation.predictions is None:
        raise FileNotFoundError(f"{path} does not exist")
    found: NDArray[Any] = np.concatenate(evaluation.predictions)
    if found.ndim != axes or not np.issubdtype(found.dtype, np.floating):
        raise ValueError(f"{path} holds {found.dtype} {found.shape}; floats with {axes} axes are expected")
    return found
