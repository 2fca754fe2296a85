"""Tables whose cells have types of their own, read with pandas: sheets of Excel workbooks, and JSON.

Cells become texts, and columns are told apart as in a file of separated values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from versus.data.columns import RawTable, text_of
from versus.data.errors import DataError, listed, unknown
from versus.data.sources import source_files
from versus.data.sources.text_columns import TextColumns
from versus.data.table_specification import Json, Xlsx

if TYPE_CHECKING:
    import pandas as pd

_MISSING_LIBRARY = "Excel workbooks are read with openpyxl, which is not installed: `python -m pip install openpyxl`"


def load(specification: Xlsx | Json, base: Path) -> RawTable:
    """Read the file, followed by the rows of the test file if there is one.

    Raises:
        DataError: if a file is missing, damaged or empty, repeats a column name, or has cells that are lists.
    """
    import pyarrow as pa

    files = [path for path in (specification.path, specification.test_path) if path is not None]
    tables = [_read(source_files.locate(base, path), path, specification) for path in files]
    names = [str(name) for name in tables[0].columns]
    columns = TextColumns(names, specification, as_texts=True)
    for path, table in zip(files, tables, strict=True):
        found = [str(name) for name in table.columns]
        if sorted(found) != sorted(names):
            raise DataError(f"{path}: has the columns {listed(found)}; {files[0]} has {listed(names)}")
        columns.add(
            pa.array(_texts(table.iloc[:, found.index(name)], f"{path}, column {name!r}"), pa.string())
            for name in names
        )

    def locate(row: int) -> str:
        part = int(row >= len(tables[0]))
        return f"{files[part]}, row {row - len(tables[0]) * part + 1}"

    n_test = sum(map(len, tables[1:]))
    warnings = [
        f"the first {table.attrs['skipped']} rows of {path} that hold anything, a title or remarks, are skipped"
        for path, table in zip(files, tables, strict=True)
        if table.attrs.get("skipped")
    ]
    return RawTable(specification.path, [columns.column(name) for name in names], n_test, locate, warnings=warnings)


def sheets(file: Path) -> list[str]:
    """List the sheets of a workbook.

    Raises:
        DataError: if it cannot be read.
    """
    import pandas as pd

    try:
        with pd.ExcelFile(file, engine="openpyxl") as book:
            return [str(name) for name in book.sheet_names]
    except ImportError:
        raise DataError(f"{file.name}: {_MISSING_LIBRARY}") from None
    except (ValueError, KeyError, TypeError, *source_files.DAMAGED) as error:
        raise DataError(f"{file.name}: is not a whole Excel workbook (.xlsx): {error}") from None


def _read(file: Path, path: str, specification: Xlsx | Json) -> pd.DataFrame:
    table = _sheet(file, path, specification) if isinstance(specification, Xlsx) else _objects(file, path)
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the column name {twice[0]!r} stands there {names.count(twice[0])} times")
    if table.empty:
        raise DataError(f"{path}: holds no rows")
    return table


def _sheet(file: Path, path: str, specification: Xlsx) -> pd.DataFrame:
    import pandas as pd

    names = sheets(file)
    sheet = specification.sheet or names[0]
    if sheet not in names:
        raise DataError(f"{path}: {unknown('sheet', sheet, names)}")
    cells = pd.read_excel(file, sheet, header=None, dtype=object, keep_default_na=False, engine="openpyxl")
    cells = cells[(cells != "").any(axis=1)].reset_index(drop=True)
    if cells.empty or not specification.header:
        return cells.set_axis([f"c{place}" for place in range(cells.shape[1])], axis=1)
    filled = (cells != "").sum(axis=1).to_numpy()
    title = int(np.argmax(2 * filled > np.bincount(filled).argmax()))  # rows above it have half of the usual cells
    named = [text_of(cell) or f"c{place}" for place, cell in enumerate(cells.iloc[title])]
    found = cells.iloc[title + 1 :].set_axis(named, axis=1).reset_index(drop=True)
    found.attrs["skipped"] = title
    return found


def _objects(file: Path, path: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with source_files.opened(file) as stream:
            content = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not utf-8; JSON is written in utf-8") from None
    except source_files.DAMAGED as error:
        raise DataError(f"{path}: cannot be read to its end ({error}); it may be cut off, get it again") from None
    objects = list(_parsed(content, path))
    strange = next((place for place, found in enumerate(objects) if not isinstance(found, dict)), None)
    if strange is not None:
        raise DataError(f"{path}: row {strange + 1} is no object; wants [{{…}}, {{…}}] or an object a line")
    return pd.json_normalize(objects)


def _parsed(content: str, path: str) -> Iterator[Any]:
    """Parse an array of objects, columns, or an object on each line; numbers stay as they are written."""
    if content.lstrip().startswith("{") and (found := _one_object(content)) is not None:
        yield from found
        return
    whole = content.lstrip().startswith("[")
    for number, line in enumerate([content] if whole else content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=str, parse_int=str)
        except ValueError as error:
            where = path if whole else f"{path}, line {number}"
            raise DataError(f"{where}: is not JSON ({error}); wants [{{…}}, {{…}}] or an object a line") from None
        yield from found if whole else [found]


def _one_object(content: str) -> list[Any] | None:
    """Rows of an object that holds all of them: under its only array, by columns, or split from their names."""
    try:
        found = json.loads(content, parse_float=str, parse_int=str)
    except ValueError:
        return None  # an object a line
    names, cells = found.get("columns"), found.get("data")
    if isinstance(names, list) and isinstance(cells, list) and all(_is_row(row, names) for row in cells):
        return [dict(zip(map(str, names), row, strict=True)) for row in cells]
    arrays = [value for value in found.values() if isinstance(value, list)]
    if len(arrays) == 1 and arrays[0] and all(isinstance(row, dict) for row in arrays[0]):
        rows: list[Any] = arrays[0]
        return rows
    columns = [value.values() if isinstance(value, dict) else value for value in found.values()]
    indices = [list(value) if isinstance(value, dict) else len(value) for value in found.values() if _is_column(value)]
    if len(indices) < max(len(columns), 1) or any(index != indices[0] for index in indices):
        return [found]
    return [dict(zip(found, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _is_row(cells: Any, names: list[Any]) -> bool:
    return isinstance(cells, list) and len(cells) == len(names)


def _is_column(value: Any) -> bool:
    """Check for a column of cells, which are no arrays or objects."""
    cells = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [[]]
    return len(cells) > 1 and not any(isinstance(cell, list | dict) for cell in cells)


def _texts(cells: Iterable[Any], where: str) -> Iterator[str]:
    """Write cells as texts: 3.0 as 3, true as true, dates as ISO 8601, nothing as the empty text."""
    for row, cell in enumerate(cells, 1):
        if isinstance(cell, list | dict | tuple):
            raise DataError(f"{where}, row {row}: holds {str(cell)[:60]!r}; wants a number, text or truth value")
        yield cell.isoformat() if isinstance(cell, datetime | date | time) else text_of(cell)
