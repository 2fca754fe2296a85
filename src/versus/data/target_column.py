"""Target column: its task, its classes and their codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.columns import EXACT, LARGEST, Numbers, RawColumn, Words, as_numbers, as_words, in_order, is_number
from versus.data.errors import DataError, listed, unknown
from versus.data.table_specification import Labelled
from versus.data.targets import Classes, Number

Encoded = tuple[NDArray[Any], Classes | Number]


def encode_target(column: RawColumn, specification: Labelled, file: str, locate: Callable[[int], str]) -> Encoded:
    """Encode the target column; the task is regression if it holds numbers that are not all whole.

    Returns:
        y and its target: (N,) int64 class codes, -1 for a row to leave out; or float64 values.

    Raises:
        DataError: if a value is missing, there is only one class or value, or a value is not a finite number.
    """
    missing = np.flatnonzero(column.missing)
    if len(missing):
        raise DataError(
            f"{locate(int(missing[0]))}: the target {column.name!r} has no value here, and in {len(missing)} of "
            f"{len(column.missing)} rows in all; take these rows out of the file or fill them in"
        )
    if _is_number(column, specification):
        return _values(column, specification, locate)
    return _classes(column, specification, file)


def _is_number(column: RawColumn, specification: Labelled) -> bool:
    if specification.task is not None:
        return specification.task == Number.task
    fractions = isinstance(column, Numbers) and bool((column.values % 1 != 0).any())
    return fractions and not specification.label_map


def _values(column: RawColumn, specification: Labelled, locate: Callable[[int], str]) -> Encoded:
    if specification.label_map:
        raise DataError(f"target {column.name!r}: label_map names classes, and the task is regression")
    numbers = as_numbers(column)
    if numbers is None:
        row, word = first_word(column)
        raise DataError(f"{locate(row)}: the target {column.name!r} is {word!r}; for regression it must be a number")
    large = np.flatnonzero(np.abs(numbers.values) > LARGEST)
    if len(large):
        raise DataError(
            f"{locate(int(large[0]))}: the target {column.name!r} is {numbers.values[large[0]]:.3g}; wants numbers "
            f"up to {LARGEST:.0e}, whose squares double precision can sum"
        )
    if numbers.values.min() == numbers.values.max():
        raise DataError(f"{locate(0)}: the target {column.name!r} is {numbers.values[0]:g} in every row")
    return np.array(numbers.values), Number(column.name)


def rounded(y: NDArray[Any], target: Classes | Number) -> list[str]:
    """Return a warning where values to predict are whole numbers of more digits than double precision holds."""
    if isinstance(target, Classes) or (y % 1 != 0).any():
        return []
    largest = float(np.abs(y).max())
    if largest <= EXACT:
        return []
    return [
        f"the target {target.name!r} has whole numbers up to {largest:.3g}, which double precision rounds, here to "
        f"multiples of {np.spacing(largest):.0f}: beyond 2^53 = {EXACT:,} it tells no neighbours apart. If such "
        "differences matter, take a constant off in the file; if they are codes, say `task: classification`"
    ]


def first_word(column: RawColumn) -> tuple[int, str]:
    """Return (row, text) of the first value that is not a number."""
    assert isinstance(column, Words)
    texts = [code for code, word in enumerate(column.words) if not is_number(word)]
    row = int(np.argmax(np.isin(column.codes, texts)))
    return row, column.words[column.codes[row]]


def _classes(column: RawColumn, specification: Labelled, file: str) -> Encoded:
    found = as_words(column)
    stray = [label for label in specification.label_map if label not in found.words]
    if stray:
        raise DataError(f"{file}: label_map: {unknown('class', stray[0], found.words)}")
    names = [specification.label_map.get(word, word) for word in found.words]
    classes = in_order({name for name in names if name is not None})
    if len(classes) < 2:
        raise DataError(
            f"{file}: the target {column.name!r} has {listed(classes) or 'no class'} only; wants two classes or more"
        )
    place: dict[str | None, int] = {None: -1, **{name: k for k, name in enumerate(classes)}}
    codes = np.array([place[name] for name in names], np.int64)
    return codes[found.codes], Classes(tuple(classes), column.name)


def check_counts(y: NDArray[Any], target: Classes | Number, column: RawColumn, n_test: int, file: str) -> list[str]:
    """Check that each class has enough members for every part of a split to hold one; return warnings.

    Raises:
        DataError: if some have too few; the message names them.
    """
    if isinstance(target, Number):
        return []
    K = len(target.names)
    n_train = len(y) - n_test
    counts = np.bincount(y[:n_train] + 1, minlength=K + 1)[1:]  # the first counts the rows to leave out
    tested = np.bincount(y[n_train:] + 1, minlength=K + 1)[1:]
    strangers = [target.names[k] for k in np.flatnonzero((counts == 0) & (tested > 0))]
    if strangers:
        raise DataError(
            f"{file}: the class {listed(strangers)} of the target {column.name!r} stands in the test set only; the "
            f"others have {listed(target.names[k] for k in np.flatnonzero(counts))}. If they are the same under "
            "another spelling, say so with label_map"
        )
    needed, parts = (2, "training and validation") if n_test else (3, "training, validation and test")
    small = np.flatnonzero(counts < needed)
    if len(small):
        hint = "; if it is a quantity, say `task: regression`" if isinstance(column, Numbers) and K > 20 else ""
        members = ", ".join(f"{target.names[k]!r} has {counts[k]}" for k in small[:5])
        more = f" (and {len(small) - 5} more such classes)" if len(small) > 5 else ""
        raise DataError(
            f"{file}: a class of the target {column.name!r} needs at least {needed} members, one each for {parts}; "
            f"{members}{more}. With label_map classes can be merged, or left out by giving them null{hint}"
        )
    untested = [target.names[k] for k in np.flatnonzero(tested == 0)] if n_test else []
    return [f"the test set has no member of the class {listed(untested)}"] if untested else []
