"""Forms of words: shape, affixes, and classes of words unseen in training by both.

Rare words stand for unknown ones: a class is a coarse shape (capitalised, with a digit, …) and the longest ending that
enough rare words of that shape share. Brants, "TnT: a statistical part-of-speech tagger" (2000); Weischedel et al.,
"Coping with ambiguity and unknown words through probabilistic models" (1993).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from versus.arrays import Array, Labels


def shape(word: str) -> str:
    """The kinds of a word's characters, runs cut to one: "Don't" is ``Xx'x``, "3.5" is ``d.d``, "__init__" ``_x_``."""
    return "".join(kind for kind, _ in groupby(pattern(word)))


def pattern(word: str) -> str:
    """The kind of each character of a word: "Don't" is ``Xxx'x``, "3.5" is ``d.d``."""
    return "".join("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)


def packed(strings: Iterable[str]) -> Array:
    """Pack strings as (bytes,) uint8, UTF-8 with a zero byte after each."""
    return np.frombuffer("".join(f"{s}\0" for s in strings).encode("utf-8", "surrogatepass"), np.uint8)


def unpacked(array: Array) -> list[str]:
    """The inverse of `packed`; ValueError where the array does not end with a string's end."""
    if array.dtype != np.uint8 or array.ndim != 1 or (array.size and array[-1]):
        raise ValueError(f"an array of strings is {array.dtype} {array.shape}, or cut short: bytes end with a zero")
    return array.tobytes().decode("utf-8", "surrogatepass").split("\0")[:-1]


KINDS = ("lower", "capital", "capitals", "digit", "hyphen", "sign")


class WordClasses:
    """A partition of all words into classes named ``kind`` or ``kind:ending``.

    Args:
        names: of the classes; those of the bare kinds are always among them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [*KINDS, *(name for name in names if name not in KINDS)]
        self.codes = {name: code for code, name in enumerate(self.names)}

    @classmethod
    def learn(cls, rare: Sequence[str], longest: int, members: int) -> WordClasses:
        """Learn classes from rare words: endings of at most ``longest`` letters that ``members`` words share."""
        ends = Counter(name for word in rare for name in _names(word, longest))
        return cls(sorted(name for name, count in ends.items() if count >= members))

    def of(self, words: Sequence[str]) -> Labels:
        """The class of each word, that of its longest known ending, (n,) int64."""
        longest = max(len(name.partition(":")[2]) for name in self.names)
        found = (next(c for name in _names(w, longest) if (c := self.codes.get(name)) is not None) for w in words)
        return np.fromiter(found, np.int64, len(words))


def _kind(word: str) -> str:
    if any(c.isdigit() for c in word):
        return "digit"
    if not any(c.isalpha() for c in word):
        return "sign"
    if "-" in word:
        return "hyphen"
    if word.isupper() and len(word) > 1:
        return "capitals"
    return "capital" if word[0].isupper() else "lower"


def _names(word: str, longest: int) -> list[str]:
    """The classes that a word could be in, the narrowest first."""
    kind, ending = _kind(word), word.lower()
    return [f"{kind}:{ending[-n:]}" for n in range(min(longest, len(ending)), 0, -1)] + [kind]
