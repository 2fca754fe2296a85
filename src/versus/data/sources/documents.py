"""Documents with one class each: a table with a column of texts, lines that begin with the class, or class folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from versus.data.columns import Words
from versus.data.errors import DataError
from versus.data.file_specification import Documents
from versus.data.sources import delimited, source_files
from versus.data.spaces import Tokens
from versus.data.table_specification import Csv
from versus.data.texts import RawTexts

_PREFIX = "__label__"  # of fastText
Texts = list[tuple[str, str, str]]  # text, class, where it stands


def load(specification: Documents, base: Path) -> RawTexts:
    """Read the documents and split them into words.

    Raises:
        DataError: if a file is missing, not in its encoding, or has a line without a class or a text.
    """
    if specification.text is not None:
        return _table(specification, specification.text, base)
    read = _folder if (base / specification.path).is_dir() else _lines
    parts = [read(specification, base, path) for path in (specification.path, specification.test_path) if path]
    found = [document for part in parts for document in part]
    if not parts[0]:
        raise DataError(f"{specification.path}: holds no documents")
    names, codes = np.unique([label for _, label, _ in found], return_inverse=True)
    labels = Words(specification.target or "class", codes.astype(np.int64), tuple(names.tolist()))
    space = Tokens((), specification.token_pattern, specification.lowercase)
    tokens = [space.cut(text) for text, _, _ in found]
    return RawTexts(specification.path, tokens, labels, space, sum(map(len, parts[1:])), lambda row: found[row][2])


def _table(specification: Documents, text: str, base: Path) -> RawTexts:
    """Read documents from a column of a file of separated values."""
    tabs = specification.path.removesuffix(".gz").endswith((".tsv", ".tab"))
    options: dict[str, Any] = {
        name: getattr(specification, name) for name in ("path", "test_path", "target", "header", "quote", "encoding")
    }
    options["delimiter"] = specification.delimiter or ("\t" if tabs else ",")
    raw = delimited.load(Csv(source="csv", categorical=[text], missing=[], **options), base)
    column, labels = (delimited.named(raw, name) for name in (text, options["target"]))
    assert isinstance(column, Words)  # since it is among the categorical ones
    space = Tokens((), specification.token_pattern, specification.lowercase)
    cut = [*map(space.cut, column.words), []]  # the last answers for -1, an empty text
    return RawTexts(specification.path, [cut[code] for code in column.codes], labels, space, raw.n_test, raw.locate)


def _lines(specification: Documents, base: Path, path: str) -> Texts:
    """Read one document per line, its class first."""
    found = []
    for number, line in source_files.lines(base, path, specification.encoding):
        label, _, text = line.strip().partition("\t" if "\t" in line else " ")
        if not text and label:
            raise DataError(f"{path}, line {number}: is {label[:80]!r}; wants a class, a blank or tab, and the text")
        if label:
            found.append((text, label.removeprefix(_PREFIX), f"{path}, line {number}"))
    return found


def _folder(specification: Documents, base: Path, path: str) -> Texts:
    """Read a folder of files for each class, or a file for each class with one document per line."""
    inside = sorted(entry for entry in (base / path).iterdir() if not entry.name.startswith("."))
    folders = [entry for entry in inside if entry.is_dir()]
    found = []
    for folder in folders:
        for file in sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")):
            name = file.relative_to(base).as_posix()
            lines = source_files.lines(base, name, specification.encoding)
            found.append(("\n".join(line for _, line in lines), folder.name, name))
    for file, label in zip(inside, _class_names(inside), strict=True) if not folders else ():
        name = file.relative_to(base).as_posix()
        lines = source_files.lines(base, name, specification.encoding)
        found += [(line, label, f"{name}, line {number}") for number, line in lines if line.strip()]
    return found


def _class_names(files: list[Path]) -> list[str]:
    """Derive class names from file names: pos and neg for pos.txt and neg.txt, or reviews.pos and reviews.neg."""
    names = [file.name.removesuffix(".gz") for file in files]
    stems = [name.partition(".")[0] for name in names]
    return stems if len(set(stems)) == len(stems) else [name.rpartition(".")[2] for name in names]
