"""Splits shared by all models of a data set: made once, by class and by group, or in the order of time.

What is drawn is a unit: a row, or several rows that stay together (`versus.data.units`). Every repeat tests the same
number of rows; where the other parts differ in size between repeats, shorter ones end in `PAD`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from versus.data.errors import DataError
from versus.data.prepared import PAD, PARTS, Part

Rows = NDArray[np.int64]
MOST_DRAWS = 100  # until every class is among the rows to learn from


def allocate(counts: NDArray[np.int64], total: int, least: int, reserve: int) -> NDArray[np.int64]:
    """Allocate the ``total`` rows of a part to the classes.

    In proportion, by largest remainders, but at least ``least`` of each class, and with ``reserve`` left over.

    Args:
        counts: (K,) members of each class.
        total: size of the part; clipped to the range that the two bounds allow.
        least: members of each class that the part must get, if ``reserve`` allows it.
        reserve: members of each class that must be left over.

    Returns:
        (K,) counts that sum to the size of the part.
    """
    high = np.maximum(counts - reserve, 0)
    low = np.minimum(least, high)
    total = int(np.clip(total, low.sum(), high.sum()))
    exact = counts * (total / counts.sum())
    quota: NDArray[np.int64] = np.clip(np.floor(exact).astype(np.int64), low, high)
    while quota.sum() < total:
        quota[np.argmax(np.where(quota < high, exact - quota, -np.inf))] += 1
    while quota.sum() > total:
        quota[np.argmax(np.where(quota > low, quota - exact, -np.inf))] -= 1
    return quota


def draw(
    strata: NDArray[np.int64],
    total: int,
    least: int,
    reserve: int,
    rng: np.random.Generator,
    sizes: NDArray[np.int64] | None = None,
) -> Rows:
    """Draw units of ``total`` rows without replacement within each stratum (see `allocate`).

    Units that do not fit any more are passed over, so that units of several rows may leave a part somewhat too small.

    Args:
        strata: (U,) stratum of each unit.
        total, least, reserve: as for `allocate`; the last two count units.
        rng: source of chance.
        sizes: (U,) rows of each unit; one each by default.

    Returns:
        Indices of the drawn units, ascending.
    """
    sizes = np.ones(len(strata), np.int64) if sizes is None else sizes
    quota = allocate(np.bincount(strata, weights=sizes).astype(np.int64), total, least, reserve)
    chosen = []
    for k, rows in enumerate(quota):
        drawn = rng.permutation(np.flatnonzero(strata == k))
        chosen.append(drawn[_fitting(sizes[drawn], int(rows), least, max(len(drawn) - reserve, 0))])
    return np.sort(np.concatenate(chosen))


def _fitting(sizes: NDArray[np.int64], rows: int, least: int, most: int) -> list[int]:
    """Choose units, in their order, that have ``rows`` rows together, or nearly; ``least`` to ``most`` of them."""
    first = min(int(np.searchsorted(np.cumsum(sizes), rows, side="right")), most)
    chosen, left = list(range(first)), rows - int(sizes[:first].sum())
    for i in range(first, len(sizes)):
        if left <= 0 or len(chosen) == most:
            break
        # One unit too many is better than one too few where that is closer, or where there is none yet.
        if sizes[i] <= left or sizes[i] - left < left or (len(chosen) < least and i == len(sizes) - 1):
            chosen.append(i)
            left -= int(sizes[i])
    return chosen


def split(
    strata: NDArray[np.int64],
    n_test: int,
    repeats: int,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    units: NDArray[np.int64] | None = None,
) -> dict[Part, Rows]:
    """Split rows into train, validation and test: row indices, (repeats, n) each, ascending.

    Every class has a member in each part, except in an official test set, which is used as given, and where units of
    several classes do not allow it; the training part has all of them. Repeat r depends on ``seed`` and r alone, so
    more repeats do not change the first ones.

    Args:
        strata: (N,) class codes; zeros for a regression, whose rows are drawn from one stratum.
        n_test: size of the official test set, the last rows; 0 if there is none.
        repeats: number of splits.
        test_fraction: share of the rows in the test part; ignored if ``n_test`` is given.
        validation_fraction: share of the other rows in the validation part.
        seed: seed of all randomness.
        units: (N,) unit of each row; the rows of a unit are in one part. Each row is its own by default.

    Raises:
        DataError: if there are too few rows or units for three parts.
    """
    n = len(strata) - n_test
    owners = np.arange(n) if units is None else np.unique(units[:n], return_inverse=True)[1]
    sizes = np.bincount(owners)
    few = "rows are" if units is None else f"groups, of {n} rows, are"
    if len(sizes) < (2 if n_test else 3):
        raise DataError(f"{len(sizes)} {few} too few to split into training, validation and test; wants 3 or more")
    kinds = strata[:n] if units is None else _majority(owners, strata[:n])
    found: dict[Part, list[Rows]] = {part: [] for part in PARTS}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        for _ in range(MOST_DRAWS):
            test = np.zeros(0, np.int64) if n_test else draw(kinds, round(n * test_fraction), 1, 2, rng, sizes)
            rest = np.setdiff1d(np.arange(len(sizes)), test, assume_unique=True)
            size = round(int(sizes[rest].sum()) * validation_fraction)
            validation = rest[draw(kinds[rest], size, 1, 1, rng, sizes[rest])]
            train = np.setdiff1d(rest, validation, assume_unique=True)
            parts = [np.flatnonzero(np.isin(owners, part)) for part in (train, validation, test)]
            if units is None or len(np.unique(strata[parts[0]])) == len(np.unique(strata[:n])):
                break
        else:
            raise DataError(
                f"the {len(sizes)} groups cannot be split so that each class is among the rows to learn from; wants "
                "every class in three groups or more"
            )
        parts[2] = np.arange(n, len(strata)) if n_test else rng.permutation(parts[2])
        for part, rows in zip(PARTS, parts, strict=True):
            found[part].append(rows)
    return _stacked(found)


def split_in_time(
    times: NDArray[np.float64],
    strata: NDArray[np.int64],
    n_test: int,
    repeats: int,
    test_fraction: float,
    validation_fraction: float,
) -> dict[Part, Rows]:
    """Split rows in the order of time, as (repeats, n) row indices: training before validation before test.

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
    return _stacked(found)


def _majority(owners: Rows, strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Most frequent stratum of the rows of each unit, (U,)."""
    K = int(strata.max()) + 1
    pairs, counts = np.unique(owners * K + strata, return_counts=True)
    by_count = np.argsort(counts, kind="stable")
    found = np.zeros(int(owners.max()) + 1, np.int64)
    found[pairs[by_count] // K] = pairs[by_count] % K  # the last, largest count of a unit stays
    return found


def _stacked(found: dict[Part, list[Rows]]) -> dict[Part, Rows]:
    """Stack the rows of all repeats, ascending: test parts cut to the smallest, the others filled up with `PAD`."""
    n_test = min(map(len, found["test"]))
    tested = np.stack([np.sort(rows[:n_test]) for rows in found["test"]]).astype(np.int64)
    return {"train": _padded(found["train"]), "validation": _padded(found["validation"]), "test": tested}


def _padded(parts: Sequence[Rows]) -> Rows:
    padded = np.full((len(parts), max(map(len, parts))), PAD, np.int64)
    for line, rows in zip(padded, parts, strict=True):
        line[: len(rows)] = np.sort(rows)
    return padded
