"""Dates, months, quarters, times of day, time stamps, durations as columns: formats, and the parts that models see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from versus.data.columns import number
from versus.data.spaces import Column

ISO = "ISO8601"  # as pandas calls it: 2024-01-31, 2024-01-31 23:59, 2024-01-31T23:59:00Z
# Time stamps, as many a second. They are numbers, and so not guessed: `versus.data.oddities.time_stamps` finds them.
EPOCHS = {
    f"{unit} since 1970": 1000**k for k, unit in enumerate(("seconds", "milliseconds", "microseconds", "nanoseconds"))
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Names and short names in German, French, Spanish, Italian, Dutch and Portuguese, where they differ from the English.
_ABROAD = {
    name: month
    for month, names in zip(
        _MONTHS,
        (
            "januar jänner janvier janv enero ene gennaio gen januari janeiro",
            "februar februari février févr febrero febbraio fevereiro fev",
            "märz mär mrz mars marzo maart mrt março",
            "avril avr abril abr aprile",
            "mai mayo maggio mag mei maio",
            "juni juin junio giugno giu junho",
            "juli juillet juil julio luglio lug julho",
            "août agosto ago augustus",
            "sept septembre septiembre settembre set setembro",
            "oktober okt octobre octubre ottobre ott outubro out",
            "novembre noviembre novembro",
            "dezember dez décembre déc diciembre dic dicembre dezembro",
        ),
        strict=True,
    )
    for name in names.split()
}
_SHORT = 4  # letters at most of a short name
_QUARTERS = ("Q1", "Q2", "Q3", "Q4")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d-%m-%y")
_OTHERS = ("%y/%m/%d", "%y-%m-%d", "%y.%m.%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y")
_ZONED = " %H:%M:%S %z"
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# `%q` is a quarter, which `strptime` does not know.
_QUARTERLY = tuple(form.replace("-", sep) for form in ("%Y-Q%q", "Q%q-%Y", "%qQ-%Y") for sep in ("", "-", " ", "/"))
# Formats of durations: the pattern of a word.
_SECONDS = r"(?P<s>[0-5]\d(?:\.\d+)?)"
DURATIONS = {
    "h:m:s": rf"(?:(?P<d>\d+) days?,? )?(?P<h>\d+):(?P<m>[0-5]\d):{_SECONDS}",
    "h:m": r"(?P<h>\d+):(?P<m>[0-5]\d)",
    "m:s": rf"(?P<m>\d+):{_SECONDS}",
    "h m s": (
        r"(?=\d)(?:(?P<h>\d+) ?h(?:(?:ou)?rs?)?,? ?)?(?:(?P<m>\d+) ?m(?:in(?:ute)?s?)?,? ?)?"
        r"(?:(?P<s>\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?)?"
    ),
    "ISO8601 duration": (
        r"P(?=\d|T\d)(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
    ),
}
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}  # in seconds
# Words that may be a day with or without a time, a month, a quarter, a time of day, or a duration; the formats to try.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{2,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}"
        r"|[A-Za-z]{3,9} \d{1,2},? \d{4})([ T]\d{1,2}:\d{2}.*)?",
        (ISO, *(day + clock for clock, day in product(_CLOCKS, (*_DAY_FIRST, *_OTHERS, *_NAMED)))),
    ),
    (
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [A-Za-z\d].*\d",
        tuple(f"{d}{day}{c}" for d, day, c in product(("%a ", "%a, ", "%A ", "%A, "), _NAMED, (*_CLOCKS, _ZONED))),
    ),
    (
        r"\d{4}[-/]\d{1,2}|\d{1,2}[-/]\d{4}|[A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3}-\d{2}",
        ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%B-%Y", "%b-%y"),
    ),
    (r"(19|20)\d{6}", ("%Y%m%d",)),
    (r"\d{4}[- ]?W\d{1,2}", ("%G-W%V", "%GW%V", "%G W%V")),
    (
        r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?",
        ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p"),
    ),
    (r"\d{4}[-/ ]?[Qq][1-4]|[Qq][1-4][-/ ]?\d{4}|[1-4][Qq][-/ ]?\d{4}", _QUARTERLY),
    (r"-?[P\d].*[\dA-Za-z]", tuple(DURATIONS)),
)
# Each part, and the directives of a format that tell it.
_TELLING = {"year": "YyGcx", "quarter": "q", "month": "mbBjVcx", "weekday": "djaAuwcx", "hour": "HIcX"}
_FARTHER = 3.0  # times the shortest span of dates, beyond which a format is not the likeliest
_FIRST = 50  # words on which formats are tried before all words are


def guess(words: Sequence[str]) -> list[str]:
    """Return the formats that read all words as dates, the most likely first; none if words are no dates."""
    for like, found in _KINDS:
        if words and all(re.fullmatch(like, _in_english(word, "%B")) for word in words):
            formats = list(found)
            for part in (words[:_FIRST], words):
                formats = [form for form in formats if not np.isnat(read(part, form)).any()]
            if formats:
                return _likeliest_first(words, formats)
    return []


def durations(words: Sequence[str]) -> list[str]:
    """Return the formats that read all words as durations, also where they may be times of day."""
    return [form for form in DURATIONS if words and not np.isnat(read(words, form)).any()]


def _likeliest_first(words: Sequence[str], formats: list[str]) -> list[str]:
    """Put formats last by which dates lie much farther apart than they need to, as when days are taken for years."""
    if len(formats) == 1 or formats[0] in DURATIONS:
        return formats
    spans = {form: float(np.ptp(read(words, form).astype(np.int64))) for form in formats}
    return sorted(formats, key=lambda form: spans[form] > _FARTHER * min(spans.values()))


def noun(form: str) -> str:
    """Name what words of a format are."""
    return "duration" if form in DURATIONS else "date"


def read(words: Sequence[str], form: str) -> NDArray[np.datetime64]:
    """Read words as moments in UTC, (n,) datetime64[us]; NaT where one is no date of this format.

    A quarter is the moment it begins, a week its Thursday, whose year is the week's; a duration begins in 1970, as time
    stamps do.
    """
    import pandas as pd

    if form in DURATIONS:
        pattern = re.compile(rf"(?P<sign>-?){DURATIONS[form]}", re.IGNORECASE)
        return np.array([_lasting(pattern.fullmatch(word)) for word in words], "datetime64[us]")
    if form in EPOCHS:
        return moments([number(word) for word in words], form)
    if "%q" in form:
        like = form.replace("%q", "(?P<q>[1-4])").replace("%Y", r"(?P<Y>\d{4})")
        quarters = [re.fullmatch(like, word.upper()) for word in words]
        return np.array([f"{m['Y']}-{3 * int(m['q']) - 2:02}" if m else "NaT" for m in quarters], "datetime64[us]")
    if "%V" in form:
        words, form = [f"{word}-4" for word in words], f"{form}-%u"
    if "%b" in form or "%B" in form:
        words = [_in_english(word, form) for word in words]
    found = pd.to_datetime(pd.Series(words, dtype=object), format=form, errors="coerce", utc=True)
    return found.to_numpy(dtype="datetime64[us]")


def _in_english(word: str, form: str) -> str:
    """Write the month of another language as the format has it, without the point or word that goes with it."""
    full = "%B" in form

    def month(found: re.Match[str]) -> str:
        name = found[0].lower()
        if name not in _ABROAD or not (full or len(name) <= _SHORT):
            return found[0]
        return _ABROAD[name] if full else _ABROAD[name][:3]

    if not re.search(r"[^\W\d_]{3}", word):
        return word
    if "." not in form and " de " not in form:
        word = re.sub(r"(?<=\d)(?:\. ?|\.? de )(?=[^\W\d_])|(?<=[^\W\d_])(?:\. ?|\.? de )(?=\w)", " ", word)
    return re.sub(r"[^\W\d_]{3,}", month, word)


def moments(stamps: ArrayLike, form: str) -> NDArray[np.datetime64]:
    """Convert time stamps (n,) of a form in `EPOCHS` to moments, (n,) datetime64[us]; NaT for NaN, and if too far."""
    microseconds = np.asarray(stamps, np.float64) * (1e6 / EPOCHS[form])
    known = np.abs(microseconds) < 2**62
    return np.where(
        known, np.rint(np.where(known, microseconds, 0)).astype("datetime64[us]"), np.datetime64("NaT", "us")
    )


def _lasting(found: re.Match[str] | None) -> np.datetime64:
    """Return the moment this long after the epoch; NaT if there is no match."""
    if found is None:
        return np.datetime64("NaT", "us")
    seconds = sum(float(value) * _UNITS[unit] for unit, value in found.groupdict().items() if unit in _UNITS and value)
    return np.datetime64(round(1e6 * seconds) * (-1 if found["sign"] else 1), "us")


def parts(name: str, moments: NDArray[np.datetime64], form: str = ISO) -> list[tuple[Column, NDArray[np.float64]]]:
    """Return the parts of the moments in column ``name`` that its format tells, NaN where none is known.

    They are year, quarter, month, weekday, and hour with minutes and seconds as its fraction; of a duration, its hours.
    Quarters, months and weekdays are categories by name, all of them, so that new rows can have those that were not
    seen.
    """
    unknown = np.isnat(moments)
    if form in DURATIONS:
        return [(Column(f"{name}_hours"), np.where(unknown, np.nan, moments.astype(np.int64) / 3.6e9))]
    days = moments.astype("datetime64[D]").astype(np.int64)
    months = moments.astype("datetime64[M]").astype(np.int64)
    hours = (moments - moments.astype("datetime64[D]")) / np.timedelta64(1, "h")
    found = {
        "year": (None, 1970 + months // 12),
        "quarter": (_QUARTERS, months % 12 // 3),
        "month": (_MONTHS, months % 12),
        "weekday": (_WEEKDAYS, (days + 3) % 7),  # 1970-01-01 was a Thursday
        "hour": (None, hours),
    }
    return [
        (Column(f"{name}_{part}", names), np.where(unknown, np.nan, values))
        for part, (names, values) in found.items()
        if (form in (ISO, *EPOCHS) and part != "quarter") or re.search(f"%[{_TELLING[part]}]", form)
    ]


def part_names(name: str, form: str = ISO) -> list[str]:
    """List the names of the columns that stand for a column of dates."""
    return [column.name for column, _ in parts(name, np.empty(0, "datetime64[us]"), form)]


def varies(values: NDArray[Any]) -> bool:
    """Check that a column has at least two different values."""
    known = values[~np.isnan(values)]
    return bool(len(known) and (known != known[0]).any())
