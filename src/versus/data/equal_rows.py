"""Equal rows of a data set: which they are, and if chance alone would give so many."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Events, Ragged

CHUNK = 4096  # rows converted at a time
FEW_PATTERNS = 30  # with fewer different rows than this, repeats say nothing about where they come from
BY_CHANCE = 10.0  # equal pairs up to this multiple of what independent columns give are taken for chance


def equal_rows(X: Events) -> NDArray[np.int64]:
    """Number the different rows: (N,), the same number where rows are equal in every value.

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
    hashes = np.frombuffer(b"".join(digests), np.uint64)
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def repeats_by_nature(X: Events, codes: NDArray[np.int64]) -> bool:
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
