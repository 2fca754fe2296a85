"""A guess at how the numbers of a table are written, where columns are no plain numbers and yet hold digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from versus.data.columns import RawColumn, Words
from versus.data.notation import PLAIN, Notation

_WITHOUT_DIGITS = 0.1  # up to this share of the values may be words for "missing"
_POINT = ((".", None), (".", ","), (".", " "), (".", "'"))
_COMMA = ((",", None), (",", "."), (",", " "), (",", "'"))
_CURRENCIES = ("CHF", "EUR", "GBP", "JPY", "USD")
_AFFIXES = re.compile(r"[+-]?\s*(?P<before>[^\d\s.,+-]*)\s*[+-]?[\d.,].*?(?P<behind>[^\d\s.,']*)")


def guess(columns: Iterable[RawColumn], delimiter: str, decimal: str | None) -> tuple[Notation, list[str]]:
    """The notation that reads most columns, and what is said of each.

    Args:
        columns: of the table; those that are numbers already stay as they are.
        delimiter: of the file; a semicolon is used where commas stand before decimals.
        decimal: what stands before decimals, if the user says.
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
                f"{column.name!r} is read as numbers, {as_written!r} as {value:.12g}; `decimal`, `thousands` "
                f"and `symbols` say so; if it is a code, say `categorical: [{column.name}]`"
            )
    if not notes:
        return Notation(decimal or "."), []
    return Notation(best.decimal, best.thousands, tuple(symbol for symbol in symbols if symbol in used)), notes


def is_quantity(word: str) -> bool:
    """Check that a text begins as a number or an amount does."""
    return re.match(r"\W*\d", word) is not None


def _figures(column: RawColumn) -> Words | None:
    """The values of a column of words that hold digits; None where many do not."""
    if not isinstance(column, Words):
        return None
    digits = np.array([*(re.search(r"\d", word) is not None for word in column.words), False])
    present, written = (column.codes >= 0).sum(), digits[column.codes].sum()
    if not written or written < (1 - _WITHOUT_DIGITS) * present:
        return None
    place = np.where(digits, np.cumsum(digits) - 1, -1)
    return Words(column.name, place[column.codes], tuple(np.array(column.words, object)[digits[:-1]].tolist()))


def _symbol(column: Words) -> Iterator[str]:
    """What stands beside every number of a column: a currency before it, anything short behind it."""
    found = [_AFFIXES.fullmatch(word) for word in column.words]
    before, behind = ({m[side] if m else "" for m in found} for side in ("before", "behind"))
    if len(before) == 1 and behind == {""}:
        yield from (word for word in before if word and _is_currency(word))
    elif len(behind) == 1 and before == {""}:
        yield from (word for word in behind if word and len(word) <= 6)


def _is_currency(word: str) -> bool:
    return word in _CURRENCIES or any(unicodedata.category(letter) == "Sc" for letter in word)


def _telling(column: Words) -> str | None:
    """The first value that is not written plainly."""
    return next((word for word in column.words if not PLAIN.is_number(word)), None)
