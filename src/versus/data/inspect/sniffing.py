"""Guess of how to read a file: its format from its name, then details from its first lines or array names."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from versus.data.columns import MISSING, is_number
from versus.data.errors import DataError, listed
from versus.data.sources import delimited, source_files

NOTHING: Mapping[str, Any] = {}
_LATIN = ("cp1250", "cp1252", "cp1254")
_ENCODINGS = (*_LATIN, "cp1251", "koi8_r", "cp1253", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr")
_PARTS = (
    ("train", "test"),
    ("Train", "Test"),
    ("TRAIN", "TEST"),
    ("train", "t10k"),
    (".tra", ".tes"),
    (".trn", ".tst"),
)
_SAMPLE = 1 << 21  # bytes looked at
_FIRST = 50  # rows among which no other counts up
_FEWEST_COUNTED = 3  # numbers in a row that count up, to be names
_LONGEST_PREAMBLE = 50  # lines above a table
_TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".tra")
_OTHER = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arff": "arff",
    ".npz": "npz",
    ".npy": "npy",
    ".h5": "h5",
    ".hdf5": "h5",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
_EXAMPLES = ("x", "data", "images", "features", "x_train", "train/data", "train/x", "train_images")
_TARGETS = ("y", "target", "labels", "label", "y_train", "train/target", "train/y", "train_labels")


def guess(file: Path, target: str | None, given: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """Guess the entry of params.yaml that reads a file, without ``path``; the target may still be missing.

    Args:
        file: the file.
        target: the target column; for arrays, the array of targets; for .npy and idx files, the file of labels.
        given: keys of the entry that are known, such as ``source`` or ``header``; the others are guessed.

    Raises:
        DataError: if the kind of file is unknown, or examples and targets cannot be distinguished.
    """
    ending = Path(source_files.plain_name(file)).suffix.lower()
    if ending not in (*_TEXT, *_OTHER) and is_idx(file):
        return {"source": "idx", **_labels_beside(file, target, "images", "labels", "idx3", "idx1")}
    source = _OTHER.get(ending)
    if source not in (None, "json", "arff") and (source_files.is_zip(file) or source_files.archive(file)):
        raise DataError(f"{file.name}: holds a file {ending}, which is read from no archive; unpack it")
    if source == "npy":
        return {"source": "npy", **_labels_beside(file, target, "X", "y", "images", "labels")}
    if source in ("npz", "h5"):
        return {"source": source, **_arrays(_shapes(file, source), target, file.name)}
    if source == "arff" and "encoding" not in given and (encoding := sample(file)[1]) != "utf-8":
        return {"source": source, "encoding": encoding}
    if source is not None:
        return {"source": source}
    if ending in _TEXT or given.get("source") in ("csv", "tsv") or _is_table(file):
        return dialect(file, target, given)
    raise DataError(
        f"{file.name}: unknown kind of file; known are {', '.join((*_TEXT, *_OTHER))} and idx, by their names"
    )


def _expect_data(file: Path, text: str) -> None:
    """Raise an error for a file that stands where the data should be."""
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype html", "<html", "<?xml")):
        raise DataError(f"{file.name}: is a page of HTML or XML, not a table; a download may have failed: get it again")
    if start.startswith("version https://git-lfs"):
        raise DataError(f"{file.name}: is a pointer of git-lfs, not the data; `git lfs pull` brings them")


def is_idx(file: Path) -> bool:
    """Check that a file is called idx and begins like one: two zeros, then the type and the number of dimensions."""
    if "idx" not in file.name or file.is_dir() or not source_files.exists(file):
        return False
    try:
        with source_files.opened(file) as stream:
            return stream.read(2) == b"\0\0"
    except source_files.DAMAGED:
        return True  # which its reader says better


def _is_table(file: Path) -> bool:
    """Check that a file of an unknown ending is text, whose first lines have equally many fields."""
    text, _ = sample(file)
    if "\0" in text:
        return False
    first = islice(delimited.rows(io.StringIO(text, newline=""), _delimiter(text)), 50)
    widths = {len(row) for _, row in first}
    return len(widths) == 1 and min(widths) > 1


def test_file(file: Path) -> Path | None:
    """Find the file or folder with the same name, but with "test" in place of "train"."""
    for train, test in _PARTS:
        other = file.with_name(test.join(file.name.rsplit(train, 1)))
        if other != file and source_files.exists(other):
            return other
    return None


def sample(file: Path, encoding: str | None = None) -> tuple[str, str]:
    """Read the first whole lines of a file, also gzipped, and their encoding: utf-8 if valid, else detected."""
    with source_files.opened(file) as stream:
        found = stream.read(_SAMPLE)
    encoding = encoding or _encoding(found)
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("replace")
    except LookupError:
        raise DataError(f"{file.name}: unknown encoding {encoding!r}; try utf-8 or latin-1") from None
    text = decoder.decode(found)
    if len(found) == _SAMPLE:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text  # the last line may be cut
    return text, encoding


def _encoding(found: bytes) -> str:
    """Detect the encoding of bytes: by its mark, utf-8 if valid, else by the letters that it would give."""
    if found.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as that of UTF-16
        return "utf-32"
    if found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for order, zeros in (("utf-16-le", found[1:2000:2]), ("utf-16-be", found[:2000:2])):  # without the mark
        if zeros and zeros.count(0) > len(zeros) / 2:
            return order
    try:
        codecs.getincrementaldecoder("utf-8")().decode(found)
        return "utf-8"
    except UnicodeDecodeError as error:
        start = max(error.start - 2000, 0)
    from charset_normalizer import from_bytes

    part = found[start : start + 65536]
    best = from_bytes(part, cp_isolation=list(_ENCODINGS)).best() if sum(byte > 127 for byte in part) > 20 else None
    if best is not None and best.encoding not in _LATIN:
        return best.encoding
    try:  # the alphabets of Europe's west and centre cannot be told apart by their bytes
        found.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"


def dialect(file: Path, target: str | None = None, given: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """Guess the entry for separated values: delimiter, encoding, header and quotes if they differ from the default."""
    text, encoding = sample(file, given.get("encoding"))
    _expect_data(file, text)
    entry: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    skipped = _preamble(text, given.get("delimiter"))
    text = "".join(text.splitlines(keepends=True)[skipped:]) if skipped else text
    delimiter = given.get("delimiter") or _delimiter(text)
    source = given.get("source") or ("tsv" if delimiter == "\t" else "csv")
    if delimiter not in "\t,":
        entry["delimiter"] = delimiter
    rows, plain, loose = (
        [row for _, row in delimited.rows(io.StringIO(text, newline=""), delimiter, **options)]
        for options in ({}, {"quote": False}, {"loose": True})
    )
    if len(plain) > len(rows) and len({len(row) for row in plain}) == 1:
        entry["quote"] = False  # the quotes are part of the text, and would swallow the lines between two of them
        rows = plain
    elif len({len(row) for row in loose}) == 1 and _is_loose(rows) and not _repeats_names(loose, rows):
        entry |= {"loose": True} if delimiter != " " else {}  # which is read so anyway
        rows = loose
    if rows and not given.get("header", has_header(rows, target)):
        entry["header"] = False
    if skipped:
        entry["preamble"] = True
    return {"source": source, **entry}


def _preamble(text: str, delimiter: str | None) -> int:
    """Count the lines of comments or a title above a table, whose rows all have the same number of fields."""
    lines = text.splitlines(keepends=True)
    for place in (place for place, line in enumerate(lines[:_LONGEST_PREAMBLE]) if line.strip()):
        rest = "".join(lines[place : place + _LONGEST_PREAMBLE]) if place else text
        separator = delimiter or _delimiter(rest)
        first = islice(delimited.rows(io.StringIO(rest, newline=""), separator), 50)
        widths = {len(row) for _, row in first}
        if len(widths) == 1 and min(widths) > 1:
            return place if delimited.before_table(lines[:_LONGEST_PREAMBLE], separator) == place else 0
    return 0


def _repeats_names(rows: Sequence[Sequence[str]], before: Sequence[Sequence[str]]) -> bool:
    """Check for a header that was one name too short, above rows whose first values are no names: some are equal."""
    firsts = [row[0] for row in rows[1:]]
    return len(rows[0]) > len(before[0]) and len(set(firsts)) < len(firsts)


def _is_loose(rows: Sequence[Sequence[str]]) -> bool:
    """Check that rows differ in length, or that quotes follow a blank."""
    return len({len(row) for row in rows}) > 1 or any(re.match(r'\s+"', field) for row in rows for field in row)


def _delimiter(text: str) -> str:
    """Find the separator that splits the first lines into equally many fields; if several do, that with the most.

    The comma comes last: if all lines have semicolons, commas are decimal separators, as in 1,5;2,5.
    """
    best, most = ",", 1
    for candidate in "\t;|":
        first = islice(delimited.rows(io.StringIO(text, newline=""), candidate, loose=True), 50)
        widths = [len(row) for _, row in first]
        if widths and min(widths) == max(widths) > most:
            best, most = candidate, widths[0]
    if best == "\t" and _blanks_part_numbers(text, most):
        return " "
    first = islice(delimited.rows(io.StringIO(text, newline=""), " ", loose=True), 50)
    blanks = {len(row) for _, row in first}
    lines = text.splitlines()[:50]
    if best == "," and len(blanks) == 1 and min(blanks) > 1 and not any("," in line for line in lines):
        return " "
    return best


def _blanks_part_numbers(text: str, columns: int) -> bool:
    """Check that fields between tabs hold several numbers, and that blanks, too, part all rows into more columns."""
    first = list(islice(delimited.rows(io.StringIO(text, newline=""), "\t"), 50))
    if not any(len(words := field.split()) > 1 and all(map(is_number, words)) for _, row in first for field in row):
        return False
    widths = {len(row) for _, row in islice(delimited.rows(io.StringIO(text, newline=""), " "), 50)}
    return len(widths) == 1 and min(widths) > columns


def has_header(rows: Sequence[Sequence[str]], target: str | None = None) -> bool:
    """Guess if the first row names the columns.

    A target among its fields decides for names, as do a word above a column of figures, and figures that count up by
    one in the first row alone, such as years or the names that pandas gives; a target named like columns without a
    header (c0, c1, …) decides against. Otherwise fields vote: a new word above repeated values, or a number above
    repeated words, counts for names; another number, or a value that occurs again below, for data.
    """
    first = [field.strip() for field in rows[0]]
    if target is not None and (target in first or re.fullmatch(r"c\d+", target)):
        return target in first
    if len(set(first)) == len(first) and _counts_up(first) and not any(map(_counts_up, rows[1:_FIRST])):
        return True
    votes = []
    for place, name in enumerate(first):
        below = [row[place].strip() for row in rows[1:] if place < len(row)]
        values = {value for value in below if value and value not in MISSING}
        known = _is_figure(name) or name in MISSING
        if re.search(r"[^\W\d]", name) and not known and values and all(map(_is_figure, values)):
            return True
        repeated = 1 < len(values) <= len(below) / 5
        if _is_figure(name) and repeated and not any(re.search(r"\d", value) for value in values):
            votes.append(1)
        elif known or name in values:
            votes.append(-1)
        elif name and len(values) <= len(below) / 2:
            votes.append(1)
    return sum(votes) >= 0 and len(set(first)) == len(first)


def _counts_up(row: Sequence[str]) -> bool:
    """Check that the whole numbers of a row, three or more and beside them one field at most, are n, n + 1, …"""
    counted = [int(field) for field in row if re.fullmatch(r"\d{1,6}", field.strip())]
    enough = len(counted) >= max(_FEWEST_COUNTED, len(row) - 1)
    return enough and counted == list(range(counted[0], counted[0] + len(counted)))


def _is_figure(field: str) -> bool:
    """Check that a field is a number in any notation, or a date in digits: it has digits and no letters."""
    return is_number(field) or (re.search(r"\d", field) is not None and re.search(r"[^\W\d_]", field) is None)


def _shapes(file: Path, source: str) -> dict[str, tuple[int, ...]]:
    """Shape of each array in a file."""
    found: dict[str, tuple[int, ...]] = {}
    try:
        if source == "npz":
            with np.load(file, allow_pickle=False) as content:
                return {name: content[name].shape for name in content.files}
        import h5py

        with h5py.File(file, "r") as content:
            content.visititems(
                lambda name, item: found.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None
            )
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file.name}: cannot be read: {error}") from None
    return found


def _arrays(shapes: Mapping[str, tuple[int, ...]], target: str | None, file: str) -> dict[str, str]:
    """Find the names of the arrays of examples and targets, also of the test set."""
    y = target or _named(shapes, _TARGETS, lambda shape: len(shape) == 1)
    x = _named(shapes, _EXAMPLES, lambda shape: len(shape) > 1)
    if x is None or y is None or y not in shapes:
        raise DataError(
            f"{file}: has the arrays {listed(shapes)}; say in params.yaml which is the one of examples, `x`, and which "
            "that of targets, `y`"
        )
    entry = {} if (x, y) == ("X", "y") else {"x": x, "y": y}
    test_x, test_y = x.replace("train", "test"), y.replace("train", "test")
    if {test_x, test_y} <= shapes.keys() and test_x != x and test_y != y:
        entry |= {"test_x": test_x, "test_y": test_y}
    return entry


def _named(shapes: Mapping[str, tuple[int, ...]], words: Sequence[str], fits: Any) -> str | None:
    fitting = [name for name, shape in shapes.items() if fits(shape)]
    named = [name for word in words for name in fitting if name.lower() == word]
    if named:
        return named[0]
    return fitting[0] if len(fitting) == 1 else None


def _labels_beside(file: Path, target: str | None, *words: str) -> dict[str, str]:
    """Find the files of labels and test set beside a file of images or examples."""
    images, labels, examples, targets = words
    beside = Path(target).name if target else file.name.replace(images, labels).replace(examples, targets)
    if beside == file.name or not file.with_name(beside).is_file():
        raise DataError(f"{file.name}: which file beside it holds the labels? Give its name as the target")
    entry = {"labels": beside}
    tests = test_file(file), test_file(file.with_name(beside))
    if tests[0] is not None and tests[1] is not None:
        entry |= {"test_path": tests[0].name, "test_labels": tests[1].name}
    return entry
