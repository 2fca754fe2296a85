"""Columns that can be read as they stand, and may mean something else: said by `add`, and left to the user."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import numpy as np

from versus.data.columns import MISSING, Numbers, RawColumn, RawTable, Words
from versus.data.errors import DataError, listed
from versus.data.inspect.notations import is_quantity

_NAMES_ROWS = re.compile(
    r"(?:^|[_\W])(?i:id|uid|patient|subject|participant|user|customer|household|session)$|[a-z]I[Dd]$"
)
_CODE = re.compile(r"(?:^|[_\W])(?i:zip|zipcode|postcode|postal|plz|code|type|kind)(?:$|[_\W])|[a-z]Code$")
_FEWEST_ROWS = 1.5  # of a value on average, for rows to be of groups
_MANY = 20  # texts, from which categories that look like numbers are doubtful
_OFTEN = 0.05  # of the rows, from which a missing category may be one of its own
_ABSENT = re.compile(r"\W*|\W?(nan?|n/?a|null|none|nil|missing|unknown|not (known|available)|div/0!)\W?", re.IGNORECASE)
_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "ja", "j", "oui", "si", "sí", "on"), "yes"),
    **dict.fromkeys(("false", "f", "no", "n", "0", "nein", "non", "off"), "no"),
}
_GROUPED = 0.2  # of the values at least, of both kinds, for points to be doubted
_SPELLED = 1000  # categories at most that are compared with each other


def notes(raw: RawTable, target: str, decided: set[str | None]) -> Iterator[str]:
    """Yield a note on each doubt about a column whose role the user has not decided."""
    for column in raw.columns:
        if column.name == target or column.name in decided:
            continue
        yield from _groups_or_codes(column)
        if isinstance(column, Words) and not raw.typed:
            yield from _half_read(column)
            yield from _perhaps_a_category(column)
            yield from _perhaps_missing(column)
            if len(column.words) <= _SPELLED:
                yield from alike(f"{column.name!r}: values", column.words, "correct the file if they are one")


def means_none(word: str) -> bool:
    """Check for a word for "none is known", such as N/A, or what a spreadsheet writes for a division by 0."""
    return _ABSENT.fullmatch(word) is not None


def expect_one_header(raw: RawTable, file: str) -> None:
    """Raise an error where a row repeats the names of the columns: tables were joined with their headers."""
    named = [
        column.codes == column.words.index(column.name)
        for column in raw.columns
        if isinstance(column, Words) and column.name in column.words
    ]
    rows = np.flatnonzero(np.all(named, axis=0))
    if len(named) == len(raw.columns) and len(rows):
        raise DataError(
            f"{raw.locate(int(rows[0]))}: repeats the header of {file}, as files that are joined do; take such lines "
            f"out ({len(rows)} in all)"
        )


def alike(what: str, names: Sequence[str], remedy: str | None = None) -> Iterator[str]:
    """Yield a note for each set of names that differ in capital letters or blanks alone, or are words for one truth."""
    spelled: dict[str, list[str]] = {}
    plain = {name: "".join(name.split()).casefold() for name in names}
    truths = len(set(plain.values())) > 2 and set(plain.values()) <= _TRUTHS.keys()
    for name in names:
        spelled.setdefault(_TRUTHS[plain[name]] if truths else plain[name], []).append(name)
    for first, *others in (found for found in spelled.values() if len(found) > 1):
        pairs = ", ".join(f"{other}: {first}" for other in others)
        said = remedy or f"if they are one, say `--set 'label_map={{{pairs}}}'`"
        how = "may mean one thing" if truths else "are spelled nearly alike"
        yield f"{what} {listed([first, *others])} {how}; {said}"


def _groups_or_codes(column: RawColumn) -> Iterator[str]:
    """Doubt a column by its name: rows of one patient belong together, and zip codes are no quantity."""
    known = column.codes[column.codes >= 0] if isinstance(column, Words) else column.values[~column.missing]
    different, name = len(np.unique(known)), column.name
    if _NAMES_ROWS.search(name) and different > 2 and len(known) >= _FEWEST_ROWS * different:
        yield (
            f"{name!r} has {different} values in {len(known)} rows: if rows of one value belong together, say "
            f"`--group {name}`, which keeps them in one part; if it says nothing of new rows, `--drop {name}`"
        )
    elif isinstance(column, Numbers) and _CODE.search(name) and different > 2 and (known % 1 == 0).all():
        yield f"{name!r} is read as a quantity; if its values are codes, say `--categorical {name}`"


def _half_read(column: Words) -> Iterator[str]:
    """Doubt categories that begin like numbers: two notations or units, times of day, values such as <5."""
    figures = [word for word in column.words if is_quantity(word)]
    if len(column.words) > _MANY and len(figures) > 0.9 * len(column.words):
        if all(re.fullmatch(r"[+-]?\d+(\.\d*)?", word) for word in column.words):
            yield (
                f"{column.name!r} holds codes, for some begin with 0 or are too large to be told apart as numbers: its "
                f"{len(column.words)} texts are categories. If they are quantities, say `--numeric {column.name}`"
            )
            return
        shapes = {re.sub(r"\d+", "0", word): word for word in reversed(figures)}
        examples = listed(list(shapes.values())[:4])
        yield (
            f"{column.name!r} holds {examples}, no numbers in one notation: its {len(column.words)} texts are "
            "categories. If they are quantities, write them in one unit"
        )


def _perhaps_a_category(column: Words) -> Iterator[str]:
    """Doubt words for "missing" among categories: NA may stand for "none", or for a place."""
    missing = int(column.missing.sum())
    if missing and len(column.words) == 1:
        yield (
            f"{column.name!r} is {column.words[0]!r} or missing in {missing} rows: if empty means no, as in a list of "
            "ticks, write a word for that; models see a value that is not known"
        )
    elif missing >= _OFTEN * len(column.codes) > 0 and len(column.words) <= _MANY:
        yield (
            f"{column.name!r} is missing in {missing} rows; if NA or another word for that is a category there, say "
            f"`--categorical {column.name}`"
        )


def _perhaps_missing(column: Words) -> Iterator[str]:
    """Doubt categories that are words for "none is known"."""
    found = [word for word in column.words if means_none(word)]
    if found and len(column.words) > len(found) + 1:
        missing = json.dumps(list(dict.fromkeys([*MISSING, *found])), ensure_ascii=False)
        yield (
            f"{column.name!r} has the categories {listed(found)}: if they mean that none is known, say "
            f"`--set 'missing={missing}'`"
        )


def perhaps_thousands(raw: RawTable, decided: set[str | None]) -> Iterator[str]:
    """Doubt points in numbers of three decimals, alone or among whole ones below 1000: they may part thousands."""
    throughout: dict[str, float] = {}
    for column in (c for c in raw.columns if isinstance(c, Numbers) and c.name not in decided):
        values = np.abs(column.values[np.isfinite(column.values)])
        broken = values % 1 != 0
        if not len(values) or broken.mean() < _GROUPED:
            continue
        three = np.isclose(values * 1000 % 1, 0, atol=1e-6) | np.isclose(values * 1000 % 1, 1, atol=1e-6)
        thirds = (np.round(values[broken] * 1000) % 10 != 0).mean()  # that need the third decimal
        if not (three.all() and values.max() < 1000 and values[broken].min() >= 1 and thirds > 0.8):
            continue
        if broken.mean() > 1 - _GROUPED:
            throughout[column.name] = values[broken][0]
        else:
            yield (
                f"{column.name!r} has whole numbers below 1000, and others with three decimals, such as "
                f"{values[broken][0]:g}: if their point parts thousands, write them without it"
            )
    if throughout:
        named, seen = listed(throughout, 5), next(iter(throughout.values()))
        yield (
            f"{named}: all numbers have three decimals, such as {seen:.3f}, and are read as written; if the points "
            "part thousands, say `--decimal ,`"
        )
