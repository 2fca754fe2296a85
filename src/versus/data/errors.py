"""What is wrong with a user's data, said so that it can be mended."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DataError(ValueError):
    """Data that cannot be used; the message names file, column and row, and what would be accepted."""


def unknown(what: str, seen: str, known: Iterable[str]) -> str:
    """``unknown <what> 'seen'``, followed by the names that come close, or else by those there are."""
    names = list(known)
    close = difflib.get_close_matches(seen.lower(), [name.lower() for name in names], n=3, cutoff=0.6)
    matches = [name for name in names if name.lower() in close]
    if matches:
        return f"unknown {what} {seen!r}; did you mean {listed(matches)}?"
    return f"unknown {what} {seen!r}; there are {listed(names) or 'none'}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in quotes, with commas, and a count of those left off."""
    found = list(names)
    text = ", ".join(repr(name) for name in found[:most])
    return text if len(found) <= most else f"{text} and {len(found) - most} more"
