"""Errors in the user's data, with file, row and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DataError(ValueError):
    """Error for data that cannot be used; the message names file, column, row and the accepted values."""


def unknown(what: str, seen: str, known: Iterable[str]) -> str:
    """Return ``unknown <what> 'seen'``, followed by similar known names, the closest first, or else by all of them."""
    names = list(known)
    close = difflib.get_close_matches(seen.lower(), {name.lower(): None for name in names}, n=3, cutoff=0.6)
    matches = [name for alike in close for name in names if name.lower() == alike]
    if matches:
        return f"unknown {what} {seen!r}; did you mean {listed(matches)}?"
    return f"unknown {what} {seen!r}; there are {listed(names) or 'none'}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Join names in quotes with commas; the number of omitted names comes last."""
    found = list(names)
    text = ", ".join(repr(name) for name in found[:most])
    return text if len(found) <= most else f"{text} and {len(found) - most} more"
