"""ROC and precision-recall curves of predicted class probabilities, and the areas under them.

Rows are sorted once for each class; a bootstrap then sums up their weights in that order. For two classes the curve is
that of the second one, for more the mean of each class against the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels
from versus.metrics.metric import UndefinedMetricError
from versus.statistics.bootstrap import Scorer

BLOCK = 100_000  # weights at a time, which stay in a processor's cache
TINY = np.finfo(np.float64).tiny
GRID = (np.arange(101) / 100) ** 2  # denser near 0, where the curves of good models bend


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
        whole = weights.astype(np.int64)
        if (whole == weights).all():  # sums of integers take a tenth of the time, and are those of whole floats
            weights = whole
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
    found = np.zeros((weights.shape[0], weights.shape[1] + 1), weights.dtype)
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


@dataclass(frozen=True)
class Curves:
    """Mean curves over classes and repeats at the points of `GRID`; all (101,).

    Args:
        hits: of ROC, the true positive rate at each false positive rate.
        precision: at each recall; a step of recall has the precision at its end, as in scikit-learn.
        prevalence: mean share of members, the precision of a guess.
    """

    hits: Array
    precision: Array
    prevalence: float


def mean_curves(truths: Sequence[Labels], probabilities: Sequence[Array]) -> Curves | None:
    """Average the curves of the repeats, (n,) and (n, K) each, at fixed places (Fawcett 2006, vertical averaging).

    The area under the first is the mean ROC AUC. Repeats that lack a class are left out; None where all do.
    """
    found = []
    for y, p in zip(truths, probabilities, strict=True):
        try:
            found += [(_Sorted(y == k, p[:, k]).curve(np.ones((1, len(y))))) for k in _scored_classes(y, p)]
        except UndefinedMetricError:
            continue
    if not found:
        return None
    return Curves(
        np.mean([_hits(c) for c in found], axis=0),
        np.mean([_precision(c) for c in found], axis=0),
        float(np.mean([c.members / (c.members + c.others) for c in found])),
    )


def _hits(c: Curve) -> Array:
    """Rate of true positives at each rate of false positives of `GRID`; runs of equal scores are straight lines."""
    false = np.stack([c.false - c.tied, c.false], axis=2).ravel() / c.others[0]
    true = np.stack([c.true - c.gained, c.true], axis=2).ravel() / c.members[0]
    found: Array = np.interp(GRID, np.append(false, 1.0), np.append(true, 1.0))
    return found


def _precision(c: Curve) -> Array:
    reached = (c.true / c.members)[0]
    found: Array = (c.true / (c.true + c.false))[0][np.searchsorted(reached, GRID - 1e-12)]
    return found
