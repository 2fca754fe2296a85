"""Number notations besides the plain one: decimal commas, grouped thousands, a symbol beside the number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from versus.data.columns import Numbers, Words, is_number

_ALIKE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'", "\u2212": "-"})


@dataclass(frozen=True)
class Notation:
    """Number notation of a file.

    Args:
        decimal: the decimal separator.
        thousands: the separator between groups of three digits, or None.
        symbols: symbols allowed before or after a number: "%", "€", "kg". A column uses one of them throughout.
    """

    decimal: str = "."
    thousands: str | None = None
    symbols: tuple[str, ...] = ()

    def parse(self, text: str) -> tuple[float, str] | None:
        """Return the number in a text and the symbol beside it; None if the text is not a number.

        Accountants put negative numbers in brackets; Fortran writes D for E.
        """
        text = text.translate(_ALIKE)
        bracketed = is_bracketed(text)
        found = _pattern(self).fullmatch(text[1:-1].strip() if bracketed else text)
        if found is None or (bracketed and (found["sign"] or found["inner"])):
            return None
        whole = (found["whole"] or "0").replace(self.thousands or " ", "")
        sign = "-" if bracketed else found["sign"] or found["inner"]
        exponent = (found["exponent"] or "").replace("D", "E").replace("d", "e")
        value = float(f"{sign}{whole}.{found['decimals'] or '0'}{exponent}")
        return value, found["before"] or found["behind"] or ""

    def is_number(self, text: str) -> bool:
        """Check that a text is a number, in plain notation or in this one."""
        return is_number(text) or self.parse(text) is not None

    def read(self, column: Words) -> Numbers | None:
        """Return the column as numbers; None if a word is not a number or the words use different symbols.

        Where all stand in brackets these are no signs.
        """
        if all(map(is_bracketed, column.words)):
            return None
        found = [self.parse(word) for word in column.words]
        parsed = [number for number in found if number is not None]
        if len(parsed) < len(found) or len({symbol for _, symbol in parsed}) != 1:
            return None
        values = np.array([*(value for value, _ in parsed), math.nan])  # the last answers for -1, the missing
        return Numbers(column.name, values[column.codes])


PLAIN = Notation()


def is_bracketed(text: str) -> bool:
    """Check for brackets around a whole text, the minus of accountants."""
    return text.startswith("(") and text.endswith(")")


@lru_cache(maxsize=64)
def _pattern(notation: Notation) -> re.Pattern[str]:
    """Pattern of a number in this notation; digits with leading zeros are a code, not a number."""
    symbols = "|".join(re.escape(symbol) for symbol in sorted(notation.symbols, key=len, reverse=True)) or "(?!)"
    grouped = rf"[1-9]\d{{0,2}}(?:{re.escape(notation.thousands)}\d{{3}})+|" if notation.thousands else ""
    if notation.thousands == ",":  # in India 12,34,567
        grouped += r"[1-9]\d?(?:,\d{2})+,\d{3}|"
    decimal = re.escape(notation.decimal)
    return re.compile(
        rf"(?P<sign>[+-]?)\s*(?:(?P<before>{symbols})\s*)?(?P<inner>(?<![+-])[+-]?)"
        rf"(?P<whole>{grouped}0|[1-9]\d*|(?={decimal}\d))(?:{decimal}(?P<decimals>\d*))?"
        rf"(?P<exponent>[eE][+-]?\d+|[dD][+-]\d+)?(?:\s*(?P<behind>{symbols}))?"
    )
