"""Data from a function of a package of the user's own: ``source: mine.ring`` calls ``ring`` of ``mine/sources.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from versus import plugins
from versus.data.columns import RawTable
from versus.data.errors import DataError
from versus.data.images import RawImages
from versus.data.sources import parquet
from versus.data.table_specification import Brought, Parquet
from versus.data.texts import RawTexts


def load(specification: Brought, base: Path) -> RawTable | RawImages | RawTexts:
    """Call the function with ``args``, after the path if the data are read from a file.

    Raises:
        DataError: if it fails, or returns anything but a DataFrame, a `RawTable`, `RawImages` or `RawTexts`.
    """
    source, path = specification.source, getattr(specification, "path", None)
    package, _, name = source.partition(".")
    function = getattr(plugins.imported(f"{plugins.root(package)}.sources"), name)
    try:
        found = function(*(() if path is None else (base / path,)), **specification.args)
    except DataError:
        raise
    except Exception as error:  # any error of the user's code
        raise DataError(f"{source}: {plugins.told(error)}") from error
    if isinstance(found, RawTable | RawImages | RawTexts):
        return found
    if not hasattr(found, "columns"):
        raise DataError(
            f"{source} returns {type(found).__name__}; a DataFrame is expected, or a RawTable, RawImages or RawTexts"
        )
    return _of_frame(found, specification, source if path is None else path)


def _of_frame(frame: Any, specification: Brought, file: str) -> RawTable:
    """Convert a DataFrame, whose columns have their types already."""
    import pyarrow as pa

    given = specification.model_dump(include={"categorical", "drop", "missing"})
    read = Parquet.model_validate({"source": "parquet", "path": file, "target": specification.target or "y", **given})
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    try:
        table = pa.Table.from_pandas(named, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{specification.source}: its frame cannot be read: {error}") from error
    if table.num_rows == 0:
        raise DataError(f"{specification.source}: its frame holds no rows")
    return RawTable(file, parquet.columns_of(table, read), unused=specification.drop, typed=True)
