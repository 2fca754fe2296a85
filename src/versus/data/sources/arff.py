"""ARFF, Weka's format: declared columns, then rows of quoted or bare values, ``?`` for a missing one.

Rows are dense, ``1,red``, or sparse, ``{0 1, 3 red}``, where a column that is not named is 0, or the first declared
value. A weight, ``{2}``, may end a row; it is left aside.

Format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/. This reader exists because SciPy's
rejects text columns, accepts rows that are too long, and reports faults without their line.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from versus.data.columns import Numbers, RawColumn, RawTable, Words, number
from versus.data.errors import DataError, listed
from versus.data.sources import source_files
from versus.data.table_specification import Arff

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(.*)", re.IGNORECASE)
_FIELD = re.compile(rf"\s*({_QUOTED}|[^,'\"]*?|[^,'\"][^,]*?)\s*(,|$)")
# {value, …}, then a comment perhaps; a brace in quotes is part of a value, and so is a quote inside a word
_NOMINAL = re.compile(rf"\{{((?:(?<!\w)(?:{_QUOTED})|[^'\"]|(?<=\w)['\"])*?)\}}\s*(?:%.*)?")
_NUMERIC = ("numeric", "real", "integer")
_BLANKS = re.compile(rf"\s+(?=(?:[^'\"]|{_QUOTED})*$)")  # outside quotes
_PAIR = re.compile(rf"\s*(\d+)\s+({_QUOTED}|[^,'\"\s][^,]*?)\s*(?:,|$)")
_WEIGHT = re.compile(r"\s*,\s*\{\s*[\d.]+\s*\}$")


@dataclass(frozen=True)
class Attribute:
    """Declared column.

    Args:
        name, numeric: its name, and True for numbers.
        values: the allowed values of a nominal column, None for any value.
        usual: its value in a sparse row that does not name it.
    """

    name: str
    numeric: bool
    values: frozenset[str] | None = None
    usual: str | None = None


@dataclass(frozen=True)
class _Content:
    """Content of one file: values by column, and the line of each row."""

    attributes: list[Attribute]
    columns: list[list[str | None]]
    lines: list[int]

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the file's order."""
        return [attribute.name for attribute in self.attributes]

    def column(self, name: str) -> list[str | None]:
        """Values of one column."""
        return self.columns[self.names.index(name)]


def load(specification: Arff, base: Path) -> RawTable:
    """Read the file, followed by the rows of the test file if there is one; see `parse`."""
    files = [path for path in (specification.path, specification.test_path) if path is not None]
    located = {path: source_files.locate(base, path) for path in files}
    return parse(located, specification.missing, specification.encoding)


def parse(files: dict[str, Path], missing: Iterable[str] = (), encoding: str = "utf-8") -> RawTable:
    """Read one file, or two with the same columns, the second being the official test set.

    Args:
        files: name of a file in messages -> the file.
        missing: texts that mean "no value", besides the unquoted ``?``.
        encoding: of the text.

    Raises:
        DataError: if a file breaks the format, with the line; or if it is relational.
    """
    absent = frozenset(missing)
    contents = [_read(file, path, absent, encoding) for path, file in files.items()]
    names = contents[0].names
    for path, content in list(zip(files, contents, strict=True))[1:]:
        found = content.names
        if sorted(found) != sorted(names):
            raise DataError(f"{path}: has the columns {listed(found)}; {next(iter(files))} has {listed(names)}")
    columns = [
        _column(attribute, [value for content in contents for value in content.column(attribute.name)])
        for attribute in contents[0].attributes
    ]
    n_test = sum(len(content.lines) for content in contents[1:])
    return RawTable(next(iter(files)), columns, n_test, _locator(list(files), contents), typed=True)


def _locator(files: Sequence[str], contents: Sequence[_Content]) -> Callable[[int], str]:
    ends = np.cumsum([0, *(len(content.lines) for content in contents)])

    def locate(row: int) -> str:
        part = next(place for place, (low, high) in enumerate(pairwise(ends)) if low <= row < high)
        within = row - int(ends[part])
        return f"{files[part]}, row {within + 1} (line {contents[part].lines[within]})"

    return locate


def _read(file: Path, path: str, absent: frozenset[str], encoding: str) -> _Content:
    lines = _lines(file, path, encoding)
    attributes = _header(lines, path)
    if not attributes:
        raise DataError(f"{path}: declares no columns; wants `@attribute name type` lines above `@data`")
    names = [attribute.name for attribute in attributes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the column {twice[0]!r} is declared {names.count(twice[0])} times; names must differ")
    columns: list[list[str | None]] = [[] for _ in attributes]
    numbers: list[int] = []
    for line, text in lines:
        for column, value in zip(columns, _row(text, attributes, absent, f"{path}, line {line}"), strict=True):
            column.append(value)
        numbers.append(line)
    if not numbers:
        raise DataError(f"{path}: holds no rows below @data")
    return _Content(attributes, columns, numbers)


def _lines(file: Path, path: str, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) without comments and blank lines."""
    try:
        with source_files.opened(file) as stream:
            content = stream.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read to its end ({error}); it may be cut off, get it again") from None
    try:
        text = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte {error.start} ({content[error.start]:#04x}) is not {encoding}; "
            "say `encoding: latin-1`, or whichever the file is in"
        ) from None
    except LookupError:
        raise DataError(f"{path}: unknown encoding {encoding!r}; try utf-8 or latin-1") from None
    for place, line_text in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        stripped = line_text.strip()
        if stripped and not stripped.startswith("%"):
            yield place, stripped


def _header(lines: Iterator[tuple[int, str]], path: str) -> list[Attribute]:
    """Read the declared columns; ``lines`` then continues after ``@data``."""
    attributes: list[Attribute] = []
    for line, text in lines:
        keyword = text.split(None, 1)[0].lower()
        if keyword == "@data":
            return attributes
        if keyword == "@attribute":
            attributes.append(_attribute(text, f"{path}, line {line}"))
        elif keyword != "@relation":
            raise DataError(f"{path}, line {line}: {text[:60]!r} is neither @relation, @attribute nor @data")
    raise DataError(f"{path}: has no @data line; it is no ARFF file, or is cut off")


def _attribute(text: str, where: str) -> Attribute:
    found = _ATTRIBUTE.fullmatch(text)
    if found is None:
        raise DataError(f"{where}: {text[:60]!r} is no declaration; wants `@attribute name type`")
    name, kind = _bare(found[1]), found[2].strip()
    word = re.split(r"[^a-z]", kind.lower(), maxsplit=1)[0]  # a range can follow, integer[1,5], or a comment
    nominal = _NOMINAL.fullmatch(kind)
    if nominal is not None:
        values = [_bare(value) for value in _fields(nominal[1], where)]
        return Attribute(name, False, frozenset(values), values[0])
    if word in _NUMERIC:
        return Attribute(name, True, usual="0")
    if word in ("string", "date"):
        return Attribute(name, False)
    raise DataError(f"{where}: column {name!r} has the type {kind[:40]!r}; wants numeric, string or {{value, …}}")


def _fields(text: str, where: str) -> list[str]:
    fields = []
    at = 0
    while True:
        found = _FIELD.match(text, at)
        if found is None:
            raise DataError(f"{where}: cannot be split into values at {text[at : at + 40]!r}; is a quote left open?")
        fields.append(found[1])
        if not found[2]:
            return fields
        at = found.end()


def _bare(field: str) -> str:
    """Remove the quotes and escapes of a value."""
    if len(field) >= 2 and field[0] == field[-1] and field[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", field[1:-1]).strip()
    return field.strip()


def _row(text: str, attributes: Sequence[Attribute], absent: frozenset[str], where: str) -> Iterator[str | None]:
    if text.endswith("}"):
        text = _WEIGHT.sub("", text)
    plain = "'" not in text and '"' not in text and text[:1] != "{"  # the usual case, and much the faster one
    fields = [field.strip() for field in text.split(",")] if plain else _sparse_or_quoted(text, attributes, where)
    if len(fields) == 1 < len(attributes):
        text, plain = _BLANKS.sub(",", text), False
        fields = _fields(text, where)
    if len(fields) != len(attributes):
        raise DataError(f"{where}: has {len(fields)} values where {len(attributes)} columns are declared")
    for field, attribute in zip(fields, attributes, strict=True):
        value = None if field in ("?", "") else field if plain else _bare(field)
        if value in absent or (attribute.numeric and str(value).lower() == "nan"):
            value = None
        if value is not None and attribute.numeric and math.isnan(number(value)):
            raise DataError(f"{where}: column {attribute.name!r} is declared numeric and holds {value!r}")
        if value is not None and attribute.values is not None and value not in attribute.values:
            raise DataError(
                f"{where}: column {attribute.name!r} holds {value!r}; declared are {listed(sorted(attribute.values))}"
            )
        yield value


def _sparse_or_quoted(text: str, attributes: Sequence[Attribute], where: str) -> list[str]:
    """Split a row; a sparse one names its columns by their places, and the others have their usual value."""
    if not text.startswith("{"):
        return _fields(text, where)
    fields = ["?" if attribute.usual is None else attribute.usual for attribute in attributes]
    inner, at = text[1:].removesuffix("}").strip(), 0
    while at < len(inner):
        found = _PAIR.match(inner, at)
        if found is None or not text.endswith("}"):
            raise DataError(f"{where}: {text[:60]!r} is no sparse row; wants `{{place value, place value}}`")
        if int(found[1]) >= len(fields):
            raise DataError(f"{where}: names the column {found[1]}; {len(fields)} are declared, from 0")
        fields[int(found[1])] = found[2]
        at = found.end()
    return fields


def _column(attribute: Attribute, values: Sequence[str | None]) -> RawColumn:
    if attribute.numeric:
        numbers = (math.nan if value is None else number(value) for value in values)
        return Numbers(attribute.name, np.fromiter(numbers, dtype=np.float64, count=len(values)))
    words = {word: code for code, word in enumerate(dict.fromkeys(value for value in values if value is not None))}
    codes = (-1 if value is None else words[value] for value in values)
    return Words(attribute.name, np.fromiter(codes, dtype=np.int64, count=len(values)), tuple(words))
