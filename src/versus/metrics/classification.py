"""Scores of predicted class probabilities: labels (n,) and probabilities (n, K) float64 -> rows, statistics, values.

The scores equal scikit-learn's, as the tests check. Those that are functions of row means are computed here, so that a
bootstrap is one matrix product; the others are taken from ``sklearn.metrics``, imported on use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels
from versus.metrics.metric import UndefinedMetricError

BINS = 15  # of confidence


def confusion_matrix(y: Labels, predicted: Labels, n_classes: int) -> Array:
    """Count rows by true and predicted class, (K, K): row = true class, column = predicted class."""
    counts: Array = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    return counts


def hits(y: Labels, probabilities: Array) -> Array:
    """Compute hits (n, 1): 1 where the most probable class is the true one, else 0."""
    right: Array = probabilities.argmax(axis=1) == y
    return right[:, None]


def class_counts(y: Labels, probabilities: Array) -> Array:
    """Compute (n, 3K) indicators for each class: the row is a hit of it, is predicted to be in it, is in it."""
    of = np.arange(probabilities.shape[1])
    predicted, true = probabilities.argmax(axis=1)[:, None] == of, y[:, None] == of
    return np.concatenate([predicted & true, predicted, true], axis=1)


def _macro(part: Array, whole: Array, seen: Array) -> Array:
    """Average part / whole over the classes that are seen, 0 if the whole is 0; NaN if no class is seen."""
    ratio = np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
    mean: Array = np.sum(ratio * seen, axis=-1) / seen.sum(axis=-1)
    return mean


def balanced_accuracy(means: Array) -> Array:
    """Mean recall of the classes that have members, of `class_counts`."""
    hit, _, true = np.split(means, 3, axis=-1)
    return _macro(hit, true, true > 0)


def precision(means: Array) -> Array:
    """Mean over classes (macro) of the share of predicted members that are true; 0 for a class never predicted."""
    hit, predicted, true = np.split(means, 3, axis=-1)
    return _macro(hit, predicted, (predicted + true) > 0)


def recall(means: Array) -> Array:
    """Mean over classes (macro) of the share of true members that are found; 0 for a class without members."""
    hit, predicted, true = np.split(means, 3, axis=-1)
    return _macro(hit, true, (predicted + true) > 0)


def f1(means: Array) -> Array:
    """Mean over classes (macro) of the harmonic mean of precision and recall."""
    hit, predicted, true = np.split(means, 3, axis=-1)
    return _macro(2 * hit, predicted + true, (predicted + true) > 0)


def matthews(means: Array) -> Array:
    """Correlation of true and predicted classes (Gorodkin 2004), of `class_counts`; 0 if either is constant."""
    hit, predicted, true = np.split(means, 3, axis=-1)
    covariance = hit.sum(axis=-1) - (predicted * true).sum(axis=-1)
    spread = np.sqrt((1 - (predicted**2).sum(axis=-1)) * (1 - (true**2).sum(axis=-1)))
    constant = spread < 1e-12
    return np.where(constant, 0.0, covariance / np.where(constant, 1.0, spread))


def kappa(means: Array) -> Array:
    """Agreement of true and predicted classes beyond chance (Cohen 1960), of `class_counts`.

    NaN if all rows are of one class and predicted to be of it.
    """
    hit, predicted, true = np.split(means, 3, axis=-1)
    chance = (predicted * true).sum(axis=-1)
    certain = chance > 1 - 1e-12
    return np.where(certain, np.nan, (hit.sum(axis=-1) - chance) / np.where(certain, 1.0, 1 - chance))


def log_losses(y: Labels, probabilities: Array) -> Array:
    """Compute -log p(true class) in nats, (n, 1); a probability of 0 counts as machine epsilon of its float type."""
    eps = np.finfo(probabilities.dtype).eps
    of_true = np.clip(probabilities[np.arange(len(y)), y], eps, 1 - eps)
    losses: Array = -np.log(of_true)
    return losses[:, None]


def brier_scores(y: Labels, probabilities: Array) -> Array:
    """Compute the squared distance of the probabilities from the truth, summed over classes, (n, 1) (Brier 1950).

    Halved for two classes, as scikit-learn does, so that it is the squared error of one class's probability.
    """
    truth = np.zeros(probabilities.shape)
    truth[np.arange(len(y)), y] = 1.0
    distance: Array = ((probabilities - truth) ** 2).sum(axis=1, keepdims=True)
    return distance / 2 if probabilities.shape[1] == 2 else distance


@dataclass(frozen=True)
class Reliability:
    """Ends, mean confidence, accuracy and number of rows of each bin of confidence; all (bins,).

    An empty bin has confidence and accuracy 0.
    """

    low: Array
    high: Array
    confidence: Array
    accuracy: Array
    count: Array


def reliability(y: Labels, probabilities: Array, bins: int = BINS) -> Reliability:
    """Bin rows (n,), (n, K) by the probability of their predicted class; a bin includes its upper end."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    place, confidence = _confidence_bins(probabilities, edges)
    count = np.bincount(place, minlength=bins)
    filled = np.maximum(count, 1)
    return Reliability(
        low=edges[:-1],
        high=edges[1:],
        confidence=np.bincount(place, weights=confidence, minlength=bins) / filled,
        accuracy=np.bincount(place, weights=hits(y, probabilities)[:, 0], minlength=bins) / filled,
        count=count,
    )


def calibration_gaps(y: Labels, probabilities: Array) -> Array:
    """Compute accuracy minus confidence of each row, in the column of its bin of confidence, (n, 15).

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015); Guo et
    al., "On Calibration of Modern Neural Networks" (ICML 2017): the confidence of the predicted class, in equal bins.
    """
    place, confidence = _confidence_bins(probabilities, np.linspace(0.0, 1.0, BINS + 1))
    gaps = np.zeros((len(y), BINS))
    gaps[np.arange(len(y)), place] = hits(y, probabilities)[:, 0] - confidence
    return gaps


def calibration_error(means: Array) -> Array:
    """Expected calibration error, of `calibration_gaps`: mean gap of the bins, weighted by their rows."""
    found: Array = np.abs(means).sum(axis=-1)
    return found


def _confidence_bins(probabilities: Array, edges: Array) -> tuple[Array, Array]:
    confidence = probabilities.max(axis=1).astype(np.float64)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2), confidence


def roc_auc(y: Labels, probabilities: Array) -> float:
    """Area under the ROC curve; for more than two classes the mean of one class against the rest.

    Fawcett, "An introduction to ROC analysis" (2006), by the rank-sum (Mann and Whitney 1947).

    Raises:
        UndefinedMetricError: if a class has none or all of the rows.
    """
    return float(np.mean([_area(y == k, probabilities[:, k]) for k in _scored_classes(y, probabilities)]))


def _scored_classes(y: Labels, probabilities: Array) -> Sequence[int]:
    """Return the classes whose curves are averaged: for two classes the second only, as in scikit-learn."""
    members = np.bincount(y, minlength=probabilities.shape[1])
    if (members == 0).any():
        missing = ", ".join(map(str, np.flatnonzero(members == 0)))
        raise UndefinedMetricError(f"no test row is of class {missing}, so its curve does not exist")
    if len(members) == 1:
        raise UndefinedMetricError("there is only one class")
    return [1] if len(members) == 2 else range(len(members))


def _area(positive: Array, score: Array) -> float:
    """Probability that a positive row scores above a negative one, ties counting half, (n,), (n,) -> float."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]  # 1-based, the mean rank where scores tie
    p = int(positive.sum())
    return float((rank[positive].sum() - p * (p + 1) / 2) / (p * (len(score) - p)))


def average_precision(y: Labels, probabilities: Array) -> float:
    """Area under the precision-recall curve, averaged over classes against the rest as in `roc_auc`.

    Raises:
        UndefinedMetricError: if a class has none or all of the rows.
    """
    from sklearn.metrics import average_precision_score

    of = _scored_classes(y, probabilities)
    return float(np.mean([average_precision_score(y == k, probabilities[:, k]) for k in of]))
