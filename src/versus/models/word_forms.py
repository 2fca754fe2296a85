"""Shape and affixes of a word, and lists of such strings as arrays that a file can hold."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from versus.arrays import Array


def shape(word: str) -> str:
    """The kinds of a word's characters, runs cut to one: "Don't" is ``Xx'x``, "3.5" is ``d.d``, "__init__" ``_x_``."""
    kinds = ("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in groupby(kinds))


def packed(strings: Iterable[str]) -> Array:
    """Pack strings as (bytes,) uint8, UTF-8 with a zero byte after each."""
    return np.frombuffer("".join(f"{s}\0" for s in strings).encode("utf-8", "surrogatepass"), np.uint8)


def unpacked(array: Array) -> list[str]:
    """The inverse of `packed`; ValueError where the array does not end with a string's end."""
    if array.dtype != np.uint8 or array.ndim != 1 or (array.size and array[-1]):
        raise ValueError(f"an array of strings is {array.dtype} {array.shape}, or cut short: bytes end with a zero")
    return array.tobytes().decode("utf-8", "surrogatepass").split("\0")[:-1]
