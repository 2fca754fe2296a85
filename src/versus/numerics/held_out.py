r"""Choices by rows that a fit does not see: which rows those are, and the shrinkage under which they are most likely.

A row that is known by heart says nothing about new ones, so copies of a row are held out together. A row of weight two
then counts as two equal rows do, and one of weight 0 does not count.
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Labels
from versus.numerics.class_moments import class_moments

_AMOUNTS = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 19)])  # of shrinkage, that are tried
_FOLDS, _MOST_ROWS = 5, 2000  # of cross-validation
_FEWEST_ROWS = 3  # different ones, from which correlations can be learned and tested
_ROUNDED, _SINGULAR = 1e-12, 1e-9  # of a mean, below which a deviation is rounding; least eigenvalue, as var_smoothing


def different_rows(rows: Array, labels: Labels, weights: Array | None = None) -> tuple[Array, Labels, Array]:
    """Merge equal rows (N, D) of one label (N,); return the different ones, their labels and summed weights.

    They are in the order in which they first occur; those of weight 0 are left out.
    """
    weights = np.ones(len(rows)) if weights is None else weights
    counted = weights > 0
    rows, labels, weights = rows[counted], labels[counted], weights[counted]
    whole = np.column_stack([rows, labels])
    keys = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1]))).ravel()
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    kept = first[order]
    return rows[kept], labels[kept], np.bincount(of, weights)[order]


def none_if_even(weights: Array) -> Array | None:
    """Return None in place of weights that are all the same: kernels are faster without."""
    return None if (weights == weights[:1]).all() else weights


def folds(labels: Labels, n_folds: int) -> Labels:
    """Deal the rows of each class (N,) to the folds in turn, (N,) fold codes: the same in every run."""
    order, members = np.argsort(labels, kind="stable"), np.bincount(labels)
    found = np.empty(len(labels), np.int64)
    found[order] = (np.arange(len(labels)) - np.repeat(np.cumsum(members) - members, members)) % n_folds
    return found


def likeliest_shrinkage(rows: Array, labels: Labels, weights: Array | None = None) -> float:
    r"""The amount in [0, 1] of `shrunk` under which held-out rows are most likely: cross-validation in five folds.

    All amounts share the eigenvectors of a correlation matrix. With its eigenvalues :math:`\lambda_d` and the held-out
    rows z in the eigenvectors' coordinates,

    .. math:: \log p(z) = -\tfrac{1}{2} \sum_d \left(\log \mu_d + z_d^2 / \mu_d\right) + \text{const}, \quad
              \mu_d = (1 - a) \lambda_d + a

    so that a fold costs one decomposition, whatever the number of amounts. An amount is a prior worth
    :math:`n a / (1 - a)` rows, and as many at any n. Friedman, "Regularized discriminant analysis" (1989).

    Args:
        rows: (N, D) without missing values; at most 2000 of them are used. Of fewer than three different ones the
            amount is 1.
        labels: (N,) classes, with means of their own and one correlation matrix.
        weights: (N,), in rows.
    """
    some = slice(None, None, -(-len(rows) // _MOST_ROWS) or 1)
    x, y, counts = different_rows(rows[some], labels[some], None if weights is None else weights[some])
    if len(x) < _FEWEST_ROWS:
        return 1.0
    fold = folds(y, _FOLDS)
    scores = np.zeros(len(_AMOUNTS))
    for held in (fold == k for k in range(min(_FOLDS, fold.max() + 1))):
        scores += _held_out((x[~held], y[~held], counts[~held]), (x[held], y[held], counts[held]))
    total = len(rows) if weights is None else weights.sum()
    amount, learned = _AMOUNTS[int(scores.argmax())], counts.sum() * (1 - 1 / _FOLDS)
    return float(amount * learned / (amount * learned + (1 - amount) * total))


def _held_out(known: tuple[Array, Labels, Array], held: tuple[Array, Labels, Array]) -> Array:
    """Log-likelihood (nats, up to a constant) of held-out rows under each amount, learned from the others."""
    (rows, labels, weights), (asked, asked_labels, asked_weights) = known, held
    n_classes = int(max(labels.max(), asked_labels.max())) + 1
    means = class_moments(rows, labels, n_classes, none_if_even(weights)).filled().means
    z = rows - means[labels]
    everything = np.concatenate([z, asked - means[asked_labels]])
    scale = np.sqrt(np.average(z * z, axis=0, weights=weights))
    scale = np.where(scale > _ROUNDED * np.abs(means).max(axis=0), scale, np.abs(everything).max(axis=0))
    z, tested = z / np.where(scale > 0, scale, 1.0), everything[len(z) :] / np.where(scale > 0, scale, 1.0)
    correlation = (z * weights[:, None]).T @ z / weights.sum()
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    mixed = np.maximum((1 - _AMOUNTS[:, None]) * values + _AMOUNTS[:, None], _SINGULAR)
    squares = asked_weights @ (tested @ vectors) ** 2
    likelihoods: Array = -0.5 * (asked_weights.sum() * np.log(mixed) + squares / mixed).sum(axis=1)
    return likelihoods


def shrunk(covariance: Array, amount: float) -> Array:
    """Covariance (D, D) with its correlations multiplied by ``1 - amount``; variances stay."""
    mixed: Array = (1 - amount) * covariance + amount * np.diag(np.diagonal(covariance))
    return mixed
