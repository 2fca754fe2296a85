"""A look at a file of a user's: what it holds, and the entry of params.yaml that reads it."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from versus.data import file_specification
from versus.data.columns import Numbers, RawColumn, RawTable, Words, as_words
from versus.data.dataset import Dataset
from versus.data.encoding import encode, strays
from versus.data.errors import DataError, unknown
from versus.data.inspect import description, sniffing, text_files
from versus.data.preparation import in_folder, load, parse, read
from versus.data.spaces import Table
from versus.data.texts import RawTexts

_MANY_CLASSES = 20  # whole numbers of more values than this, some of them rare, are a quantity and no class
_FEW_ROWS = 0.05  # at most this share of the rows is proposed to be left out for being of rare classes
_TARGET_NAMES = ("target", "class", "label", "y", "outcome", "species", "diagnosis")


@dataclass(frozen=True)
class Proposal:
    """What a file holds and how to read it.

    Args:
        name: a name for the data set.
        entry: what to write under ``files:`` in params.yaml.
        dataset: the data as that entry reads them.
        notes: what was guessed, and why.
    """

    name: str
    entry: dict[str, Any]
    dataset: Dataset
    notes: tuple[str, ...] = ()

    def describe(self) -> str:
        """What was found, in lines for a terminal."""
        return "\n".join([*description.lines(self.entry, self.dataset), *(f"note: {note}" for note in self.notes)])


def inspect(path: Path, target: str | None = None, base: Path = Path(), name: str | None = None) -> Proposal:
    """Look at a file or folder and propose how to read it.

    Args:
        path: .csv, .tsv, .parquet, .arff, .npz, .npy, .h5, an idx file, a folder of idx files as MNIST's; a file of
            tagged sentences or of lines that begin with their class; a folder of texts for each class.
        target: name of the target column, of the array of targets, or of the file of labels; guessed where not given.
        base: folder of params.yaml; the proposed paths are relative to it where ``path`` lies below it.
        name: name of the data set; made from the file's where not given.

    Returns:
        The proposal; its entry passes `versus.data.preparation.prepare`.

    Raises:
        DataError: if the file cannot be read, or what it holds cannot be learnt.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    entry = text_files.guess(path) or sniffing.guess(path, target)
    folder = _written(path.parent, base)
    for key in ("labels", "test_path", "test_labels"):
        if key in entry and "file" not in entry:  # with one, names are those in the folder
            entry[key] = f"{folder}{entry[key]}"
    entry = {"source": entry.pop("source"), "path": f"{folder}{path.name}", **entry}
    notes: list[str] = []
    if entry["source"] in ("csv", "tsv", "parquet", "arff"):
        dataset = _table(entry, path, folder, target, base, notes)
    elif entry["source"] in ("documents", "conll"):
        dataset = _texts(entry, path, folder, base, notes)
    else:
        dataset = load(parse(entry), base, base)[0]
    notes += _perhaps_images(dataset)
    return Proposal(name or _name(path), _within_folder(entry), dataset, tuple(notes))


def _within_folder(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of several files, named in the folder that holds them all: a change of any is then noticed.

    Raises:
        DataError: where that folder would be the project's own, which DVC cannot watch.
    """
    if not file_specification.unwatched(parse(entry)):
        return entry
    folder, _, file = entry["path"].rpartition("/")
    if not folder:
        raise DataError(f"{file} and the files that go with it: put them into a folder of their own and name that path")
    inside = {
        key: value.rpartition("/")[2] for key, value in entry.items() if key in ("labels", "test_path", "test_labels")
    }
    return {"source": entry["source"], "path": folder, "file": file, **{**entry, **inside, "path": folder}}


def _written(folder: Path, base: Path) -> str:
    """How params.yaml names a folder, with the slash: relative to it where it lies below, absolute elsewhere."""
    below = Path(os.path.relpath(folder, base))
    if below.parts[:1] == ("..",):
        return f"{folder.resolve().as_posix()}/"
    return "" if below == Path() else f"{below.as_posix()}/"


def _name(path: Path) -> str:
    if path.is_dir():
        stem = path.resolve().name
    elif "idx" in path.name:  # the folder says more than train-images-idx3-ubyte
        stem = path.resolve().parent.name
    else:
        stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    words = re.findall(r"[a-z0-9]+", stem.lower())
    return "_".join(word for word in words if word not in ("train", "training")) or "data"


def _table(entry: dict[str, Any], path: Path, folder: str, target: str | None, base: Path, notes: list[str]) -> Dataset:
    """Complete ``entry``, in place, by what the columns show."""
    test = sniffing.test_file(path)
    if test is not None:
        entry["test_path"] = f"{folder}{test.name}"
        notes.append(f"{test.name} beside it is taken as the official test set")
    entry["target"] = target or "?"  # readers do not look at it
    raw = _read(entry, base)
    if target is None:
        entry["target"] = guess_target(raw)
        notes.append(f"no target was named; {entry['target']!r} is taken for it")
    missing = _missing(raw, entry["target"])
    if missing:
        entry["missing"] = [*parse(entry).missing, *missing]
        notes.append(f"{', '.join(missing)} among numbers is taken to mean that the value is missing")
        raw = _read(entry, base)
    columns = {column.name: column for column in raw.columns}
    if entry["target"] not in columns:
        raise DataError(f"{path.name}: target: {unknown('column', entry['target'], columns)}")
    _target(entry, columns[entry["target"]], raw.n_test, notes)
    identifiers = _identifiers(raw, entry["target"])
    text, texts = text_files.text_column(raw, entry["target"], identifiers)
    if text is not None and entry["source"] in ("csv", "tsv"):
        delimiter = {"delimiter": "\t"} if entry["source"] == "tsv" else {}
        entry |= {"source": "documents", "text": text, **delimiter}
        entry.pop("missing", None)
        notes.append(f"{text!r} holds texts: documents to be classified; other columns are left aside")
        return load(parse(entry), base, base)[0]
    _drop(entry, raw, list(dict.fromkeys([*identifiers, *texts])), notes)
    return encode(raw, parse(entry))


def _texts(entry: dict[str, Any], path: Path, folder: str, base: Path, notes: list[str]) -> Dataset:
    """Complete the ``entry`` of documents or tagged sentences, in place."""
    test = sniffing.test_file(path)
    if test is not None:
        entry["test_path"] = f"{folder}{test.name}"
    if "test_path" in entry:
        notes.append(f"{Path(entry['test_path']).name} is taken as the official test set")
    if "encoding" in entry:
        notes.append("not UTF-8, so taken as latin-1; say `encoding:` if it is another")
    raw = read(*in_folder(parse(entry), base), base)
    assert isinstance(raw, RawTexts)
    if isinstance(raw.labels, Numbers | Words):
        _target(entry, raw.labels, raw.n_test, notes)
    return encode(raw, parse(entry))


def _drop(entry: dict[str, Any], raw: RawTable, names: list[str], notes: list[str]) -> None:
    """Leave out the columns that only name the rows, unless there are no others."""
    if names and len(names) < len(raw.columns) - 1:
        entry["drop"] = names
        notes.append(f"{', '.join(names)}: each row has a value of its own, so nothing can be learnt from it; dropped")


def guess_target(raw: RawTable) -> str:
    """The column that is named like a target; or else the last one, or the first, whose values come again and again."""
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


def _missing(raw: RawTable, target: str) -> list[str]:
    if raw.typed:
        return []
    words = [column for column in raw.columns if isinstance(column, Words) and column.name != target]
    return sorted({text for column in words for text in strays(column)})


def _target(entry: dict[str, Any], column: RawColumn, n_test: int, notes: list[str]) -> None:
    """The task, and what becomes of labels that differ between the files or are too rare to be split."""
    found = as_words(column)
    if isinstance(column, Numbers) and (column.values % 1 != 0).any():
        return
    codes = found.codes[found.codes >= 0]
    counts = np.bincount(codes, minlength=len(found.words))
    if isinstance(column, Numbers) and len(found.words) > _MANY_CLASSES and counts.min() < 10:
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
    """Columns of texts that differ in every row, and columns that count the rows."""
    found = []
    for column in raw.columns:
        n = len(column.missing)
        if column.name == target or n <= _MANY_CLASSES or column.missing.any():
            continue
        named = isinstance(column, Words) and len(column.words) > 0.95 * n
        if named or (isinstance(column, Numbers) and (np.diff(column.values) == 1).all()):
            found.append(column.name)
    return found


def _perhaps_images(dataset: Dataset) -> list[str]:
    """A hint, where all columns are numbers of one range and as many as make a square."""
    X, side = dataset.X, math.isqrt(dataset.schema.n_features)
    if not isinstance(dataset.schema.x, Table) or side < 8 or side**2 != X.shape[1] or dataset.schema.has_categorical:
        return []
    if np.isnan(X).any() or X.min() < 0 or np.median(X.max(axis=0)) < X.max():
        return []
    return [f"the {X.shape[1]} columns may be pixels; if so, add `shape: [{side}, {side}]` and `levels`, 256 for bytes"]
