"""Raw table of a file: columns of numbers and of words, before they get a role."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = ("?", "NA", "N/A", "NaN", "nan", "null")  # texts that mean "no value", beside the empty one
EXACT = 2**53  # whole numbers up to this one differ as doubles, too
LARGEST = 1e150  # number that squares and sums of squares of millions of rows can be made of
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Numbers:
    """Column of numbers, NaN for a missing value."""

    name: str
    values: NDArray[np.float64]  # (N,)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Mask (N,), True where the value is missing."""
        return np.isnan(self.values)


@dataclass(frozen=True)
class Words:
    """Column of texts: for each row an index into the distinct texts, -1 for a missing value."""

    name: str
    codes: NDArray[np.int64]  # (N,)
    words: tuple[str, ...]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Mask (N,), True where the value is missing."""
        return self.codes < 0


RawColumn = Numbers | Words


@dataclass(frozen=True)
class RawTable:
    """Columns of one or two files, the rows of the official test set last.

    Args:
        file: its name in messages.
        columns: columns of N values each.
        n_test: size of the official test set, the last of the N rows.
        locate: index of a row, from 0 -> its place for the reader, such as file and line.
        target: target column named by the source, if any.
        unused: columns that the source declares as not features.
        typed: True if the source declares the column types, so that they need not be guessed from the values.
        warnings: problems noticed while reading.
        about: facts given by the source: description, licence, citation.
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
    """Convert a whole text to a number; NaN if it is not one."""
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def is_number(text: str) -> bool:
    """Check that a text is a number."""
    return _NUMBER.fullmatch(text) is not None


def number_name(value: float) -> str:
    """Format a number as the name of a class or category: 3.0 as 3."""
    return str(int(value)) if value.is_integer() else repr(value)


def merged(words: Iterable[str]) -> bool:
    """Check for whole numbers so large that different ones are the same double: names of something, not quantities."""
    large = {word for word in words if re.fullmatch(r"[+-]?\d{16,}", word)}
    return len({float(word) for word in large}) < len(large)


def text_of(value: Any) -> str:
    """Format a value as `prepare` names it as a category: 3.0 as 3, True as true; nothing as the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, int | np.integer):
        return str(value)  # a double may not tell it from others
    if isinstance(value, float | np.number):
        return "" if math.isnan(value) else number_name(float(value))
    return str(value).strip()


def in_order(words: Iterable[str]) -> list[str]:
    """Sort names in their fixed order: by value if all are numbers, alphabetical otherwise."""
    found = list(words)
    if all(is_number(word) for word in found):
        return sorted(found, key=lambda word: (float(word), word))
    return sorted(found)


def as_words(column: RawColumn) -> Words:
    """Return the column with only the words that occur, in fixed order; numbers become their names."""
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
    """Return the column as numbers; None if one of its words is not a number."""
    if isinstance(column, Numbers):
        return column
    values = np.array([number(word) for word in column.words] + [math.nan])
    used = np.unique(column.codes[column.codes >= 0])
    if np.isnan(values[used]).any():
        return None
    return Numbers(column.name, values[column.codes])


def from_array(name: str, values: NDArray[Any]) -> RawColumn:
    """Convert an array of a file to a column: numbers as they are, texts and booleans as words.

    Raises:
        TypeError: if the array holds anything else.
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
