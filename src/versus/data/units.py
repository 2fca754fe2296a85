"""Units of splitting: rows that stay in one part because they are copies of each other, or of one group."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from versus.arrays import Events, Ragged
from versus.data.prepared import Dataset

Codes = NDArray[np.int64]
CHUNK = 4096  # rows converted at a time
FEW_PATTERNS = 30  # with fewer different rows than this, repeats say nothing about where they come from
BY_CHANCE = 10.0  # equal pairs up to this multiple of what independent columns give are taken for chance
LEAST_UNITS = 3  # of a class, one for each part; with fewer its equal rows are parted


def units(data: Dataset) -> Codes | None:
    """Number the units of a data set: (N,), the same number where rows stay together; None where no rows do.

    Rows of one group stay together, and so do equal rows unless few values make them equal by chance.
    """
    copies: Codes | None = equal_rows(data.X)
    assert copies is not None
    if copies.max(initial=-1) + 1 == len(copies) or repeats_by_nature(data.X, copies):
        copies = None
    if data.groups is None:
        return None if copies is None else _parted_where_rare(copies, data.schema.y.strata(data.y), data.n_test)
    return data.groups if copies is None else _joined(copies, data.groups)


def _joined(first: Codes, second: Codes) -> Codes:
    """Join two ways to group rows: connected rows share a unit."""
    n, shift = len(first), int(first.max()) + 1
    nodes = shift + int(second.max()) + 1
    links = coo_array((np.ones(n, np.int8), (first, second + shift)), shape=(nodes, nodes))
    found: Codes = connected_components(links, directed=False)[1][first].astype(np.int64)
    return found


def _parted_where_rare(copies: Codes, strata: Codes, n_test: int) -> Codes:
    """Part the equal rows of classes that have too few different rows to be in every part."""
    own = slice(0, len(copies) - n_test)
    classes = np.unique(np.stack([copies[own], strata[own]]), axis=1)[1]
    rare = np.bincount(classes, minlength=int(strata.max()) + 1) < LEAST_UNITS
    alone = rare[strata]
    found = copies.copy()
    found[alone] = copies.max() + 1 + np.arange(alone.sum())
    return found


def equal_rows(X: Events) -> Codes:
    """Number the different rows in the order in which they occur: (N,), the same where rows are equal in every value.

    Rows are compared by 64 bits of a hash: two of a million different rows share one with a probability of 3e-8.
    """
    digests = []
    for start in range(0, len(X), CHUNK):
        rows = X[start : start + CHUNK]
        if not isinstance(rows, Ragged):
            rows = np.ascontiguousarray(rows)
            if np.issubdtype(rows.dtype, np.floating):
                rows = np.where(np.isnan(rows), np.nan, rows + 0.0)  # one NaN, one zero
        digests += [blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    _, first, codes = np.unique(np.frombuffer(b"".join(digests), np.uint64), return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[codes]


def repeats_by_nature(X: Events, codes: Codes) -> bool:
    """Return True where equal rows are no copies: the columns have so few values that rows repeat by chance.

    The equal pairs among N rows are compared with those of independent columns, N²/2 ∏ P(two values are equal). The
    probabilities come from the different rows, so that copies of rows do not pass for frequent values. A column with a
    value of its own in each different row makes the product zero: no chance repeats such a row.
    """
    counts = np.bincount(codes)
    if isinstance(X, Ragged) or X.ndim != 2 or len(counts) == len(codes):
        return False
    if len(counts) < FEW_PATTERNS:
        return True
    different = X[np.unique(codes, return_index=True)[1]]
    n = len(different)
    chance = 1.0
    for column in different.T:
        times = np.unique(column, return_counts=True)[1].astype(float)  # NaN is one value, as for equal rows
        chance *= float((times * (times - 1)).sum()) / (n * (n - 1))
        if chance == 0:
            return False
    pairs = float((counts * (counts - 1.0)).sum()) / 2
    return pairs <= BY_CHANCE * chance * len(codes) ** 2 / 2
