"""Scores of predicted class probabilities, (N,) labels and (N, K) probabilities -> a float.

The values are scikit-learn's, which the tests hold them to. They are computed here because importing
``sklearn.metrics`` takes two seconds, and the evaluation of most cells needs nothing else of scikit-learn.
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Labels
from versus.metrics.undefined import UndefinedMetricError


def confusion_matrix(y: Labels, predicted: Labels, n_classes: int) -> Array:
    """Counts (K, K): row = true class, column = predicted class."""
    counts: Array = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    return counts


def accuracy_score(y: Labels, probabilities: Array) -> float:
    """Share of rows whose most probable class is the true one."""
    return float(np.mean(probabilities.argmax(axis=1) == y))


def _counts(y: Labels, probabilities: Array) -> tuple[Array, Array, Array]:
    """Hits, true members and predicted members of each class that has one or the other."""
    confusion = confusion_matrix(y, probabilities.argmax(axis=1), probabilities.shape[1])
    hits, true, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    present = (true + predicted) > 0
    return hits[present], true[present], predicted[present]


def balanced_accuracy_score(y: Labels, probabilities: Array) -> float:
    """Mean recall of the classes that have members."""
    hits, true, _ = _counts(y, probabilities)
    return float(np.mean(hits[true > 0] / true[true > 0]))


def precision_score(y: Labels, probabilities: Array) -> float:
    """Mean over classes (macro) of the share of predicted members that are true; 0 for a class never predicted."""
    hits, _, predicted = _counts(y, probabilities)
    return float(np.mean(hits / np.maximum(predicted, 1)))


def recall_score(y: Labels, probabilities: Array) -> float:
    """Mean over classes (macro) of the share of true members that are found; 0 for a class without members."""
    hits, true, _ = _counts(y, probabilities)
    return float(np.mean(hits / np.maximum(true, 1)))


def f1_score(y: Labels, probabilities: Array) -> float:
    """Mean over classes (macro) of the harmonic mean of precision and recall."""
    hits, true, predicted = _counts(y, probabilities)
    return float(np.mean(2 * hits / (true + predicted)))


def log_loss(y: Labels, probabilities: Array) -> float:
    """Mean of -log p(true class), nats; a probability of 0 counts as the smallest step of its float type."""
    eps = np.finfo(probabilities.dtype).eps
    of_true = np.clip(probabilities[np.arange(len(y)), y], eps, 1 - eps)
    return float(-np.log(of_true).mean())


def brier_score(y: Labels, probabilities: Array) -> float:
    """Mean squared distance of the probabilities from the truth (Brier 1950), summed over classes.

    Halved for two classes, as scikit-learn does, so that it is the squared error of one class's probability.
    """
    truth = np.zeros(probabilities.shape)
    truth[np.arange(len(y)), y] = 1.0
    score = float(((probabilities - truth) ** 2).sum(axis=1).mean())
    return score / 2 if probabilities.shape[1] == 2 else score


def roc_auc(y: Labels, probabilities: Array) -> float:
    """Area under the ROC curve; for more than two classes the mean of one class against the rest.

    Fawcett, "An introduction to ROC analysis" (2006), by the rank-sum (Mann and Whitney 1947).

    Raises:
        UndefinedMetricError: where a class has no member or all of them among the rows.
    """
    n_classes = probabilities.shape[1]
    members = np.bincount(y, minlength=n_classes)
    if (members == 0).any():
        missing = ", ".join(map(str, np.flatnonzero(members == 0)))
        raise UndefinedMetricError(f"no test row is of class {missing}, so its curve does not exist")
    if n_classes == 1:
        raise UndefinedMetricError("there is only one class")
    scored = [1] if n_classes == 2 else range(n_classes)
    return float(np.mean([_area(y == k, probabilities[:, k]) for k in scored]))


def _area(positive: Array, score: Array) -> float:
    """Probability that a positive row scores above a negative one, ties counting half, (N,), (N,) -> float."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]  # 1-based, the mean rank where scores tie
    p = int(positive.sum())
    return float((rank[positive].sum() - p * (p + 1) / 2) / (p * (len(score) - p)))
