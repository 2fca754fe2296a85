"""Tagged sentences: CoNLL-U of Universal Dependencies, and other files with one line of columns per word.

Nivre and others, "Universal Dependencies v2" (LREC 2020); Tjong Kim Sang and De Meulder, "Introduction to the
CoNLL-2003 shared task" (2003).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from versus.data.errors import DataError
from versus.data.file_specification import Conll
from versus.data.sources import source_files
from versus.data.spaces import Tokens
from versus.data.texts import RawTexts

_CONLLU = 10  # columns
Sentence = tuple[int, list[str], list[str]]  # the line it starts on, words, tags


def load(specification: Conll, base: Path) -> RawTexts:
    """Read the file, and the test file if there is one.

    Raises:
        DataError: for a wrong number of columns, an empty word or tag, or a sentence without words; names the line.
    """
    files = [path for path in (specification.path, specification.test_path) if path is not None]
    parts = [list(_sentences(path, specification, base)) for path in files]
    for path, part in zip(files, parts, strict=True):
        if not part:
            raise DataError(f"{path}: holds no sentences; wants a line a word, and an empty line after each sentence")
    sentences = [sentence for part in parts for sentence in part]

    def locate(row: int) -> str:
        file = files[int(row >= len(parts[0]))]
        return f"{file}, line {sentences[row][0]}"

    words, tags = [words for _, words, _ in sentences], [tags for _, _, tags in sentences]
    space = Tokens((), lowercase=specification.lowercase)
    return RawTexts(specification.path, words, tags, space, sum(map(len, parts[1:])), locate)


def _sentences(path: str, specification: Conll, base: Path) -> Iterator[Sentence]:
    width, begins, comment = 0, 0, 0
    words: list[str] = []
    tags: list[str] = []
    lines = source_files.lines(base, path, specification.encoding)
    for number, line in (*lines, (-1, "")):
        fields = line.split("\t") if "\t" in line else line.split()
        if not fields:
            if words:
                yield begins, words, tags
                words, tags, comment = [], [], 0
            elif comment:
                raise DataError(f"{path}, line {comment}: a sentence without words; wants a line a word after it")
            continue
        if not words and line.startswith("#") and len(fields) != width:
            comment = comment or number
            continue
        if fields[0] == "-DOCSTART-":  # of CoNLL-2003: a line and an empty one between two documents
            continue
        width = width or len(fields)
        _check_width(fields, width, specification, f"{path}, line {number}")
        if width == _CONLLU and not fields[0].isdigit():  # 1-2 spans words that follow, 8.1 was left out in speech
            continue
        token, tag = _chosen(width, specification)
        if not fields[token].strip() or not fields[tag].strip():
            raise DataError(f"{path}, line {number}: the word is {fields[token]!r} and its tag {fields[tag]!r}")
        begins = begins if words else number
        words.append(fields[token].lower() if specification.lowercase else fields[token])
        tags.append(fields[tag])


def _chosen(width: int, specification: Conll) -> tuple[int, int]:
    """Return the indices of the word and of the tag among the fields."""
    token, tag = (2, 4) if width == _CONLLU else (1, width)
    return (specification.token or token) - 1, (specification.tag or tag) - 1


def _check_width(fields: list[str], width: int, specification: Conll, where: str) -> None:
    if len(fields) != width:
        raise DataError(f"{where}: has {len(fields)} columns where {width} are expected: {' '.join(fields)[:80]!r}")
    if width < max(2, specification.token or 0, specification.tag or 0):
        raise DataError(
            f"{where}: has {width} columns; wants the word in column {specification.token or 1} and its tag in column "
            f"{specification.tag or 2}, separated by tabs or blanks"
        )
