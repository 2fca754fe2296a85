"""Guess of a table's number notation, for columns that hold digits but no plain numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from versus.data.columns import RawColumn, Words, number
from versus.data.notation import PLAIN, Notation, is_bracketed

_WITHOUT_DIGITS = 0.1  # up to this share of the values may be words for "missing"
_POINT = ((".", None), (".", ","), (".", " "), (".", "'"))
_COMMA = ((",", None), (",", "."), (",", " "), (",", "'"))
_CURRENCIES = ("CHF", "EUR", "GBP", "JPY", "USD")
_AFFIXES = re.compile(r"[+-]?\s*(?P<before>[^\d\s.,+-]*)\s*[+-]?[\d.,].*?(?P<behind>[^\d\s.,']*)")


def guess(columns: Iterable[RawColumn], delimiter: str, decimal: str | None) -> tuple[Notation, list[str]]:
    """Guess the notation that reads most columns, with a note on each.

    Args:
        columns: columns of the table; those that are already numbers stay as they are.
        delimiter: delimiter of the file; a semicolon suggests decimal commas.
        decimal: the decimal separator, if the user gives it.
    """
    candidates = [pair for pairs in zip(_POINT, _COMMA, strict=True) for pair in pairs]
    if delimiter != ";":  # there, 1,234 is more than a thousand; where it has fewer decimals or more, it is not
        candidates = [*_POINT, *_COMMA]
    allowed = [pair for pair in candidates if decimal in (None, pair[0])]
    undecided = [figures for column in columns if (figures := _figures(column)) is not None]
    symbols = tuple(sorted({symbol for column in undecided for symbol in _symbol(column)}))
    tried = [Notation(*pair, symbols) for pair in allowed]
    best = max(tried, key=lambda notation: sum(notation.read(column) is not None for column in undecided))
    notes, used = [], set()
    for column in undecided:
        if best.read(column) is not None and (as_written := _telling(column)) is not None:
            value, symbol = best.parse(as_written) or (0.0, "")
            used.add(symbol)
            notes.append(
                f"{column.name!r} is read as numbers, {as_written!r} as {value:.12g}{_so(column, best)}; `decimal`, "
                f"`thousands` and `symbols` say so; if it is a code, say `categorical: [{column.name}]`"
            )
    if not notes:
        return Notation(decimal or "."), []
    return Notation(best.decimal, best.thousands, tuple(symbol for symbol in symbols if symbol in used)), notes


def _so(column: Words, notation: Notation) -> str:
    """Name a value that means another number in plain notation; empty if there is none."""
    for word in column.words:
        parsed = notation.parse(word)
        if PLAIN.is_number(word) and parsed is not None and parsed[0] != number(word):
            return f", and so {word!r} as {parsed[0]:.12g}, not {number(word):.12g}"
    return ""


def is_quantity(word: str) -> bool:
    """Check that a text begins like a number or an amount."""
    return re.match(r"\W*\d", word) is not None


def _figures(column: RawColumn) -> Words | None:
    """Return the values with digits in a column of words; None if many have no digits."""
    if not isinstance(column, Words):
        return None
    digits = np.array([*(re.search(r"\d", word) is not None for word in column.words), False])
    present, written = (column.codes >= 0).sum(), digits[column.codes].sum()
    if not written or written < (1 - _WITHOUT_DIGITS) * present:
        return None
    place = np.where(digits, np.cumsum(digits) - 1, -1)
    return Words(column.name, place[column.codes], tuple(np.array(column.words, object)[digits[:-1]].tolist()))


def _symbol(column: Words) -> Iterator[str]:
    """Yield the symbol beside every number of a column: a currency before it, or any short text after it."""
    found = [_AFFIXES.fullmatch(word[1:-1] if is_bracketed(word) else word) for word in column.words]
    before, behind = ({m[side] if m else "" for m in found} for side in ("before", "behind"))
    if len(before) == 1 and behind == {""}:
        yield from (word for word in before if word and _is_currency(word))
    elif len(behind) == 1 and before == {""}:
        yield from (word for word in behind if word and len(word) <= 6)


def _is_currency(word: str) -> bool:
    return word in _CURRENCIES or any(unicodedata.category(letter) == "Sc" for letter in word)


def _telling(column: Words) -> str | None:
    """Find the first value that is not in plain notation."""
    return next((word for word in column.words if not PLAIN.is_number(word)), None)
