"""Leaks: equal rows and groups in two parts, and columns that are made from the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.findings import Finding
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.data.units import equal_rows, repeats_by_nature

# A column is suspected if it determines this share of the target (`determination`). The width of an iris' petals
# reaches 0.9, a copy of two classes with one error in a hundred rows 0.96; one that has as few values as the target has
# classes is a copy of it rather than a good sign of it.
NEARLY_ALL, NEARLY_A_COPY, NEARLY_ALL_OF_A_NUMBER = 0.95, 0.85, 0.999
MOST_ROWS = 20_000  # that `determination` is estimated from
FEWEST_ROWS = 30  # below which a column among many determines the target by chance


def copies(data: Prepared) -> Iterator[Finding]:
    """Find equal rows: how many, in which parts, with which targets; and groups that an official test set shares."""
    if data.units is None:
        return
    rows = equal_rows(data.X)
    n, different = len(rows), int(rows.max()) + 1
    shared = _shared(data, rows)
    kept = "; equal rows are kept in one part" if not shared else ""
    if different < n and not repeats_by_nature(data.X, rows):
        yield Finding(
            "duplicates",
            "rows",
            f"{n - different} of {n} repeat another row{kept}",
            "Copies are no evidence of their own, and in training and test data at once they would be a leak",
            "keep one of each, if they are copies by mistake",
        )
        if shared:
            official = bool(data.about.get("official_test"))
            yield Finding(
                "leak-test-rows" if official else "leak-duplicates",
                "test rows",
                f"{shared} of {data.sizes('test')[0]} are equal to a row that models learn from",
                "A model that remembers rows is scored as if it understood them",
                "take them out of the test file" if official else "keep one of each set of equal rows",
            )
        first = np.unique(rows, return_index=True)[1]
        if isinstance(data.y, np.ndarray) and (differ := data.y != data.y[first][rows]).any():
            yield Finding(
                "duplicates-disagree",
                f"target {data.schema.target!r}",
                f"differs within {len(np.unique(rows[differ]))} sets of equal rows",
                "No model can be right on all of them",
                "look for a column that is missing, or for wrong targets",
            )
    if _shared(data, data.units) > shared:
        yield Finding(
            "leak-groups",
            "test rows",
            f"{_shared(data, data.units)} of {data.sizes('test')[0]} are of groups that models learn from",
            "Rows of one group resemble each other, so the scores are too good for new groups",
            "give a test file of other groups, or none: then the groups are split",
        )


def _shared(data: Prepared, units: NDArray[np.int64]) -> int:
    """Count the test rows, at most in one repeat, that share a unit with a row to learn from."""
    parts = ((data.rows(r, "test"), data.rows(r, "train", "validation")) for r in range(data.repeats))
    return max(int(np.isin(units[test], units[train]).sum()) for test, train in parts)


def determined(data: Prepared) -> Iterator[Finding]:
    """Find columns that alone determine the target, or nearly."""
    y, K = data.y, data.schema.n_classes
    if not isinstance(data.schema.x, Table) or not isinstance(y, np.ndarray) or len(y) < FEWEST_ROWS:
        return
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(y))[:MOST_ROWS])
    y, chance = y[rows], rng.random(len(rows))
    for d, column in enumerate(data.schema.x.columns):
        values = np.asarray(data.X[rows, d])
        missing = np.isnan(values)
        for what, given in (("", values), ("a missing value of ", missing.astype(float))):
            if what and not 0 < missing.sum() < len(missing):
                continue
            near = NEARLY_A_COPY if K and len(np.unique(given)) <= K else NEARLY_ALL
            if (share := determination(given, y, K, chance)) >= (near if K else NEARLY_ALL_OF_A_NUMBER):
                yield Finding(
                    "leak-target",
                    f"column {column.name!r}",
                    f"{what}it alone determines {100 * min(share, 1):.4g} % of the target {data.schema.target!r}",
                    "A column that is known only with the target, or made from it, makes every score worthless",
                    f"if it is not known before the target, leave it out with `drop: [{column.name}]`; else mute this",
                )
                break


def determination(x: NDArray[Any], y: NDArray[Any], n_classes: int, chance: NDArray[Any]) -> float:
    """Estimate the share of the spread of y that x alone determines, by any function: 1 where y follows from x.

    Rows that are neighbours in the order of x are compared in y, which takes no model: 1 minus the mean difference of
    neighbours over that of any two rows. For classes a difference is 0 or 1, and the K - 1 that every order has are
    free (Goodman and Kruskal's tau, 1954); for numbers it is the squared difference of ranks (von Neumann's ratio,
    1941; compare Chatterjee, "A new coefficient of correlation", JASA 116, 2021).

    Args:
        x: (N,) column, NaN where missing, which is a value like others.
        y: (N,) class codes, or numbers.
        n_classes: K, or 0 for numbers.
        chance: (N,) random numbers: the order of rows with equal x, for that of the file may be that of y.
    """
    ordered = y[np.lexsort((chance, x))]
    if n_classes:
        changes = max(int((np.diff(ordered) != 0).sum()) - (n_classes - 1), 0)
        spread = 1 - ((np.bincount(y) / len(y)) ** 2).sum()
        return float(1 - changes / (len(y) - 1) / spread) if spread else 0.0
    ranks = np.unique(ordered, return_inverse=True)[1]
    spread = 2 * float(ranks.var())
    return float(1 - (np.diff(ranks) ** 2).mean() / spread) if spread else 0.0
