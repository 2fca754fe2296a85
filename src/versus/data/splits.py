"""Splits shared by all models of a data set: made once, by class and by group.

What is drawn is a unit: a row, or several rows that stay together (`versus.data.units`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Ragged
from versus.data.errors import DataError
from versus.data.prepared import PARTS, Part

Rows = NDArray[np.int64]
MOST_DRAWS = 100  # until every class is among the rows to learn from
_NO_CLASSES = (
    "the {} groups cannot be split so that each class is among the rows to learn from; wants every class in three "
    "groups or more"
)


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
    folds: int,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    units: NDArray[np.int64] | None = None,
) -> dict[Part, Ragged]:
    """Split rows into train, validation and test: ascending row indices of each repeat.

    Repeat ``folds * b + k`` tests fold k of partition b, so that every row is tested once in each block of ``folds``
    repeats. With an official test set all repeats have these test rows, and a single repeat draws its own. Every class
    has a member in each part where units of several classes or fewer members than folds do not prevent it; the rows to
    learn from have all of them. More repeats do not change the first ones.

    Args:
        strata: (N,) class codes; zeros for a regression, whose rows are drawn from one stratum.
        n_test: size of the official test set, the last rows; 0 if there is none.
        repeats: number of splits; without an official test set a multiple of ``folds``, or 1.
        folds: parts of a partition.
        test_fraction: share of the rows in the test part of a single repeat.
        validation_fraction: share of the other rows in the validation part.
        seed: seed of all randomness.
        units: (N,) unit of each row; the rows of a unit are in one part. Each row is its own by default.

    Raises:
        DataError: if there are too few rows or units, or repeats is no whole number of partitions.
    """
    n = len(strata) - n_test
    owners = np.arange(n) if units is None else np.unique(units[:n], return_inverse=True)[1]
    sizes = np.bincount(owners)
    few = "rows are" if units is None else f"groups, of {n} rows, are"
    if len(sizes) < (2 if n_test else 3):
        raise DataError(f"{len(sizes)} {few} too few to split into training, validation and test; wants 3 or more")
    kinds = strata[:n] if units is None else _majority(owners, strata[:n])
    expect_whole_partitions(repeats, 1 if n_test else folds, len(sizes))

    def has_all_classes(rows: Rows) -> bool:
        return units is None or len(np.unique(strata[rows])) == len(np.unique(strata[:n]))

    def tested(repeat: int) -> Rows:
        block, fold = divmod(repeat, folds)
        for attempt in range(MOST_DRAWS):
            rng = np.random.default_rng([seed, block, attempt])
            if repeats == 1:
                return draw(kinds, round(n * test_fraction), 1, 2, rng, sizes)
            of = _partition(kinds, sizes, folds, rng)
            if all(has_all_classes(np.flatnonzero(of[owners] != k)) for k in range(folds)):
                return np.flatnonzero(of == fold)
        raise DataError(_NO_CLASSES.format(len(sizes)))

    found: dict[Part, list[Rows]] = {part: [] for part in PARTS}
    for repeat in range(repeats):
        test = np.zeros(0, np.int64) if n_test else tested(repeat)
        rest = np.setdiff1d(np.arange(len(sizes)), test, assume_unique=True)
        size = round(int(sizes[rest].sum()) * validation_fraction)
        for attempt in range(MOST_DRAWS):
            rng = np.random.default_rng([seed, repeat, attempt, 1])
            validation = rest[draw(kinds[rest], size, 1, 1, rng, sizes[rest])]
            train = np.setdiff1d(rest, validation, assume_unique=True)
            parts = [np.flatnonzero(np.isin(owners, part)) for part in (train, validation, test)]
            if has_all_classes(parts[0]):
                break
        else:
            raise DataError(_NO_CLASSES.format(len(sizes)))
        parts[2] = np.arange(n, len(strata)) if n_test else parts[2]
        for part, rows in zip(PARTS, parts, strict=True):
            found[part].append(rows)
    return {part: Ragged.of(rows, np.int64) for part, rows in found.items()}


def split_draws(
    strata: NDArray[np.int64], n_test: int, draws: int, validation_fraction: float, seed: int
) -> dict[Part, Ragged]:
    """Split rows that consist of independent draws, of which the last ``n_test`` rows are tested: a repeat for each."""
    size = len(strata) // draws
    parts: dict[Part, list[Rows]] = {part: [] for part in PARTS}
    for repeat in range(draws):
        start = repeat * size
        inside = split(strata[start : start + size], n_test, 1, 2, 0.5, validation_fraction, seed + repeat)
        for part in PARTS:
            parts[part].append(inside[part][0] + start)
    return {part: Ragged.of(rows, np.int64) for part, rows in parts.items()}


def expect_whole_partitions(repeats: int, folds: int, units: int) -> None:
    """Raise DataError unless the repeats are whole partitions of the units into folds, or one."""
    if repeats > 1 and repeats % folds:
        whole = folds * -(-repeats // folds)
        raise DataError(
            f"repeats: {repeats} is no whole number of partitions into folds: {folds}; accepted are 1 (one test part "
            f"drawn by test_fraction), {folds}, {2 * folds} …; here `repeats: {whole}` or `folds: {repeats}`"
        )
    if repeats > 1 and units < folds:
        raise DataError(f"{units} rows or groups cannot be split into folds: {folds}; give fewer folds")


def _partition(kinds: NDArray[np.int64], sizes: NDArray[np.int64], folds: int, rng: np.random.Generator) -> Rows:
    """Assign units to folds at random, each class as evenly as all rows: (U,) -> (U,), 0 … folds - 1."""
    order = rng.permutation(len(kinds))
    order = order[np.lexsort([-sizes[order], kinds[order]])]
    of = np.empty(len(kinds), dtype=np.int64)
    if (sizes == 1).all():
        of[order] = np.arange(len(kinds)) % folds
        return of
    rows, kind = np.zeros((2, folds), np.int64), -1  # of this class, and in all
    for unit in order:  # the largest first, each to the fold with the fewest rows of its class
        if kinds[unit] != kind:
            kind, rows[0] = kinds[unit], 0
        of[unit] = np.lexsort(rows[::-1])[0]
        rows[:, of[unit]] += sizes[unit]
    return of


def _majority(owners: Rows, strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Most frequent stratum of the rows of each unit, (U,)."""
    K = int(strata.max()) + 1
    pairs, counts = np.unique(owners * K + strata, return_counts=True)
    by_count = np.argsort(counts, kind="stable")
    found = np.zeros(int(owners.max()) + 1, np.int64)
    found[pairs[by_count] // K] = pairs[by_count] % K  # the last, largest count of a unit stays
    return found
