"""Splits shared by all models of a data set: made once, seeded, by class, with equal sizes in every repeat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from versus.data.errors import DataError
from versus.data.prepared import Part

Rows = NDArray[np.int64]


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


def draw(strata: NDArray[np.int64], total: int, least: int, reserve: int, rng: np.random.Generator) -> Rows:
    """Draw the indices of ``total`` rows without replacement within each stratum (see `allocate`); ascending."""
    counts = np.bincount(strata)
    quota = allocate(counts, total, least, reserve)
    chosen = [rng.permutation(np.flatnonzero(strata == k))[: quota[k]] for k in range(len(counts))]
    return np.sort(np.concatenate(chosen))


def split(
    strata: NDArray[np.int64],
    n_test: int,
    repeats: int,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
) -> dict[Part, Rows]:
    """Split rows into train, validation and test: row indices, (repeats, n) each, ascending.

    Every class has a member in each part, except in an official test set, which is used as given. Repeat r depends
    on ``seed`` and r alone, so more repeats do not change the first ones.

    Args:
        strata: (N,) class codes; zeros for a regression, whose rows are drawn from one stratum.
        n_test: size of the official test set, the last rows; 0 if there is none.
        repeats: number of splits.
        test_fraction: share of the rows in the test part; ignored if ``n_test`` is given.
        validation_fraction: share of the other rows in the validation part.
        seed: seed of all randomness.

    Raises:
        DataError: if there are too few rows for three parts.
    """
    own = strata[: len(strata) - n_test]
    if len(own) < (2 if n_test else 3):
        raise DataError(f"{len(own)} rows are too few to split into training, validation and test; wants 3 or more")
    parts: dict[Part, list[Rows]] = {"train": [], "validation": [], "test": []}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        if n_test:
            test, rest = np.arange(len(own), len(strata)), np.arange(len(own))
        else:
            test = draw(own, round(len(own) * test_fraction), 1, 2, rng)
            rest = np.setdiff1d(np.arange(len(own)), test, assume_unique=True)
        validation = rest[draw(own[rest], round(len(rest) * validation_fraction), 1, 1, rng)]
        parts["test"].append(test)
        parts["validation"].append(validation)
        parts["train"].append(np.setdiff1d(rest, validation, assume_unique=True))
    return {part: np.stack(rows).astype(np.int64) for part, rows in parts.items()}
