"""Checks of a prepared data set: each is a function that yields a `Finding` for every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data import leaks, oddities
from versus.data.errors import listed
from versus.data.findings import Finding, Findings
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.data.targets import Classes

_SHARE_OF_ROWS = 0.5  # more categories than this share of the rows look like names of the rows
_FEW_MEMBERS = 5  # with fewer members than this, equal numbers in a class are nothing unusual
_FEW_ROWS = 20  # with fewer rows than this, a column of different values is nothing unusual


def _columns(data: Prepared) -> Iterator[Finding]:
    """Find columns without information: constant ones, and names of the rows."""
    if not isinstance(data.schema.x, Table):
        return
    for column, values in zip(data.schema.x.columns, data.X.T, strict=True):
        known = values[~np.isnan(values)]
        if (known == known[:1]).all() and len(known) == len(values):
            value = column.categories[int(known[0])] if column.categories else f"{known[0] + 0.0:g}"  # -0 is 0
            yield Finding(
                "constant",
                f"column {column.name!r}",
                f"is {value!r} in all rows",
                "Nothing can be learnt from it",
                f"leave it out with `drop: [{column.name}]`",
            )
        elif _names_rows(known, column.categories):
            yield Finding(
                "identifier",
                f"column {column.name!r}",
                f"has {len(np.unique(known))} different values in {len(known)} rows",
                "A name of a row says nothing of new rows, but a model can learn it by heart",
                f"leave it out with `drop: [{column.name}]`",
            )


def _names_rows(known: NDArray[Any], categories: Sequence[str] | None) -> bool:
    """Check for categories of seldom more than one row, or for whole numbers that count the rows in any order."""
    n = len(known)
    if categories is not None:
        return len(categories) > max(_FEW_ROWS, _SHARE_OF_ROWS * n)
    if n <= _FEW_ROWS or (known[:_FEW_ROWS] % 1 != 0).any() or np.ptp(known) >= 2 * n:
        return False
    return bool((known % 1 == 0).all()) and len(np.unique(known)) == n


def _numbers(data: Prepared) -> Iterator[Finding]:
    """Find columns of numbers with a value of no width in a class."""
    if not isinstance(data.schema.x, Table) or not isinstance(data.schema.y, Classes):
        return
    order = np.argsort(data.y, kind="stable")
    sizes = np.bincount(data.y, minlength=data.schema.n_classes)
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]  # of the classes that have rows
    present, enough = np.flatnonzero(sizes), sizes[sizes > 0] >= _FEW_MEMBERS
    narrow: dict[str, list[str]] = {}
    for d, column in enumerate(data.schema.x.columns):  # one at a time: a table may be as large as the memory
        if column.categories is not None:
            continue
        values = np.asarray(data.X[:, d])[order]
        lows, highs = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        if np.fmax.reduce(highs) > np.fmin.reduce(lows):
            constant = present[enough & (lows == highs)]
            if len(constant):
                narrow[column.name] = [data.schema.classes[k] for k in constant]
    for name, labels in narrow.items():
        yield Finding(
            "constant-in-class",
            f"column {name!r}",
            f"has one value in all rows of the class {listed(labels, 5)}",
            "A density of such numbers is as high as its narrowest width allows, and says little of new rows",
            f"if its values are codes, say `categorical: [{name}]`",
        )


def _imbalance(data: Prepared) -> Iterator[Finding]:
    if isinstance(data.schema.y, Classes) and (rare := data.schema.y.rare(data.y)) is not None:
        counts = np.bincount(data.y, minlength=data.schema.n_classes)
        usual = int(counts.argmax())
        yield Finding(
            "imbalance",
            f"class {data.schema.classes[rare]!r}",
            f"has {counts[rare]} of {len(data.y)} rows; always to answer {data.schema.classes[usual]!r} is right in "
            f"{counts[usual] / len(data.y):.1%}",
            "Accuracy hardly tells a model that finds the class from one that never does",
            f"compare by another score, `comparison: {{primary: {{{data.about['name']}: balanced_accuracy_score}}}}`; "
            "models can weigh the classes alike (`class_weight: balanced`, or `prior: uniform` of generative ones)",
        )


def _weights(data: Prepared) -> Iterator[Finding]:
    if data.weights is not None:
        worth = data.weights.sum() ** 2 / (data.weights**2).sum()
        yield Finding(
            "weights",
            "rows",
            f"weigh from {data.weights.min():.3g} to {data.weights.max():.3g} times their mean; {len(data.y)} of them "
            f"are worth as much as {worth:.0f} that count alike (Kish)",
            "Intervals are wider by that, and a model whose `fit` takes no weights learns as if all rows counted alike",
            "prefer models that take weights, if the weights matter",
        )


Check = Callable[[Prepared], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (
    leaks.determined,
    leaks.copies,
    _columns,
    oddities.equal_columns,
    oddities.placeholders,
    oddities.time_stamps,
    oddities.summary_rows,
    _numbers,
    _imbalance,
    _weights,
)


def examine(data: Prepared, mute: Sequence[str] = ()) -> Findings:
    """Run all checks; findings with a code in ``mute`` are not shown."""
    found = [finding for check in CHECKS for finding in check(data)]
    hidden = dict.fromkeys(finding.code for finding in found if finding.code in mute)
    return Findings(tuple(finding for finding in found if finding.code not in mute), tuple(hidden))
