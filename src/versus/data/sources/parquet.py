"""Parquet files, read with Arrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from versus.data.columns import EXACT, Numbers, RawColumn, RawTable, Words, merged
from versus.data.errors import DataError, listed
from versus.data.notation import PLAIN
from versus.data.sources import source_files
from versus.data.table_specification import Parquet

_PANDAS_INDEX = "__index_level_0__"


def load(specification: Parquet, base: Path) -> RawTable:
    """Read the file, followed by the rows of the test file if there is one.

    Raises:
        DataError: if a file is missing, damaged or empty, or has columns of lists or similar types.
    """
    import pyarrow as pa

    files = [path for path in (specification.path, specification.test_path) if path is not None]
    tables = [_read(source_files.locate(base, path), path) for path in files]
    names = tables[0].column_names
    for path, table in zip(files[1:], tables[1:], strict=True):
        if sorted(table.column_names) != sorted(names):
            raise DataError(f"{path}: has the columns {listed(table.column_names)}; {files[0]} has {listed(names)}")
    counts = [table.num_rows for table in tables]
    try:
        table = pa.concat_tables([table.select(names) for table in tables], promote_options="permissive")
    except pa.ArrowTypeError as error:
        raise DataError(f"{files[-1]}: its columns are of other types than those of {files[0]}: {error}") from None
    columns = columns_of(table, specification)

    def locate(row: int) -> str:
        part = int(row >= counts[0])
        return f"{files[part]}, row {row - counts[0] * part + 1}"

    unused = [name for name in names if name == _PANDAS_INDEX or name in specification.drop]
    return RawTable(specification.path, columns, sum(counts[1:]), locate, unused=unused, typed=True)


def columns_of(table: Any, specification: Parquet) -> list[RawColumn]:
    """Convert the columns of an Arrow table, without those that are dropped: these may have any type.

    Raises:
        DataError: for a column of lists or similar types.
    """
    kept = [name for name in table.column_names if name not in specification.drop]
    return [_column(name, table.column(name), specification) for name in kept]


def _read(file: Path, path: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is not a whole Parquet file: {error}") from None
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{path}: the column name {twice[0]!r} stands there {names.count(twice[0])} times; names must differ"
        )
    if table.num_rows == 0 or not names:
        raise DataError(f"{path}: holds no rows")
    return table


def _is_large(values: Any) -> bool:
    """Check for whole numbers that doubles may not tell apart."""
    import pyarrow.compute as pc

    ends = pc.min_max(values)
    return any(abs(end.as_py() or 0) > EXACT for end in (ends["min"], ends["max"]))


def _column(name: str, values: Any, specification: Parquet) -> RawColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    types = pa.types
    if types.is_integer(kind) and name not in specification.numeric:
        words = pc.cast(values, pa.string()).drop_null().unique().to_pylist() if _is_large(values) else ()
        if merged(words):
            values, kind = pc.cast(values, pa.string()), pa.string()
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return Numbers(name, np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64))
    if types.is_timestamp(kind) or types.is_date(kind):
        values = pc.cast(values.dictionary_decode() if kind != values.type else values, pa.string())  # as in ISO 8601
    elif types.is_time(kind):
        values = pc.cast(values, pa.time32("s"), safe=False)  # as 23:59:00
    elif not (
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_boolean(kind)
    ):
        raise DataError(
            f"{specification.path}: column {name!r} is of type {kind}; numbers, texts, dates, times and truth values "
            f"are read, so convert it, or say `drop: [{name}]`"
        )
    texts = pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    absent = pc.is_in(texts, value_set=pa.array(["", *specification.missing], pa.string()))
    encoded = pc.if_else(absent, pa.scalar(None, pa.string()), texts).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    column = Words(name, codes, tuple(encoded.dictionary.to_pylist()))
    if specification.notation == PLAIN or name in specification.categorical:
        return column  # a text is meant as one, unless the user knows better
    return specification.notation.read(column) or column
