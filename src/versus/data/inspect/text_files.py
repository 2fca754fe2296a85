"""Detection of texts in user files: document folders, lines that begin with their class, tagged sentences, columns."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from versus.data.columns import RawColumn, RawTable, Words, is_number
from versus.data.errors import DataError
from versus.data.inspect import sniffing
from versus.data.sources import penn, source_files

_CONLL = (".conllu", ".conll", ".conll2003", ".iob", ".iob2", ".bio", ".pos")
_TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq", ".arff", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson", ".npz")
_BRACKETS = re.compile(r"\s*\(\s*\(?\s*[^\s()]+\s+\(")  # (S (… or ( (S (…
_FEWEST_WORDS = 5  # on average, for a column to hold texts and not names
_MOST_CLASSES = 50  # of lines that begin with their class
_OF_A_TABLE = 0.9  # share of lines with as many columns, from which they are those of a table
_MOST_OTHERS = 2  # features beside the texts, up to which the texts are what the table is about


def guess(path: Path) -> dict[str, Any] | None:
    """Guess the entry of params.yaml for a file of texts, without ``path``; None if it is no text, or a table.

    Args:
        path: a file of trees in brackets (or an archive of several), of tagged sentences, of lines that begin with
            their class, or, if it is a .txt, of any text.
    """
    if source_files.is_zip(path) and (files := _named_like_trees(path)):
        return {"source": "penn", **encoding(files)}
    if is_table(path):
        return None
    text = sniffing.sample(path)[0]
    if _BRACKETS.match(text):
        return {"source": "penn", **encoding([path])}
    lines = text.splitlines()
    if _endings(path) & set(_CONLL) or _looks_tagged(lines):
        return {"source": "conll", **encoding([path])}
    if _begin_with_classes(lines):
        return {"source": "documents", **encoding([path])}
    return {"source": "text", **encoding([path])} if ".txt" in _endings(path) and _is_prose(lines) else None


def is_table(path: Path) -> bool:
    """Check that a file is named like a table or arrays."""
    return bool(_endings(path) & set(_TABLES))


def _endings(path: Path) -> set[str]:
    return {ending.lower() for ending in Path(source_files.plain_name(path)).suffixes}


def text_column(
    raw: RawTable, target: str, identifiers: Sequence[str], dated: Collection[str]
) -> tuple[str | None, list[str]]:
    """Find the main text column of a table, None if it has none; and all columns of texts, which dates are not."""
    others = [column for column in raw.columns if column.name != target]
    lengths = {column.name: _mean_words(column) for column in others}
    texts = [name for name, length in lengths.items() if length >= _FEWEST_WORDS and name not in dated]
    features = [column for column in others if column.name not in (*texts, *identifiers)]
    longest = max(texts, key=lambda name: lengths[name], default=None)
    return (longest if len(features) <= _MOST_OTHERS else None), texts


def _mean_words(column: RawColumn) -> float:
    """Mean number of words of a value; 0 if values are often repeated, like categories."""
    if not isinstance(column, Words) or len(column.words) <= len(column.codes) / 2:
        return 0.0
    return float(np.mean([len(word.split()) for word in column.words]))


def encoding(files: Sequence[Path]) -> dict[str, str]:
    """Return an empty entry if all files are valid UTF-8; else latin-1, which decodes any byte."""
    try:
        for file in files:
            deque(source_files.lines(file.parent, file.name, "utf-8"), maxlen=0)
    except DataError:
        return {"encoding": "latin-1"}
    return {}


def _named_like_trees(archive: Path) -> list[Path]:
    """List the files in a zip archive that are named like trees in brackets."""
    return [archive / name for name in source_files.members(archive) if penn.has_ending(name)]


def _looks_tagged(lines: Sequence[str]) -> bool:
    """Check that all lines have the same number of columns, at least two, and empty lines separate groups."""
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    groups = sum(1 for before, line in pairwise(lines) if before.strip() and not line.strip())
    widths = {len(row.split("\t") if "\t" in row else row.split()) for row in rows}
    return groups > 1 and len(widths) == 1 and min(widths) > 1 and len(rows) > 1.5 * groups


def _is_prose(lines: Sequence[str]) -> bool:
    """Check that no separator cuts nearly all lines into the same number of columns, two or more."""
    rows = [line for line in lines if line.strip()]
    for separator in ("\t", ";", ",", "|", None):
        widths = Counter(len(row.split(separator)) for row in rows)
        width, often = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and often >= _OF_A_TABLE * len(rows):
            return False
    return any(not is_number(word) for row in rows for word in row.split())


def _begin_with_classes(lines: Sequence[str]) -> bool:
    """Check that the first words of lines are often repeated and the rest is text."""
    rows = [line.split() for line in lines if line.strip()]
    if not rows or min(map(len, rows)) < 2:
        return False
    words = [word for row in rows for word in row[1:]]
    classes = len({row[0] for row in rows})
    a_text = len(words) >= _FEWEST_WORDS * len(rows) and sum(map(is_number, words)) < len(words) / 2
    return a_text and 2 <= classes <= min(_MOST_CLASSES, len(rows) / 5)
