"""Scores of predicted class probabilities: labels (n,) and probabilities (n, K) float64 -> rows, statistics, values.

The scores equal scikit-learn's, as the tests check. They are computed here, so that a bootstrap is one matrix product
for functions of row means; `versus.metrics.curves` has the areas under curves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels
from versus.statistics.proportion import wilson_interval

BINS = 15  # of confidence, of equal width, for the calibration error
EQUAL_BINS, FEWEST_ROWS = 10, 20  # of equal counts, for the diagram


def confusion_matrix(y: Labels, predicted: Labels, n_classes: int) -> Array:
    """Count rows by true and predicted class, (K, K): row = true class, column = predicted class."""
    counts: Array = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    return counts


def hits(y: Labels, probabilities: Array) -> Array:
    """Compute hits (n, 1): 1 where the most probable class is the true one, else 0."""
    right: Array = probabilities.argmax(axis=1) == y
    return right[:, None]


def weighted_hits(y: Labels, probabilities: Array, weights: Array) -> Array:
    """Compute hits times the weights (n,) of their rows, and the weights, (n, 2): accuracy is the ratio of means."""
    return np.concatenate([hits(y, probabilities), np.ones((len(y), 1))], axis=1) * weights[:, None]


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
    """Mean confidence, accuracy with the ends of its interval, and number of rows of each bin; all (bins,)."""

    confidence: Array
    accuracy: Array
    low: Array
    high: Array
    count: Array


def reliability(y: Labels, probabilities: Array, distinct: float = 1.0, confidence: float = 0.95) -> Reliability:
    """Bin rows (n,), (n, K) by the probability of their predicted class, about as many in each bin.

    Equal counts give every bin the same certainty (Nguyen and O'Connor, "Posterior calibration and exploratory analysis
    for natural language processing models", EMNLP 2015). Rows of equal confidence share a bin.

    Args:
        y, probabilities: the rows of all repeats, one after the other.
        distinct: share of them that are different rows: those that are tested again add no certainty.
        confidence: of Wilson's intervals of the accuracies.
    """
    sureness = probabilities.max(axis=1).astype(np.float64)
    bins = max(1, min(EQUAL_BINS, int(len(y) * distinct) // FEWEST_ROWS))
    edges = np.unique(np.sort(sureness)[np.arange(bins) * len(y) // bins])
    place = np.searchsorted(edges, sureness, side="right") - 1
    count = np.bincount(place, minlength=len(edges))
    accuracy = np.bincount(place, weights=hits(y, probabilities)[:, 0], minlength=len(edges)) / count
    known = np.maximum(count * distinct, 1.0)
    ends = [wilson_interval(float(a * n), float(n), confidence) for a, n in zip(accuracy, known, strict=True)]
    low, high = np.array(ends).T
    return Reliability(np.bincount(place, weights=sureness, minlength=len(edges)) / count, accuracy, low, high, count)


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
