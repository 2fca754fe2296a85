r"""Mutual information between categorical columns, and the tree that keeps most of it.

.. math:: I(X_i; X_j) = \sum_{a, b} \hat p(a, b) \log \frac{\hat p(a, b)}{\hat p(a)\, \hat p(b)}

Chow and Liu, "Approximating discrete probability distributions with dependence trees" (1968): the tree of largest
total mutual information is the one of largest likelihood. All pairs are counted by one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from versus.arrays import Array

_ROWS = 2**16  # counted at a time: single precision counts them exactly


def one_hot(codes: Array, sizes: Sequence[int], dtype: type = np.float32) -> Array:
    """Indicators of the categories of all columns side by side, (N, D) -> (N, sum of sizes); none where missing."""
    blocks = [column[:, None] == np.arange(size) for column, size in zip(codes.T, sizes, strict=True)]
    return np.concatenate(blocks, axis=1).astype(dtype) if blocks else np.empty((len(codes), 0), dtype)


def pair_counts(codes: Array, sizes: Sequence[int]) -> Array:
    """Counts of all pairs of categories, (N, D) -> (S, S) with S the sum of sizes; of rows that have both columns."""
    total = np.zeros((sum(sizes), sum(sizes)))
    for start in range(0, len(codes), _ROWS):
        indicators = one_hot(codes[start : start + _ROWS], sizes)
        total += indicators.T @ indicators
    return total


def mutual_information(counts: Array, sizes: Sequence[int]) -> tuple[Array, Array]:
    """Mutual information of all pairs of columns in nats, and the rows that have both, each (D, D).

    Args:
        counts: (S, S), see `pair_counts`.
        sizes: number of categories of each column.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    of_rows = np.add.reduceat(counts, starts, axis=1)  # (S, D): category of i where j is known
    both = np.add.reduceat(of_rows, starts, axis=0)
    wide = np.repeat(of_rows, sizes, axis=1)
    known = counts > 0
    ratio = np.divide(
        counts * np.repeat(np.repeat(both, sizes, 0), sizes, 1), wide * wide.T, out=np.ones_like(counts), where=known
    )
    terms = counts * np.log(ratio)
    sums = np.add.reduceat(np.add.reduceat(terms, starts, axis=0), starts, axis=1)
    return np.maximum(sums / np.maximum(both, 1), 0.0), both


def conditional_information(counts: Sequence[Array], sizes: Sequence[int]) -> Array:
    """Mutual information of all pairs given the class, from the pair counts of each class, (D, D) nats."""
    found = [mutual_information(of_class, sizes) for of_class in counts]
    rows = sum(both for _, both in found)
    weighted = sum(information * both for information, both in found)
    return np.asarray(weighted / np.maximum(rows, 1))


def spanning_tree(weights: Array, root: int = 0) -> list[tuple[int, ...]]:
    """Parents of each column in the tree of largest total weight, (D, D) symmetric: none at the root, else one."""
    if len(weights) == 1:
        return [()]
    distances = weights.max() + 1 - weights  # positive: scipy takes 0 for no edge
    np.fill_diagonal(distances, 0)
    tree = minimum_spanning_tree(distances)
    _, parents = breadth_first_order(tree, root, directed=False)
    return [() if parent < 0 else (parent,) for parent in parents.tolist()]
