"""Comma- and tab-separated files, with Arrow's reader: strict about the number of fields, all values read as text."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from versus.data.columns import RawColumn, RawTable, Words
from versus.data.errors import DataError, listed, unknown
from versus.data.sources import source_files
from versus.data.sources.text_columns import TextColumns
from versus.data.table_specification import Csv, Tsv

_BLOCK = 1 << 22  # bytes Arrow reads at a time
_LOOKED_AT = 100  # first lines of a file, among which its table begins
_LONGEST = 1 << 30  # characters of a field that `csv` reads; by default 131,072, which a document can exceed


def load(specification: Csv | Tsv, base: Path) -> RawTable:
    """Read the file, followed by the rows of the test file if there is one.

    Raises:
        DataError: if a file is missing, empty, ragged, not in its encoding, or repeats a column name.
    """
    files = [path for path in (specification.path, specification.test_path) if path is not None]
    names = [_names(source_files.locate(base, path), path, specification)[1] for path in files]
    for path, found in zip(files[1:], names[1:], strict=True):
        if sorted(found) != sorted(names[0]):
            raise DataError(f"{path}: has the columns {listed(found)}; {files[0]} has {listed(names[0])}")
    columns = TextColumns(names[0], specification)
    counts = _gather(columns, specification, base, files, names)
    again = TextColumns(columns.unfinished, specification, as_texts=True)
    if columns.unfinished:
        _gather(again, specification, base, files, names)
    complete = [(again if name in columns.unfinished else columns).column(name) for name in names[0]]

    def locate(row: int) -> str:
        part = int(row >= counts[0])
        row -= counts[0] * part
        line = _line(source_files.locate(base, files[part]), specification, row)
        return f"{files[part]}, row {row + 1} (line {line})"

    spanning = [
        column.name for column in complete if isinstance(column, Words) and any("\n" in w for w in column.words)
    ]
    warnings = [
        f"column {name!r} has values with line breaks; if quotes are part of the text, say `quote: false`"
        for name in spanning
    ]
    return RawTable(specification.path, complete, sum(counts[1:]), locate, warnings=warnings)


def _gather(
    columns: TextColumns, specification: Csv | Tsv, base: Path, files: Sequence[str], names: Sequence[Sequence[str]]
) -> list[int]:
    """Read all files into columns, a block at a time; return the number of rows of each."""
    counts = []
    for path, found in zip(files, names, strict=True):
        before = columns.rows
        places = [found.index(name) for name in columns.names]
        for batch in _batches(source_files.locate(base, path), path, specification):
            columns.add(batch.column(place) for place in places)
        counts.append(columns.rows - before)
        if not counts[-1]:
            raise DataError(f"{path}: holds no rows{' below its header' if specification.header else ''}")
    return counts


def named(raw: RawTable, name: str) -> RawColumn:
    """Return the column of that name.

    Raises:
        DataError: if there is none; the message lists the columns.
    """
    found = {column.name: column for column in raw.columns}
    if name not in found:
        raise DataError(f"{raw.file}: {unknown('column', name, found)}")
    return found[name]


def _batches(file: Path, path: str, specification: Csv | Tsv) -> Iterator[Any]:
    """Yield blocks of one file as Arrow batches of texts; every row must have all columns."""
    import pyarrow as pa
    import pyarrow.csv

    raw, names = _names(file, path, specification)
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "error"

    rewritten = _is_loose(specification)
    options = {
        "read_options": pyarrow.csv.ReadOptions(
            use_threads=False,  # so that a ragged row is given with its number
            block_size=_BLOCK,
            column_names=None if specification.header else raw,
            skip_rows=0 if rewritten else _preamble(file, specification),
            encoding="utf-8" if rewritten else specification.encoding,
        ),
        "parse_options": pyarrow.csv.ParseOptions(
            delimiter="," if rewritten else specification.delimiter,
            quote_char='"' if specification.quote or rewritten else False,
            newlines_in_values=specification.quote or rewritten,
            invalid_row_handler=note,
        ),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(raw, pa.string()), strings_can_be_null=False
        ),
    }
    try:
        with _strict(file, specification) if rewritten else source_files.opened(file) as stream:
            yield from pyarrow.csv.open_csv(stream, **options)
    except (pa.ArrowInvalid, UnicodeError, *source_files.DAMAGED) as error:
        raise DataError(_complaint(file, path, specification, len(names), ragged, error)) from None


def _is_loose(specification: Csv | Tsv) -> bool:
    return specification.delimiter == " " or specification.loose


def _strict(file: Path, specification: Csv | Tsv) -> io.BytesIO:
    """Write the rows of a file again in the form that Arrow reads: commas, and quotes where a value needs them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(fields for _, fields in _records(file, specification))
    return io.BytesIO(text.getvalue().encode())


def _names(file: Path, path: str, specification: Csv | Tsv) -> tuple[list[str], list[str]]:
    """Names of the columns, as in the file and as used: c0, c1, … without a header or for an empty name."""
    try:
        first = next((fields for _, fields in _records(file, specification)), None)
    except UnicodeDecodeError:
        raise DataError(_not_decodable(file, path, specification.encoding)) from None
    except source_files.DAMAGED as error:
        raise DataError(f"{path}: cannot be read to its end ({error}); it may be cut off, get it again") from None
    except LookupError:
        raise DataError(f"{path}: unknown encoding {specification.encoding!r}; try utf-8 or latin-1") from None
    if first is None:
        raise DataError(f"{path}: is empty; wants a header and rows of values")
    if not specification.header:
        names = [f"c{place}" for place in range(len(first))]
        return names, names
    names = [field.strip() or f"c{place}" for place, field in enumerate(first)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [str(place + 1) for place, name in enumerate(names) if name == twice[0]]
        raise DataError(
            f"{path}, line 1: the column name {twice[0]!r} stands at columns {', '.join(places)}; names must differ"
            f"{' (or give header: false, if the first line is data)' if len(twice) > 1 else ''}"
        )
    return first, names


def _records(file: Path, specification: Csv | Tsv) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of each row that is not blank, to read the header and to locate a row."""
    skipped = _preamble(file, specification)
    with _text(file, specification) as text:
        for _ in range(skipped):
            text.readline()
        for line, fields in rows(text, specification.delimiter, specification.quote, _is_loose(specification)):
            yield skipped + line, fields


def _text(file: Path, specification: Csv | Tsv) -> io.TextIOWrapper:
    """Open a file as text, without the mark that UTF-8 may begin with."""
    encoding = "utf-8-sig" if specification.encoding.lower() in ("utf-8", "utf8") else specification.encoding
    return io.TextIOWrapper(source_files.opened(file), encoding=encoding, newline="")


def _preamble(file: Path, specification: Csv | Tsv) -> int:
    """Count the lines of a file before its table."""
    if not specification.preamble:
        return 0
    with _text(file, specification) as text:
        return before_table(list(islice(text, _LOOKED_AT)), specification.delimiter)


def before_table(lines: Sequence[str], delimiter: str) -> int:
    """Count the first lines that are no rows: blank, with #, % or // before them, or of at most half the fields.

    So is the line ``sep=;`` by which Excel is told the separator.
    """
    widths = [max((len(fields) for _, fields in rows([line], delimiter)), default=0) for line in lines]
    usual, _ = Counter(width for width in widths if width > 0).most_common(1)[0] if any(widths) else (0, 0)
    for place, (line, width) in enumerate(zip(lines, widths, strict=True)):
        remark = re.match(r"\s*(#|%|//)", line) is not None and width != usual
        remark = remark or (place == 0 and re.fullmatch(r"sep=.\s*", line, re.IGNORECASE) is not None)
        if not remark and 2 * width > usual:
            return place
    return 0


def rows(
    text: Iterable[str], delimiter: str, quote: bool = True, loose: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of each row that is not blank; the text must be opened with ``newline=""``, as for `csv`.

    Args:
        text: its lines.
        delimiter: the separator; a blank stands for any number of blanks and tabs.
        quote: True if double quotes enclose values.
        loose: True to allow blanks before quotes, a delimiter at the end of rows that have one field too many, and a
            header without a name for the first column, as R writes tables with row names.
    """
    csv.field_size_limit(_LONGEST)
    if delimiter == " ":
        text = (re.sub(r"[ \t]+", " ", line).strip(" \r\n") + "\n" for line in text)
    reader = csv.reader(
        text,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=loose,
    )
    found = ((reader.line_num, fields) for fields in reader if fields)
    first = list(islice(found, 2))
    if loose and len(first) == 2 and len(first[1][1]) == len(first[0][1]) + 1 and first[1][1][-1]:
        first[0][1].insert(0, "")
    width = len(first[0][1]) - (first[0][1][-1] == "") if first else 0
    for line, fields in chain(first, found):
        ended = loose and len(fields) == width + 1 and fields[-1] == ""
        yield line, fields[:-1] if ended else fields


def _line(file: Path, specification: Csv | Tsv, row: int) -> int:
    """Find the line on which a row of data ends, by reading the file again."""
    wanted = row + int(specification.header)
    return next((line for place, (line, _) in enumerate(_records(file, specification)) if place == wanted), -1)


def _complaint(
    file: Path, path: str, specification: Csv | Tsv, width: int, ragged: Sequence[Any], error: Exception
) -> str:
    """Build the error message for a file that Arrow could not read."""
    if ragged:
        first = [len(fields) for _, fields in islice(_records(file, specification), 1, 4)]
        if specification.header and first == 3 * [width + 1]:
            return (
                f"{path}: its rows have {width + 1} fields and its header {width}, as R writes rows with names; say "
                "`loose: true`, or give the first column a name"
            )
        for line, fields in _records(file, specification):
            if len(fields) != width:
                return (
                    f"{path}, line {line}: has {len(fields)} fields where {width} are expected: "
                    f"{ragged[0].text[:80]!r}; every row wants one value a column, separated by "
                    f"{specification.delimiter!r}"
                )
    if isinstance(error, source_files.DAMAGED):
        return f"{path}: cannot be read to its end ({error}); it may be cut off, get it again"
    if "UTF8" in str(error) or isinstance(error, UnicodeError):
        return _not_decodable(file, path, specification.encoding)
    return f"{path}: is not a table of separated values: {error}"


def _not_decodable(file: Path, path: str, encoding: str) -> str:
    with source_files.opened(file) as stream:
        content = stream.read()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return (
            f"{path}, line {line}: byte {error.start} ({content[error.start]:#04x}) is not {encoding}; "
            "say `encoding: latin-1`, or whichever the file is in"
        )
    return f"{path}: is not {encoding}"
