"""Columns that can be read as they stand, and may mean something else: said by `add`, and left to the user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from versus.data.columns import Numbers, RawColumn, RawTable, Words
from versus.data.errors import DataError, listed
from versus.data.inspect.notations import is_quantity

_NAMES_ROWS = re.compile(
    r"(?:^|[_\W])(?i:id|uid|patient|subject|participant|user|customer|household|session)$|[a-z]I[Dd]$"
)
_CODE = re.compile(r"(?:^|[_\W])(?i:zip|zipcode|postcode|postal|plz|code|type|kind)(?:$|[_\W])|[a-z]Code$")
_FEWEST_ROWS = 1.5  # of a value on average, for rows to be of groups
_MANY = 20  # texts, from which categories that look like numbers are doubtful
_OFTEN = 0.05  # of the rows, from which a missing category may be one of its own
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
            if len(column.words) <= _SPELLED:
                yield from alike(f"{column.name!r}: values", column.words, "correct the file if they are one")


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
    """Yield a note for each set of names that differ in capital letters or blanks alone."""
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault("".join(name.split()).casefold(), []).append(name)
    for first, *others in (found for found in spelled.values() if len(found) > 1):
        pairs = ", ".join(f"{other}: {first}" for other in others)
        said = remedy or f"if they are one, say `--set 'label_map={{{pairs}}}'`"
        yield f"{what} {listed([first, *others])} are spelled nearly alike; {said}"


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
        shapes = {re.sub(r"\d+", "0", word): word for word in reversed(figures)}
        examples = listed(list(shapes.values())[:4])
        yield (
            f"{column.name!r} holds {examples}, no numbers in one notation: its {len(column.words)} texts are "
            "categories. If they are quantities, write them in one unit"
        )


def _perhaps_a_category(column: Words) -> Iterator[str]:
    """Doubt words for "missing" among categories: NA may stand for "none", or for a place."""
    missing = int(column.missing.sum())
    if missing >= _OFTEN * len(column.codes) > 0 and len(column.words) <= _MANY:
        yield (
            f"{column.name!r} is missing in {missing} rows; if NA or another word for that is a category there, say "
            f"`--categorical {column.name}`"
        )
