"""Inspection of a user's table: target, spellings of missing values, rare classes, identifier columns."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data import dates
from versus.data.columns import EXACT, Numbers, RawColumn, RawTable, Words, as_words, merged
from versus.data.encoding import MOST_VALUES, encode, may_be_pixels, strays
from versus.data.errors import DataError, listed, unknown
from versus.data.inspect import doubts, notations, sniffing, text_files
from versus.data.inspect.notations import is_quantity
from versus.data.notation import PLAIN, Notation
from versus.data.preparation import load, parse, read
from versus.data.prepared import Dataset
from versus.data.spaces import Table

_MANY_CLASSES = 20  # whole numbers with more values than this, some of them rare, are a quantity, not a class
_FEW_ROWS = 0.05  # at most this share of the rows is proposed to be left out for being of rare classes
_ID = re.compile(r"(?:^|[_\W])(?i:id|uid|index|no|nr|number|key)\.?$|[a-z](?:I[Dd]|N[or]|Number|Key)$|^(?i:unnamed)")
_SEQUENCE_NAMES = ("sequence", "sequence_id", "seq", "seq_id", "series", "series_id")
_TARGET_NAMES = ("target", "class", "label", "y", "outcome", "species", "diagnosis")


def complete(
    entry: dict[str, Any], path: Path, folder: str, target: str | None, base: Path, notes: list[str]
) -> Dataset:
    """Complete an entry of params.yaml from the columns.

    Args:
        entry: the entry, changed in place.
        path: the file.
        folder: its folder as written in params.yaml, with the slash.
        target: name of the target column; guessed if None.
        base: folder that the paths in ``entry`` are relative to.
        notes: list to which the guesses and their reasons are added.

    Returns:
        The data as read by the completed entry.
    """
    known = dict(entry)
    if entry.get("preamble"):
        notes.append("the lines above the table, which are comments or a title, are skipped")
    entry["target"] = target or "?"  # readers do not look at it
    raw = _read(entry, base)
    if entry["source"] != "arff" and _notation(entry, raw, base, notes):
        raw = _read(entry, base)
    if target is None:
        entry["target"] = guess_target(raw)
        notes.append(f"no target was named; {entry['target']!r} is taken for it")
    names = [column.name for column in raw.columns]
    doubts.expect_one_header(raw, path.name)
    if entry["target"] not in names:
        raise DataError(f"{path.name}: target: {unknown('column', entry['target'], names)}")
    test = sniffing.test_file(path) if "test_path" not in known else None
    if test is not None and _is_test_set(test, {**entry, "path": f"{folder}{test.name}"}, names, base, notes):
        entry["test_path"] = f"{folder}{test.name}"
        raw = _read(entry, base)
    missing = _missing(raw, entry["target"], parse(entry).notation) if "missing" not in known else []
    if missing:
        entry["missing"] = [*parse(entry).missing, *missing]
        notes.append(f"{', '.join(missing)} among numbers is taken to mean that the value is missing")
        raw = _read(entry, base)
    if entry["source"] in ("csv", "tsv") and _spelled_class(entry, raw, base, notes):
        raw = _read(entry, base)
    columns = {column.name: column for column in raw.columns}
    _sequence(entry, raw, notes)
    if not _lasts(entry, columns[entry["target"]], notes):
        name_classes(entry, columns[entry["target"]], raw.n_test, notes)
    decided = {name for key in ("categorical", "numeric", "drop", "dates") for name in entry.get(key, ())}
    decided |= {entry.get("group"), entry.get("time"), entry.get("weight"), entry.get("sequence")}
    given = bool(decided - {None})
    dated = _dates(entry, raw, notes)
    decided |= dated
    identifiers = [name for name in _identifiers(raw, entry["target"]) if name not in decided]
    text, texts = text_files.text_column(raw, entry["target"], identifiers, dated)
    if text is not None and entry["source"] in ("csv", "tsv") and not given:
        delimiter = {"delimiter": "\t"} if entry["source"] == "tsv" else {}
        entry |= {"source": "documents", "text": text, **delimiter}
        for option in ("missing", "decimal", "thousands", "symbols", "loose", "dates"):
            entry.pop(option, None)
        notes.append(f"{text!r} holds texts: documents to be classified; other columns are left aside")
        return load(parse(entry), base, base)[0]
    useless = [name for name in dict.fromkeys([*identifiers, *texts]) if name not in decided]
    _drop(entry, raw, useless, notes)
    notes += doubts.notes(raw, entry["target"], {*decided, *entry.get("drop", ())})
    if entry["source"] in ("csv", "tsv") and "decimal" not in entry:
        notes += doubts.perhaps_thousands(raw, {*decided, *entry.get("drop", ())})
    dataset = encode(raw, parse(entry))
    name_discrete(raw, dataset, entry, notes)
    return dataset


def _sequence(entry: dict[str, Any], raw: RawTable, notes: list[str]) -> None:
    """Take the rows for steps of sequences where a column is called so, and those of one value are neighbours."""
    if {"task", "sequence", "group", "time", "weight", "shape"} & entry.keys():
        return
    for column in raw.columns:
        if column.name.lower() not in _SEQUENCE_NAMES or column.name == entry["target"] or column.missing.any():
            continue
        codes = as_words(column).codes
        if 2 <= codes.max() + 1 <= len(codes) / 2 and (np.diff(codes) != 0).sum() == codes.max():
            entry["sequence"] = column.name
            notes.append(
                f"rows of one {column.name!r} are taken for the steps of a sequence, and {entry['target']!r} for their "
                "tags; if each row stands for itself, say `--task classification`"
            )
            return


def _notation(entry: dict[str, Any], raw: RawTable, base: Path, notes: list[str]) -> bool:
    """Add the number notation to the entry; return False if that changes nothing."""
    if {"thousands", "symbols"} & entry.keys():
        return False
    written, said = notations.guess(raw.columns, entry.get("delimiter", ""), entry.pop("decimal", None))
    options = {**asdict(written), "symbols": list(written.symbols)}
    entry |= {key: value for key, value in options.items() if value != asdict(PLAIN)[key] and value != []}
    notes += said
    if written.decimal == "," and written.thousands in (None, "."):  # then 1.234 in another column is above a thousand
        grouped = _read({**entry, "thousands": "."}, base)
        changed = [
            old.name
            for old, new in zip(raw.columns, grouped.columns, strict=True)
            if isinstance(old, Numbers) and isinstance(new, Numbers)
            if not np.array_equal(old.values, new.values, equal_nan=True)
        ]
        if changed:
            entry["thousands"] = "."
            reason = "in other columns" if written.thousands else "decimals have commas"
            notes.append(
                f"{', '.join(changed)}: points are taken to part thousands, as {reason}; if they are decimal points, "
                "write all columns in one notation"
            )
    return bool(said) or "thousands" in entry


def _spelled_class(entry: dict[str, Any], raw: RawTable, base: Path, notes: list[str]) -> bool:
    """Take a text such as NA for a class if several rows of a target of words have it; return False if none do."""
    column = next(column for column in raw.columns if column.name == entry["target"])
    if isinstance(column, Numbers) or not column.missing.any():
        return False
    target = {"categorical": [*entry.get("categorical", ()), column.name]}
    written = next(c for c in _read(entry | target, base).columns if c.name == column.name)
    if written.missing.any():
        return False
    texts = sorted(set(as_words(written).words) - set(as_words(column).words))
    entry |= target
    notes.append(
        f"{', '.join(texts)} is taken for a class of {column.name!r}; if it means that none is known, say "
        f"`label_map: {{{texts[0]}: null}}`, which leaves these rows out"
    )
    return True


def _is_test_set(test: Path, entry: dict[str, Any], names: list[str], base: Path, notes: list[str]) -> bool:
    """Check that a file found beside the main one has the same columns and known targets; if not, add a note."""
    found = {column.name: column for column in _read(entry, base).columns}
    answers = found.pop(entry["target"], None)
    lacking = [name for name in names if name not in found and name != entry["target"]]
    extra = [name for name in found if name not in names]
    if lacking or extra:
        differ = [*(f"has no {name!r}" for name in lacking), *(f"has {name!r} besides" for name in extra)]
        notes.append(f"{test.name} beside it has other columns and is left aside: it {differ[0]}")
    elif answers is None or answers.missing.all():
        notes.append(f"{test.name} beside it has no {entry['target']!r}, so it is no test set; `predict` takes it")
    else:
        notes.append(f"{test.name} beside it is taken as the official test set")
        return True
    return False


def _drop(entry: dict[str, Any], raw: RawTable, names: list[str], notes: list[str]) -> None:
    """Drop columns that name the rows, unless there are no others."""
    given = entry.get("drop", [])
    if 0 < len(names) < len(raw.columns) - len(given) - 1:
        entry["drop"] = [*given, *names]
        notes.append(f"{', '.join(names)}: each row has a value of its own, so nothing can be learnt from it; dropped")


def _lasts(entry: dict[str, Any], column: RawColumn, notes: list[str]) -> bool:
    """Take a target of durations for a quantity; return False if it is none."""
    if isinstance(column, Numbers) or {"task", "label_map", "sequence"} & entry.keys():
        return False
    formats = dates.durations(as_words(column).words)
    if not formats or column.name in entry.get("categorical", ()):
        return False
    entry["dates"] = {**entry.get("dates", {}), column.name: formats[0]}
    notes.append(f"{column.name!r} holds durations, read as {formats[0]}: the hours are a quantity, so a regression")
    return True


def _dates(entry: dict[str, Any], raw: RawTable, notes: list[str]) -> set[str]:
    """Find columns of dates or durations and add their formats to the entry; return their names."""
    said = {name for key in ("categorical", "numeric", "drop", "dates") for name in entry.get(key, ())}
    found: dict[str, str] = {}
    used = {*said, entry["target"], entry.get("group"), entry.get("weight")}
    for column in (c for c in raw.columns if c.name not in used and (isinstance(c, Words) or _may_be_days(c))):
        formats = dates.guess(as_words(column).words)
        if not formats or (column.name == entry.get("time") and formats[0] == dates.ISO):
            continue
        found[column.name] = formats[0]
        other = f" (or as {formats[1]}? say `--set 'dates={{{column.name}: \"{formats[1]}\"}}'`)" if formats[1:] else ""
        what = f"{dates.noun(formats[0])}s, read as {formats[0]}{other}"
        notes.append(f"{column.name!r} holds {what}; {_use(column, formats[0], entry)}")
    if found:
        entry["dates"] = {**entry.get("dates", {}), **found}
    return set(found)


def _may_be_days(column: Numbers) -> bool:
    """Check for numbers such as 20240131."""
    known = column.values[~column.missing]
    return len(known) > 0 and bool(known.min() >= 19000101 and known.max() <= 20991231)


def _use(column: RawColumn, form: str, entry: dict[str, Any]) -> str:
    """Say what becomes of a column of dates."""
    if column.name == entry.get("time"):
        return "rows are split in their order"
    moments = dates.read(as_words(column).words, form)
    parts = [part.name for part, values in dates.parts(column.name, moments, form) if dates.varies(values)]
    if not parts:
        return f"all have one {listed(dates.part_names(column.name, form))}, so nothing can be learnt from it"
    if form in dates.DURATIONS:
        return f"{parts[0]}, their number of hours, stands for it"
    return f"{', '.join(parts)} stand for it; to test on the latest rows instead, say `--time {column.name}`"


def guess_target(raw: RawTable) -> str:
    """Guess the target column: one with a typical name; otherwise the last or the first with repeated values."""
    by_name = {column.name.lower(): column.name for column in raw.columns}
    named = [by_name[name] for name in _TARGET_NAMES if name in by_name]
    if named:
        return named[0]
    for column in (raw.columns[-1], raw.columns[0]):
        if isinstance(column, Numbers) or 2 <= len(column.words) <= len(column.codes) / 5:
            return column.name
    return raw.columns[-1].name


def _read(entry: dict[str, Any], base: Path) -> RawTable:
    raw = read(parse(entry), base, base)
    assert isinstance(raw, RawTable)
    return raw


def _missing(raw: RawTable, target: str, notation: Notation) -> list[str]:
    """Find missing-value texts among numbers; a text with digits is an unreadable number, not a missing value."""
    if raw.typed:
        return []
    words = [column for column in raw.columns if isinstance(column, Words) and column.name != target]
    found = {text for column in words for text in strays(column, notation)}
    return sorted(text for text in found if doubts.means_none(text) or not re.search(r"\d", text))


def name_classes(entry: dict[str, Any], column: RawColumn, n_test: int, notes: list[str]) -> None:
    """Set the task, and map labels that differ between the files or are too rare to be split."""
    if entry.get("task") == "regression" or "label_map" in entry:
        return
    found = as_words(column)
    if isinstance(column, Numbers) and (column.values % 1 != 0).any() and "task" not in entry:
        return
    notes += doubts.alike("classes", found.words)
    codes = found.codes[found.codes >= 0]
    counts = np.bincount(codes, minlength=len(found.words))
    is_number = isinstance(column, Numbers) or merged(column.words)
    may_be_quantity = is_number and not {"task", "sequence"} & entry.keys()
    if may_be_quantity and len(found.words) > _MANY_CLASSES and counts.min() < 10:
        entry["task"] = "regression"
        notes.append(f"{column.name!r} has {len(found.words)} different numbers: taken as a regression")
        return
    trained = np.bincount(found.codes[: len(found.codes) - n_test] + 1, minlength=len(found.words) + 1)[1:]
    rare = trained < (2 if n_test else 3)
    leave_out = trained[rare].sum() <= _FEW_ROWS * len(codes) and (~rare).sum() >= 2
    label_map: dict[str, str | None] = {}
    for k, word in enumerate(found.words):
        if n_test and not trained[k] and word.rstrip(".") in found.words:
            label_map[word] = word.rstrip(".")
            notes.append(f"the class {word!r} of the test file is taken as {word.rstrip('.')!r}")
        elif rare[k] and leave_out:
            label_map[word] = None
            notes.append(f"the class {word!r} has {trained[k]} members, too few to be split; its rows are left out")
    if label_map:
        entry["label_map"] = label_map


def _identifiers(raw: RawTable, target: str) -> list[str]:
    """Find columns that name the rows: texts that are no amounts, or whole numbers; all different in each file."""
    found = []
    for column in raw.columns:
        n = len(column.missing) - raw.n_test
        if column.name == target or n <= _MANY_CLASSES or column.missing.any():
            continue
        if isinstance(column, Words):
            names = len(column.words) > 0.95 * n and not all(map(is_quantity, column.words))
        else:
            names = _numbers_rows(column.name, column.values[:n])
        if names:
            found.append(column.name)
    return found


def _numbers_rows(name: str, values: NDArray[np.float64]) -> bool:
    """Check for whole numbers that count the rows in any order with few gaps, or differ in a column called an id."""
    if not np.isfinite(values).all() or (values[:_MANY_CLASSES] % 1 != 0).any() or (values % 1 != 0).any():
        return False
    if len(np.unique(values)) < len(values):
        return False
    names = bool(np.ptp(values) < 1.2 * len(values)) or _ID.search(name) is not None
    return names or bool(np.abs(values).min() > EXACT)  # more digits than any quantity is known to


def perhaps_images(dataset: Dataset) -> list[str]:
    """Return a hint if the columns may be pixels."""
    if not isinstance(dataset.schema.x, Table):
        return []
    columns = [Numbers(column.name, values) for column, values in zip(dataset.schema.columns, dataset.X.T, strict=True)]
    if not may_be_pixels(columns):
        return []
    side = math.isqrt(len(columns))
    return [
        f"the {len(columns)} columns may be pixels; if so, add `shape: [{side}, {side}]` and `levels`, 256 for bytes"
    ]


def name_discrete(raw: RawTable, dataset: Dataset, entry: dict[str, Any], notes: list[str]) -> None:
    """Add a note on the columns of numbers that were read as categories."""
    numbers = {column.name for column in raw.columns if isinstance(column, Numbers)}
    found = [c.name for c in dataset.schema.columns if c.name in numbers and c.categories is not None]
    found = [name for name in found if name not in entry.get("categorical", ())]
    if found:
        notes.append(
            f"{listed(found, 20)}: at most {MOST_VALUES} values, which have probabilities and no density: read as "
            f"categories; if they are quantities, say `numeric: [{', '.join(found[:20])}]`"
        )
