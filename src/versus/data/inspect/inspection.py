"""Inspection of a user's file: its content, and the entry of params.yaml that reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from versus.data import file_specification
from versus.data.checks import examine
from versus.data.columns import Numbers, Words
from versus.data.encoding import encode
from versus.data.errors import DataError, listed
from versus.data.findings import Findings
from versus.data.inspect import folders, sniffing, table_files, text_files
from versus.data.preparation import divide, in_folder, load, parse, read
from versus.data.prepared import Dataset
from versus.data.sources import pictures, source_files
from versus.data.sources.records import sheets
from versus.data.spaces import Image
from versus.data.table_specification import Tabular
from versus.data.texts import RawTexts

_COLUMNS_SHOWN, _CLASSES_SHOWN = 40, 12


@dataclass(frozen=True)
class Proposal:
    """Proposed entry of params.yaml for a file, with the data it reads.

    Args:
        name: a name for the data set.
        entry: the entry for ``files:`` in params.yaml.
        dataset: the data as read by that entry.
        notes: guesses and their reasons.
    """

    name: str
    entry: dict[str, Any]
    dataset: Dataset
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """True if no value is missing."""
        return bool(self.dataset.schema.x.complete(self.dataset.X).all())

    def findings(self, seed: int = 0) -> Findings:
        """Examine the data as ``prepare`` will."""
        given = parse({"seed": seed, **self.entry})
        return examine(divide(self.name, self.dataset, given, [], given))

    def describe(self) -> str:
        """Describe the file, in lines for a terminal."""
        return "\n".join([*_lines(self.entry, self.dataset), *(f"note: {note}" for note in self.notes)])


def inspect(
    path: Path, target: str | None = None, base: Path = Path(), name: str | None = None, **given: Any
) -> Proposal:
    """Inspect a file or folder and propose how to read it.

    Args:
        path: a table, arrays, idx images or a folder of them; a file of tagged sentences or of lines that begin with
            their class; trees in brackets, a file, folder or archive; a text without labels; a folder of pictures or
            texts for each class; a file in a zip archive, as in ``a.zip/b.csv``.
        target: name of the target column, of the array of targets, or of the file of labels; guessed by default.
        base: folder of params.yaml; the proposed paths are relative to it if ``path`` lies below it.
        name: name of the data set; by default derived from the file name.
        given: keys of the entry that are known, such as ``header`` or ``drop``; ``test_path`` is a file beside
            ``path``. What is given is not guessed.

    Returns:
        The proposal; its entry passes `versus.data.preparation.prepare`.

    Raises:
        DataError: if the file cannot be read, or its content cannot be learnt.
    """
    if not source_files.exists(path):
        raise DataError(f"{path}: there is no such file or folder")
    notes: list[str] = []
    given = {key: value for key, value in given.items() if value is not None}
    try:
        entry, dataset = _entry(path, target, base, given, notes)
        if (
            isinstance(parse(entry), Tabular) and "sequence" not in entry
        ):  # new rows must not turn classes into a quantity, nor the other way round
            entry = {"source": entry.pop("source"), "path": entry.pop("path"), "task": dataset.schema.y.task, **entry}
        notes += table_files.perhaps_images(dataset)
        return Proposal(name or _name(path), _within_folder(entry, base), dataset, tuple(notes))
    except ValidationError as error:
        raise DataError(f"{path}: {'; '.join(map(_said, error.errors()))}") from None


def _said(fault: Any) -> str:
    """Describe a fault of the entry; one of several keys at once has no value of its own."""
    if isinstance(fault["input"], dict):
        return str(fault["msg"].removeprefix("Value error, "))
    return f"{fault['loc'][-1]}: {fault['msg']} ({fault['input']!r})"


def _entry(
    path: Path, target: str | None, base: Path, given: Mapping[str, Any], notes: list[str]
) -> tuple[dict[str, Any], Dataset]:
    """Guess the entry of params.yaml, as far as it is not given, and read the data by it."""
    if path.is_dir():
        entry = {"source": "idx"} if given.get("source") == "idx" else folders.guess(path)
    else:
        as_text = None if {"source", "delimiter", "decimal"} & given.keys() else text_files.guess(path)
        entry = as_text or sniffing.guess(path, target, given)
    folder = _written(path.parent, base)
    entry |= {key: value for key, value in given.items() if key != "header" or value is False}
    for key in ("labels", "test_path", "test_labels"):
        if key in entry and "file" not in entry:  # with one, names are those in the folder
            entry[key] = f"{folder}{entry[key]}"
    entry = {"source": entry.pop("source"), "path": f"{folder}{path.name}", **entry}
    if entry.get("header") is False and "header" not in given:
        notes.append("the first row looks like data, so columns are called c0, c1, …; if it names them, say --header")
    if entry["source"] in ("csv", "tsv", "arff") and "encoding" in entry and "encoding" not in given:
        notes.append(f"the text is not UTF-8 and taken for {entry['encoding']}; if it is another, say --encoding")
    if entry["source"] == "xlsx" and "sheet" not in entry and len(names := sheets(path)) > 1:
        entry["sheet"] = names[0]
        notes.append(f"the sheet {names[0]!r} of {listed(names)} is read; for another, say `--set sheet=NAME`")
    if entry["source"] == "pictures":
        return entry, _pictures(entry, base, notes)
    if entry["source"] in ("csv", "tsv", "parquet", "xlsx", "json", "arff"):
        return entry, table_files.complete(entry, path, folder, target, base, notes)
    if entry["source"] in ("documents", "conll", "penn", "text"):
        return entry, _texts(entry, path, folder, base, notes)
    return entry, _arrays(entry, base, notes)


def _pictures(entry: dict[str, Any], base: Path, notes: list[str]) -> Dataset:
    """Complete the ``entry`` of pictures with one size for all, if they have several or are large."""
    if "file" in entry:
        notes.append(f"{entry['test_path']} is taken as the official test set")
    inside, folder = in_folder(parse(entry), base)
    files = [file for path in (inside.path, inside.test_path) if path for file, _ in pictures.listed(folder, path)]
    sizes, _ = pictures.survey(files)
    size = pictures.proposed(sizes)
    if "resize" not in entry and set(sizes) != {size}:
        entry["resize"] = list(size)
        largest = "×".join(map(str, max(sizes)))
        notes.append(
            f"the pictures have {len(sizes)} sizes, up to {largest} pixels: all are scaled to {size[0]}×{size[1]} "
            "(`resize: [height, width]`); larger ones take longer"
        )
    return load(parse(entry), base, base)[0]


def _arrays(entry: dict[str, Any], base: Path, notes: list[str]) -> Dataset:
    """Read arrays; complete the ``entry`` of images whose pixels are all 0 or 1."""
    dataset = load(parse(entry), base, base)[0]
    if not isinstance(dataset.schema.x, Image) or "levels" in entry or dataset.X.max() > 1:
        return dataset
    entry["levels"] = 2
    notes.append("all pixels are 0 or 1, so that these are black and white images (`levels: 2`)")
    return load(parse(entry), base, base)[0]


def _within_folder(entry: dict[str, Any], base: Path) -> dict[str, Any]:
    """Rewrite an entry of several files relative to their common folder, so that a change of any is noticed.

    Raises:
        DataError: if that folder is the project's own, which DVC cannot watch.
    """
    outside = source_files.archive(base / entry["path"])
    if outside is None and not file_specification.unwatched(parse(entry)):
        return entry
    folder, _, file = entry["path"].rpartition("/")
    if outside is not None:
        folder = f"{entry['path'].partition(f'{outside.name}/')[0]}{outside.name}"
        file = entry["path"].removeprefix(f"{folder}/")
    if not folder:
        raise DataError(f"{file} and the files that go with it: put them into a folder of their own and name that path")
    keys = ("labels", "test_path", "test_labels")
    inside = {key: value.removeprefix(f"{folder}/") for key, value in entry.items() if key in keys}
    return {"source": entry["source"], "path": folder, "file": file, **{**entry, **inside, "path": folder}}


def _written(folder: Path, base: Path) -> str:
    """Format a folder for params.yaml, with the slash: relative if it lies below ``base``, else absolute."""
    below = Path(os.path.relpath(folder, base))
    if below.parts[:1] == ("..",):
        return f"{folder.resolve().as_posix()}/"
    return "" if below == Path() else f"{below.as_posix()}/"


def _name(path: Path) -> str:
    if path.is_dir():
        stem = path.resolve().name
    elif sniffing.is_idx(path):  # the folder says more than train-images-idx3-ubyte
        stem = path.resolve().parent.name
    else:
        name = path.stem if source_files.is_zip(path) else source_files.plain_name(path)
        stem = name.rsplit(".", 1)[0]
    words = re.findall(r"[a-z0-9]+", stem.lower())
    return "_".join(word for word in words if word not in ("train", "training")) or "data"


def _texts(entry: dict[str, Any], path: Path, folder: str, base: Path, notes: list[str]) -> Dataset:
    """Complete the ``entry`` of documents or tagged sentences, in place."""
    test = sniffing.test_file(path)
    if test is not None and "test_path" not in entry:
        entry["test_path"] = f"{folder}{test.name}"
    if "test_path" in entry:
        notes.append(f"{Path(entry['test_path']).name} is taken as the official test set")
    if "encoding" in entry:
        notes.append("not UTF-8, so taken as latin-1; say `encoding:` if it is another")
    raw = read(*in_folder(parse(entry), base), base)
    assert isinstance(raw, RawTexts)
    if isinstance(raw.labels, Numbers | Words):
        table_files.name_classes(entry, raw.labels, raw.n_test, notes)
    return encode(raw, parse(entry))


def _lines(entry: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """Describe the data of an entry of params.yaml: rows, target, columns or pixels, warnings."""
    found = dataset.summary()
    test = f", {found['test_rows']} of them the official test set" if found["test_rows"] else ""
    yield f"{entry['path']}: {entry['source']}, {found['rows']} rows{test}"
    target = dataset.schema.target
    for several in ("classes", "constituents", "tags"):
        counts = [f"{name} ({count})" for name, count in found.get(several, {}).items()]
        more = f" and {len(counts) - _CLASSES_SHOWN} more" if len(counts) > _CLASSES_SHOWN else ""
        if counts:
            yield f"{target}: {len(counts)} {several}: {', '.join(counts[:_CLASSES_SHOWN])}{more}"
    if "target" in found:
        yield f"{target}: a number from {found['target']['minimum']:g} to {found['target']['maximum']:g}"
    if "pixels" in found:
        pixels = found["pixels"]
        yield f"images of {'×'.join(map(str, pixels['shape']))} pixels, {pixels['levels']} levels"
    if "tokens" in found:
        tokens = found["tokens"]
        lengths = f"{tokens['shortest']} to {tokens['longest']} in each"
        what = "characters" if getattr(dataset.schema.x, "of_characters", False) else "words"
        yield f"texts of {tokens['total']} {what}, {tokens['different']} different, {lengths}"
    if "steps" in found:
        steps = found["steps"]
        yield f"sequences of {steps['total']} steps, {steps['shortest']} to {steps['longest']} in each"
    columns = found.get("columns", [])
    width = max((len(column["name"]) for column in columns[:_COLUMNS_SHOWN]), default=0)
    for column in columns[:_COLUMNS_SHOWN]:
        yield f"  {column['name']:{width}}  {_kind(column)}"
    if len(columns) > _COLUMNS_SHOWN:
        yield f"  and {len(columns) - _COLUMNS_SHOWN} more columns"
    yield from (f"warning: {warning}" for warning in found["warnings"])


def _kind(column: dict[str, Any]) -> str:
    missing = f", {column['missing']} missing" if column["missing"] else ""
    if column["kind"] == "categorical":
        return f"{column['categories']} categories{missing}"
    return f"numbers from {column['minimum'] + 0.0:g} to {column['maximum'] + 0.0:g}{missing}"  # -0 is 0
