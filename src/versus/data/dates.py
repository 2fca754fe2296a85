"""Dates, months and times of day as columns: their formats, and the parts that models see in their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.spaces import Column

ISO = "ISO8601"  # as pandas calls it: 2024-01-31, 2024-01-31 23:59, 2024-01-31T23:59:00Z
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d-%m-%y")
_OTHERS = ("%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# Words that may be a day with or without a time, a month, or a time of day; and the formats to try.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{2,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}"
        r"|[A-Za-z]{3,9} \d{1,2},? \d{4})([ T]\d{1,2}:\d{2}.*)?",
        (ISO, *(day + clock for clock, day in product(_CLOCKS, (*_DAY_FIRST, *_OTHERS, *_NAMED)))),
    ),
    (
        r"\d{4}[-/]\d{1,2}|\d{1,2}[-/]\d{4}|[A-Za-z]{3,9}[ -]\d{4}",
        ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%B-%Y"),
    ),
    (
        r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?",
        ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p"),
    ),
)
# Each part, and the directives of a format that tell it.
_TELLING = {"year": "YyGcx", "month": "mbBjcx", "weekday": "djaAuwcx", "hour": "HIcX"}
_FIRST = 50  # words on which formats are tried before all words are


def guess(words: Sequence[str]) -> list[str]:
    """Return the formats that read all words as dates, the most likely first; none if words are no dates."""
    formats = next(
        (list(formats) for like, formats in _KINDS if words and all(re.fullmatch(like, word) for word in words)), []
    )
    for part in (words[:_FIRST], words):
        formats = [form for form in formats if not np.isnat(read(part, form)).any()]
    return formats


def read(words: Sequence[str], form: str) -> NDArray[np.datetime64]:
    """Read words as moments in UTC, (n,) datetime64[us]; NaT where one is no date of this format."""
    import pandas as pd

    found = pd.to_datetime(pd.Series(words, dtype=object), format=form, errors="coerce", utc=True)
    return found.to_numpy(dtype="datetime64[us]")


def parts(name: str, moments: NDArray[np.datetime64], form: str = ISO) -> list[tuple[Column, NDArray[np.float64]]]:
    """Return the parts of the moments in column ``name`` that its format tells, NaN where none is known.

    They are year, month, weekday, and hour with minutes and seconds as its fraction. Months and weekdays are categories
    by name, all of them, so that new rows can have those that were not seen.
    """
    days = moments.astype("datetime64[D]").astype(np.int64)
    months = moments.astype("datetime64[M]").astype(np.int64)
    hours = (moments - moments.astype("datetime64[D]")) / np.timedelta64(1, "h")
    found = {
        "year": (None, 1970 + months // 12),
        "month": (_MONTHS, months % 12),
        "weekday": (_WEEKDAYS, (days + 3) % 7),  # 1970-01-01 was a Thursday
        "hour": (None, hours),
    }
    unknown = np.isnat(moments)
    return [
        (Column(f"{name}_{part}", names), np.where(unknown, np.nan, values))
        for part, (names, values) in found.items()
        if form == ISO or re.search(f"%[{_TELLING[part]}]", form)
    ]


def part_names(name: str, form: str = ISO) -> list[str]:
    """List the names of the columns that stand for a column of dates."""
    return [column.name for column, _ in parts(name, np.empty(0, "datetime64[us]"), form)]


def varies(values: NDArray[Any]) -> bool:
    """Check that a column has at least two different values."""
    known = values[~np.isnan(values)]
    return bool(len(known) and (known != known[0]).any())
