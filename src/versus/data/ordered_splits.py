"""Splits of rows that have an order: that of time, or that of the windows of a stream."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Ragged
from versus.data.errors import DataError
from versus.data.prepared import PARTS, Part
from versus.data.splits import Rows, expect_whole_partitions

_SHIFT = (5**0.5 - 1) / 2  # of a block: multiples of the golden section spread the partitions' borders evenly


def split_in_time(
    times: NDArray[np.float64],
    strata: NDArray[np.int64],
    n_test: int,
    repeats: int,
    test_fraction: float,
    validation_fraction: float,
) -> dict[Part, Ragged]:
    """Split rows in the order of time, as ascending row indices of each repeat: training before validation before test.

    The tests are windows of equal size that follow each other and end with the last row; all that lies before a window
    is learnt from, so each repeat knows more of the past than the one before. Rows at the same time as the first of a
    later part belong to none.

    Args:
        times: (N,) time of each row, in any unit.
        strata, n_test, repeats, validation_fraction: as for `split`.
        test_fraction: share of the rows in each window, at most 1 / (repeats + 1).

    Raises:
        DataError: if a repeat has no rows to learn from, or not all classes.
    """
    n = len(times) - n_test
    order = np.argsort(times[:n], kind="stable")
    ordered = times[order]
    window = 0 if n_test else max(1, min(round(n * test_fraction), n // (repeats + 1)))
    found: dict[Part, list[Rows]] = {part: [] for part in PARTS}
    for repeat in range(repeats):
        end = n - (repeats - 1 - repeat) * window
        test = np.arange(n, len(times)) if n_test else order[end - window : end]
        known = n if n_test else int(np.searchsorted(ordered, ordered[end - window]))
        cut = min(known - round(known * validation_fraction), known - 1)
        validated = int(np.searchsorted(ordered[:known], ordered[cut])) if known else 0
        parts = [order[:validated], order[validated:known], test]
        if len(np.unique(strata[parts[0]])) < len(np.unique(strata[:n])) or not len(parts[0]):
            raise DataError(
                f"repeat {repeat} learns from the first {validated} rows in time, and they do not have every class; "
                f"fewer `repeats` than {repeats} give each a longer past"
            )
        for part, rows in zip(PARTS, parts, strict=True):
            found[part].append(rows)
    return {part: Ragged.of(map(np.sort, rows), np.int64) for part, rows in found.items()}


def split_in_blocks(
    n_rows: int, n_test: int, repeats: int, folds: int, test_fraction: float, validation_fraction: float
) -> dict[Part, Ragged]:
    """Split the windows of a stream into blocks that follow each other, as ascending row indices of each repeat.

    Neighbouring windows resemble each other, so folds are blocks, and a validation block follows the tested one; the
    last row is followed by the first. Later partitions have other borders. More repeats do not change the first ones.

    Args:
        n_rows: number of rows.
        n_test, repeats, folds, test_fraction, validation_fraction: as for `versus.data.splits.split`.

    Raises:
        DataError: if there are too few rows, or repeats is no whole number of partitions.
    """
    n = n_rows - n_test
    expect_whole_partitions(repeats, 1 if n_test else folds, n)
    if n < (2 if n_test else 3):
        raise DataError(f"{n} windows are too few to split; wants 3 or more: shorten them with `window:`")
    edges = np.linspace(0, n, folds + 1).round().astype(np.int64)
    found: dict[Part, list[Rows]] = {part: [] for part in PARTS}
    for repeat in range(repeats):
        block, fold = divmod(repeat, folds)
        first, stop = int(edges[fold]), int(edges[fold + 1])
        if n_test:
            stop = first  # no row to learn from is tested, and each repeat validates on another block
        elif repeats == 1:
            first, stop = n - max(1, min(round(n * test_fraction), n - 2)), n
        shift = int(n / folds * (block * _SHIFT % 1))
        size = max(1, min(round((n - stop + first) * validation_fraction), n - stop + first - 1))
        cuts = np.cumsum([first + shift, stop - first, size, n - stop + first - size])
        test, validation, train = (np.arange(*ends) % n for ends in pairwise(cuts))
        for part, rows in zip(PARTS, (train, validation, np.arange(n, n_rows) if n_test else test), strict=True):
            found[part].append(np.sort(rows))
    return {part: Ragged.of(rows, np.int64) for part, rows in found.items()}
