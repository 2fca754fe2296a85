"""Files of users' data for a fitted model, read in the form that `versus.serving.frames` takes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from versus.data import dates
from versus.data.columns import Numbers, RawTable
from versus.data.errors import DataError
from versus.data.inspect import sniffing
from versus.data.preparation import parse
from versus.data.preparation import read as read_raw
from versus.data.schema import Schema
from versus.data.sources import pictures, source_files
from versus.data.spaces import Image, Series, Table, Tokens
from versus.serving import sequences
from versus.serving.frames import Data

if TYPE_CHECKING:
    import pandas as pd

_DIALECT = ("source", "delimiter", "header", "quote", "loose", "preamble", "encoding", "sheet")


def read(path: Path, schema: Schema) -> Data:
    """Read the data in a file.

    Args:
        path: a table in any form that `versus add` reads; .npy for images, or a picture of the right size; for texts a
            table, or a .txt with one a line.
        schema: form of the model's data.

    Raises:
        DataError: where the file cannot be read as that.
    """
    if not source_files.exists(path) or path.is_dir():
        raise DataError(f"{path} does not exist, or is a folder; wants a file")
    if isinstance(schema.x, Image):
        return _read_images(path, schema)
    if isinstance(schema.x, Tokens) and Path(source_files.plain_name(path)).suffix.lower() == ".txt":
        return _read_lines(path)
    if path.suffix in (".npy", ".npz"):
        return _read_array(path, schema)
    try:
        return _read_table(path, schema)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _read_table(path: Path, schema: Schema) -> pd.DataFrame:
    """Read a table as the file that the model was fitted on, or else as `versus add` would.

    Texts stay texts, for the model's columns to read.
    """
    known = schema.x.reading if isinstance(schema.x, Table | Series) else {}
    guessed = sniffing.guess(path, schema.target)
    ways = [guessed]
    sources = {guessed["source"], known.get("source")}
    if len(sources) == 1 or sources <= {"csv", "tsv"}:
        ways.insert(0, {key: value for key, value in known.items() if key in _DIALECT})
    names = [column.name for column in schema.columns]
    calendar = [part for named in known.get("dates", {}).items() for part in dates.part_names(*named)]
    frames, faults = [], []
    for way in ways:
        try:
            frame = _frame(path, way, names, schema.target, known.get("columns", 0))
        except DataError as error:
            faults.append(error)
            continue
        if set(names) <= {*frame.columns, *calendar}:
            return frame
        frames.append(frame)
    if not frames:
        raise faults[0]
    return frames[0]  # what it lacks is named where it is encoded


def _frame(path: Path, way: Mapping[str, Any], names: list[str], target: str, n_columns: int) -> pd.DataFrame:
    """Read a file in a given way; without a header, the target may be missing among ``n_columns``."""
    import pandas as pd

    entry = {**way, "path": path.name, "target": target, "categorical": names, "missing": []}
    raw = read_raw(parse(entry), path.parent, path.parent)
    assert isinstance(raw, RawTable)
    called = [column.name for column in raw.columns]
    if way.get("header") is False and len(called) == n_columns - 1:
        called = [name for place in range(n_columns) if (name := f"c{place}") != target]
    columns = {
        name: column.values
        if isinstance(column, Numbers)
        else np.array([*column.words, None], dtype=object)[column.codes]
        for name, column in zip(called, raw.columns, strict=True)
    }
    return pd.DataFrame(columns)


def _read_array(path: Path, schema: Schema) -> pd.DataFrame:
    """Read an array of rows (N, D), whose columns are called x0, x1, …"""
    import pandas as pd

    known = schema.x.reading if isinstance(schema.x, Table | Series) else {}
    try:
        content = np.load(path, allow_pickle=False)
        found = content if isinstance(content, np.ndarray) else content[known.get("x", "X")]
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as an array of rows: {error}") from None
    if found.ndim != 2:
        raise DataError(f"{path} holds an array {found.shape}; the model takes rows (N, {schema.n_features})")
    return pd.DataFrame(found, columns=[f"x{place}" for place in range(found.shape[1])])


def _read_lines(path: Path) -> pd.DataFrame:
    """Read one text per line of a UTF-8 file.

    Raises:
        DataError: where the file is in another encoding.
    """
    import pandas as pd

    lines = source_files.lines(path.parent, path.name, "utf-8")
    return pd.DataFrame({sequences.TEXT: [line for _, line in lines]}, dtype=object)


def _read_images(path: Path, schema: Schema) -> NDArray[Any]:
    try:
        if path.suffix.lower() == ".npy":
            found: NDArray[Any] = np.load(path, allow_pickle=False)
        else:
            found = pictures.decode(path, schema.shape[2:] == (3,), _scaled(schema))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as images: {error}") from error
    return found[None] if found.shape == schema.shape else found


def _scaled(schema: Schema) -> tuple[int, int] | None:
    """Height and width to scale pictures to, if those that the model was fitted on were scaled."""
    assert isinstance(schema.x, Image)
    return (schema.shape[0], schema.shape[1]) if "resize" in schema.x.reading else None
