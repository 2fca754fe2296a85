"""Streams: the characters or words of a text, cut into windows of equal length that follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from versus.data.errors import DataError
from versus.data.file_specification import Stream
from versus.data.sources import source_files
from versus.data.spaces import CHARACTER, Tokens
from versus.data.texts import RawTexts

WORD = r"\w+|[^\w\s]"
WINDOWS = {"characters": 500, "words": 100}


def load(specification: Stream, base: Path) -> RawTexts:
    """Read a text, and the official test set where there is one, and cut them into windows.

    Raises:
        DataError: if a file is missing, not in its encoding, or holds less than three windows.
    """
    space = Tokens((), CHARACTER if specification.unit == "characters" else WORD, specification.lowercase)
    window = specification.window or WINDOWS[specification.unit]
    parts = []
    for path in (specification.path, specification.test_path):
        lines = source_files.lines(base, path, specification.encoding) if path else ()
        parts.append(windows(space.cut("\n".join(line for _, line in lines)), window))
    if len(parts[0]) < 3:
        raise DataError(
            f"{specification.path}: {sum(map(len, parts[0]))} {specification.unit} are {len(parts[0])} windows of "
            f"{window}; wants 3 or more, so give a shorter `window:`"
        )
    return stream(specification.path, [*parts[0], *parts[1]], space, len(parts[1]))


def stream(
    file: str, parts: list[list[str]], space: Tokens, n_test: int = 0, about: Mapping[str, Any] | None = None
) -> RawTexts:
    """Return the windows of a stream, the official test set last, in the form that is encoded."""
    return RawTexts(file, parts, None, space, n_test, lambda row: f"{file}, window {row + 1}", about=about or {})


def windows(tokens: list[str], length: int) -> list[list[str]]:
    """Cut tokens into windows; what is left at the end is the last one, unless it is shorter than half a window."""
    found = [tokens[i : i + length] for i in range(0, len(tokens), length)]
    return found if len(found) < 2 or 2 * len(found[-1]) >= length else found[:-1]
