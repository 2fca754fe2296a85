"""Users' data for a fitted model: DataFrames with the original names, to and from what models take.

A table is a pandas DataFrame with the columns that the model was fitted on, in any order; others are ignored. Images
are arrays (N, *event); texts stand in a column ``text`` (`versus.serving.sequences`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from versus.data import dates
from versus.data.columns import MISSING, is_number, number, text_of
from versus.data.errors import DataError, listed, unknown
from versus.data.notation import Notation
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Series, Table

if TYPE_CHECKING:
    import pandas as pd

ABSENT = ("", "None", "<NA>", *MISSING)  # spellings of a missing value, where they are no category

Unseen = Literal["error", "missing"]
Data = Any  # pandas.DataFrame of a table, or an array of images


def encode(data: Data, schema: Schema, unseen: Unseen = "error") -> NDArray[Any]:
    """Encode data as models take them: (N, D) with codes for categories and NaN where nothing is known, or (N, *event).

    Args:
        data: a table, or images.
        schema: form of the model's data; numbers and missing values are read as in the file that it was fitted on.
        unseen: "missing" takes a category that the model does not know as a missing value.

    Raises:
        DataError: naming the column, row and value that do not fit, and what would.
    """
    if isinstance(schema.x, Image):
        return _encode_images(np.asarray(data), schema)
    reading = schema.x.reading if isinstance(schema.x, Table | Series) else {}
    data = _with_calendar(data, reading)
    dated = {part: name for name, form in reading.get("dates", {}).items() for part in dates.part_names(name, form)}
    absent = [column.name for column in schema.columns if column.name not in data.columns]
    if absent := list(dict.fromkeys(dated.get(name, name) for name in absent)):
        known = [str(name) for name in data.columns]
        hint = unknown("column", absent[0], known) if len(absent) == 1 else f"the table has {listed(known)}"
        raise DataError(f"columns {listed(absent)} are missing; {hint}")
    return np.column_stack([_encode_column(data[column.name], column, reading, unseen) for column in schema.columns])


def _with_calendar(data: pd.DataFrame, reading: Mapping[str, Any]) -> pd.DataFrame:
    """Add the parts of each column of dates that the table has, as `prepare` does."""
    missing = {*ABSENT, *reading.get("missing", ())}
    for name, form in reading.get("dates", {}).items():
        if name not in data.columns:
            continue  # the parts can be there instead
        if data[name].dtype.kind in "mM":
            found = data[name].to_numpy(dtype=f"{data[name].dtype.kind}8[us]").astype(np.int64).view("datetime64[us]")
        else:
            texts = [text_of(value) for value in data[name]]
            found = dates.read(texts, form)
            unread = [row for row in np.flatnonzero(np.isnat(found)) if texts[row] not in missing]
            if unread:
                seen = texts[unread[0]]
                raise DataError(
                    f"row {unread[0] + 1}, column {name!r}: {seen!r} is no {dates.noun(form)} written as {form}"
                )
        data = data.assign(**{part.name: _named(part, values) for part, values in dates.parts(name, found, form)})
    return data


def _named(column: Column, values: NDArray[np.float64]) -> NDArray[Any]:
    """Return the names of codes of categories, None where nothing is known; numbers as they are."""
    if column.categories is None:
        return values
    return np.array([None if math.isnan(value) else column.categories[int(value)] for value in values], dtype=object)


def _encode_images(images: NDArray[Any], schema: Schema) -> NDArray[Any]:
    if images.shape[1:] != schema.shape or images.dtype.kind not in "uif":
        raise DataError(f"images are {images.dtype} {images.shape}; the model takes numbers (N, {schema.shape})")
    limit = math.inf if schema.levels is None else schema.levels - 1
    if not np.isfinite(images).all() or (images < 0).any() or (images > limit).any():
        raise DataError(f"pixels range from {images.min()} to {images.max()}; the model takes 0 to {limit}")
    return images


def _encode_column(
    values: Iterable[Any], column: Column, reading: Mapping[str, Any], unseen: Unseen
) -> NDArray[np.float64]:
    """Encode one column of a table, (N,)."""
    array = np.asarray(values)
    if column.categories is None and array.dtype.kind in "iuf" and not np.isinf(array).any():
        return array.astype(np.float64)
    read = _number_reader(reading) if column.categories is None else category_reader(column.categories)
    missing = {*ABSENT, *reading.get("missing", ())}
    known: dict[str, float] = {}
    out = []
    for row, value in enumerate(values, 1):
        text = text_of(value)
        if text not in known:
            found = read(text)
            if found is None and text not in missing and (column.categories is None or unseen == "error"):
                wanted = "a number" if column.categories is None else f"one of {listed(column.categories)}"
                hint = (
                    "leave it empty if unknown" if column.categories is None else "`unseen: missing` takes it for one"
                )
                raise DataError(f"row {row}, column {column.name!r}: {text!r} is not {wanted}; {hint}")
            known[text] = math.nan if found is None else found
        out.append(known[text])
    return np.array(out, dtype=np.float64)


def _number_reader(reading: Mapping[str, Any]) -> Callable[[str], float | None]:
    """Return a function that reads numbers in the notation of the file, and else in the plain one."""
    notation = Notation(reading.get("decimal", "."), reading.get("thousands"), tuple(reading.get("symbols", ())))

    def read(text: str) -> float | None:
        parsed = notation.parse(text)
        found = parsed[0] if parsed else number(text)
        return found if math.isfinite(found) else None

    return read


def category_reader(categories: Sequence[str]) -> Callable[[str], float | None]:
    """Return a function that finds the code of a category: that of its name, or of the only one of equal value.

    Equal are numbers of the same value (1.0 and 1) and words that differ in capital letters only (True and true).
    """
    codes = {name: float(code) for code, name in enumerate(categories)}
    alike: dict[float | str, list[float]] = {}
    for name, code in codes.items():
        alike.setdefault(_value(name), []).append(code)

    def read(text: str) -> float | None:
        found = codes.get(text)
        others = alike.get(_value(text), ()) if found is None else ()
        return others[0] if len(others) == 1 else found

    return read


def _value(text: str) -> float | str:
    return float(text) if is_number(text) else text.casefold()


def decode(X: NDArray[Any], schema: Schema) -> pd.DataFrame:
    """The inverse of `encode` for tables, (N, D) -> N rows with the original names; None where nothing is known."""
    import pandas as pd

    return pd.DataFrame({c.name: _named(c, values) for values, c in zip(X.T, schema.columns, strict=True)})
