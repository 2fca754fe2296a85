"""A table as its file holds it: columns of numbers and of words, before it is known what they are for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = ("?", "NA", "N/A", "NaN", "nan", "null")  # texts that mean "no value", beside the empty one
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, NaN where the value is missing."""

    name: str
    values: NDArray[np.float64]  # (N,)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where no value is known, (N,)."""
        return np.isnan(self.values)


@dataclass(frozen=True)
class Words:
    """A column of texts: for each row an index into the distinct ones, -1 where the value is missing."""

    name: str
    codes: NDArray[np.int64]  # (N,)
    words: tuple[str, ...]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where no value is known, (N,)."""
        return self.codes < 0


RawColumn = Numbers | Words


@dataclass(frozen=True)
class RawTable:
    """The columns of one or two files, the rows of the official test set last.

    Args:
        file: what messages call it.
        columns: the columns, of N values each.
        n_test: how many of the N rows, the last ones, are the official test set.
        locate: row, counted from 0 -> where a person finds it.
        target: the target column that the source itself names, if it does.
        unused: columns that the source itself says are not features.
        typed: whether the source declares the types of its columns, so that they need not be guessed from the values.
        warnings: what was noticed on the way.
        about: what the source itself says: description, licence, citation.
    """

    file: str
    columns: Sequence[RawColumn]
    n_test: int = 0
    locate: Callable[[int], str] = field(default=lambda row: f"row {row + 1}")
    target: str | None = None
    unused: Sequence[str] = ()
    typed: bool = False
    warnings: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


def number(text: str) -> float:
    """The number that a text spells in full; NaN where it spells none."""
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def is_number(text: str) -> bool:
    """Whether a text spells a number."""
    return _NUMBER.fullmatch(text) is not None


def number_name(value: float) -> str:
    """How a number is written as the name of a class or category: 3.0 as 3."""
    return str(int(value)) if value.is_integer() else repr(value)


def in_order(words: Iterable[str]) -> list[str]:
    """Names in their lasting order: by value where all are numbers, alphabetical otherwise."""
    found = list(words)
    if all(is_number(word) for word in found):
        return sorted(found, key=lambda word: (float(word), word))
    return sorted(found)


def as_words(column: RawColumn) -> Words:
    """The column with its words in their lasting order and only those that occur; numbers become their names."""
    if isinstance(column, Words):
        used = np.unique(column.codes[column.codes >= 0])
        kept = [column.words[code] for code in used]
        order = in_order(kept)
        place = {word: code for code, word in enumerate(order)}
        table = np.full(len(column.words) + 1, -1)  # the last entry answers for -1, the missing
        table[used] = [place[word] for word in kept]
        return Words(column.name, table[column.codes], tuple(order))
    values, inverse = np.unique(column.values, return_inverse=True)
    present = len(values) - int(np.isnan(values).any())  # NaN sorts last and is counted once
    codes = np.where(inverse < present, inverse, -1)
    return Words(column.name, codes, tuple(number_name(float(value)) for value in values[:present]))


def as_numbers(column: RawColumn) -> Numbers | None:
    """The column as numbers; None where one of its words is not a number."""
    if isinstance(column, Numbers):
        return column
    values = np.array([number(word) for word in column.words] + [math.nan])
    used = np.unique(column.codes[column.codes >= 0])
    if np.isnan(values[used]).any():
        return None
    return Numbers(column.name, values[column.codes])


def from_array(name: str, values: NDArray[Any]) -> RawColumn:
    """A column of an array file: numbers as they are, texts and truth values as words.

    Raises:
        TypeError: for an array of anything else.
    """
    if values.dtype.kind == "b":
        return Words(name, values.astype(np.int64), ("false", "true"))
    if values.dtype.kind in "iuf":
        return Numbers(name, values.astype(np.float64, copy=False))
    if values.dtype.kind in "US":
        found, codes = np.unique(values, return_inverse=True)
        words = [word.decode("utf-8") if isinstance(word, bytes) else str(word) for word in found.tolist()]
        return Words(name, codes.astype(np.int64), tuple(words))
    raise TypeError(f"type {values.dtype}, which is neither numbers nor texts")
