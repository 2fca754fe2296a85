"""Scores of predicted class probabilities: labels (n,) and probabilities (n, K) float64 -> rows, statistics, values.

The scores equal scikit-learn's, as the tests check. They are computed here, so that a bootstrap is one matrix product
for functions of row means, and one pass over sorted rows for areas under curves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels
from versus.metrics.metric import UndefinedMetricError
from versus.statistics.bootstrap import Scorer

BINS = 15  # of confidence
BLOCK = 100_000  # weights at a time, which stay in a processor's cache
TINY = np.finfo(np.float64).tiny


def confusion_matrix(y: Labels, predicted: Labels, n_classes: int) -> Array:
    """Count rows by true and predicted class, (K, K): row = true class, column = predicted class."""
    counts: Array = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    return counts


def hits(y: Labels, probabilities: Array) -> Array:
    """Compute hits (n, 1): 1 where the most probable class is the true one, else 0."""
    right: Array = probabilities.argmax(axis=1) == y
    return right[:, None]


def weighted_hits(y: Labels, probabilities: Array, weights: Array) -> Array:
    """Compute hits (n, 1) times the weights (n,) of their rows, whose mean is 1."""
    return hits(y, probabilities) * weights[:, None]


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


@dataclass(frozen=True)
class Curve:
    """Weights (B, runs) at the runs of equal scores that have members of a class, from the highest score down.

    Args:
        gained: weight of the run's members.
        true, false: weight of the members, and of other rows, that score at least as high.
        tied: weight of the other rows in the run.
        members, others: (B, 1) weight of all.
    """

    gained: Array
    true: Array
    false: Array
    tied: Array
    members: Array
    others: Array


def roc_auc(y: Labels, probabilities: Array) -> Scorer:
    """Area under the ROC curve, of weighted rows; for more than two classes the mean of each against the rest.

    Fawcett, "An introduction to ROC analysis" (2006): the probability that a member scores above another row, ties
    counting half.

    Raises:
        UndefinedMetricError: if a class has none or all of the rows.
    """
    return _scorer_of_curves(y, probabilities, lambda c: c.gained * (c.others - c.false + c.tied / 2) / c.others)


def average_precision(y: Labels, probabilities: Array) -> Scorer:
    """Area under the precision-recall curve, of weighted rows, averaged over classes as in `roc_auc`.

    Each step of recall counts with the precision at its end, as in scikit-learn.

    Raises:
        UndefinedMetricError: if a class has none or all of the rows.
    """
    return _scorer_of_curves(y, probabilities, lambda c: c.gained * c.true / np.maximum(c.true + c.false, TINY))


def _scorer_of_curves(y: Labels, probabilities: Array, gain: Callable[[Curve], Array]) -> Scorer:
    """Average the areas over the classes that have a curve: the mean gain of their members; NaN if a class has none.

    Rows are sorted once for each class, and their weights summed up in that order.
    """
    classes = [_Sorted(y == k, probabilities[:, k]) for k in _scored_classes(y, probabilities)]

    def areas(weights: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            curves = (of.curve(weights) for of in classes)
            found = [np.where(c.others > 0, gain(c), np.nan).sum(axis=1) / c.members[:, 0] for c in curves]
        mean: Array = np.mean(found, axis=0)
        return mean

    def of(weights: Array) -> Array:
        block = max(1, BLOCK // len(y))
        return np.concatenate([areas(weights[b : b + block]) for b in range(0, len(weights), block)])

    return Scorer(of, numbers=len(y) * len(classes))


class _Sorted:
    """Order of the rows by the score of one class, (n,), and where the runs of equal scores with members are."""

    def __init__(self, member: Array, score: Array) -> None:
        self.order = np.argsort(-score, kind="stable")
        run = np.concatenate([[0], np.cumsum(np.diff(score[self.order]) != 0)])
        self.members = self.order[member[self.order]]
        of_members = run[member[self.order]]
        with_members, first = np.unique(of_members, return_index=True)
        self.last_member = np.append(first[1:], len(of_members)) - 1  # of each run
        self.start, self.end = (np.searchsorted(run, with_members, side) for side in ("left", "right"))

    def curve(self, weights: Array) -> Curve:
        """Sum up weights (B, n)."""
        every, true = (_summed(weights.take(rows, axis=1)) for rows in (self.order, self.members))
        reached = true[:, self.last_member + 1]
        gained = np.diff(reached, axis=1, prepend=0)
        tied = every[:, self.end] - every[:, self.start] - gained
        members = true[:, -1:]
        return Curve(gained, reached, every[:, self.end] - reached, tied, members, every[:, -1:] - members)


def _summed(weights: Array) -> Array:
    """Cumulative sums with a 0 before them, (B, n) -> (B, n + 1)."""
    found = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=found[:, 1:])
    return found


def _scored_classes(y: Labels, probabilities: Array) -> Sequence[int]:
    """Return the classes whose curves are averaged: for two classes the second only, as in scikit-learn."""
    members = np.bincount(y, minlength=probabilities.shape[1])
    if (members == 0).any():
        missing = ", ".join(map(str, np.flatnonzero(members == 0)))
        raise UndefinedMetricError(f"no test row is of class {missing}, so its curve does not exist")
    if len(members) == 1:
        raise UndefinedMetricError("there is only one class")
    return [1] if len(members) == 2 else range(len(members))
