"""Trees over the tokens of a sentence: their nodes in leftmost order, to and from Penn brackets.

A node is a pair: the code of its label, and the number of tokens that it covers, 0 for the tag of a single token. The
nodes of a tree, from the root and from left to right, say the tree, whichever rules it was built by: a parser may build
one by rules that no tree to learn from has. Marcus, Santorini and Marcinkiewicz, "Building a large annotated corpus of
English: the Penn Treebank" (1993).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.arrays import Array, Ragged

ROOT = "TOP"  # label of a root without one that holds several constituents, or a lone tag
TRACE = "-NONE-"  # tag of what no word stands for
_PIECE = re.compile(r"[()]|[^\s()]+")
_LABEL = re.compile(r"[^-=|]+|.+")  # NP of NP-SBJ-1, ADVP of ADVP|PRT, and all of -LRB-
_ESCAPED = {"(": "-LRB-", ")": "-RRB-"}


@dataclass(frozen=True)
class Bracket:
    """A tag with its word, or a constituent with its parts, as read from a file.

    Args:
        label: of the bracket.
        word: of a tag; None for a constituent.
        parts: of a constituent.
    """

    label: str
    word: str | None = None
    parts: tuple[Bracket, ...] = ()

    def words(self) -> Iterator[str]:
        """Yield the words from left to right."""
        for part in self.preorder():
            if part.word is not None:
                yield part.word

    def preorder(self) -> Iterator[Bracket]:
        """Yield the bracket and all inside it, the leftmost first."""
        waiting = [self]
        while waiting:
            yield (found := waiting.pop())
            waiting.extend(reversed(found.parts))

    def nodes(self) -> list[tuple[str, int]]:
        """Label and number of tokens of each node, the leftmost first; 0 tokens for a tag."""
        return [(part.label, 0 if part.word is not None else sum(1 for _ in part.words())) for part in self.preorder()]

    def plain(self) -> Bracket | None:
        """Remove traces and what holds nothing else, the function after a label, and a label above the same one.

        The root keeps its only part's label where it has none itself. None if no word is left.
        """
        if self.word is not None:
            return None if self.label == TRACE else Bracket(_bare(self.label), self.word)
        parts = tuple(kept for part in self.parts if (kept := part.plain()) is not None)
        label = _bare(self.label)
        if len(parts) == 1 and parts[0].word is None and label in ("", parts[0].label):
            return parts[0]
        return Bracket(label or ROOT, None, parts) if parts else None


@dataclass(frozen=True)
class Treebank:
    """Trees of N sentences as read: (label, number of tokens) of each node."""

    trees: Sequence[Sequence[tuple[str, int]]]

    def coded(self) -> tuple[tuple[str, ...], Ragged]:
        """Labels in the order of their codes, and the nodes (total, 2) int64 of each tree."""
        names = tuple(sorted({label for tree in self.trees for label, _ in tree}))
        codes = {name: code for code, name in enumerate(names)}
        nodes = [(codes[label], width) for tree in self.trees for label, width in tree]
        return names, Ragged.cut(np.array(nodes, np.int64).reshape(-1, 2), [len(tree) for tree in self.trees])


class BracketError(ValueError):
    """Error in the brackets of a text: the line, and what is wrong there."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(f"line {line}: {fault}")


def brackets(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Bracket]]:
    """Yield (line of its beginning, tree) of the outer brackets of a text.

    Raises:
        BracketError: for a bracket that is not closed or not opened, that holds nothing, or words among brackets.
    """
    waiting: list[tuple[int, list[Any]]] = []  # brackets that are open: their line, and what they hold so far
    for number, line in lines:
        for piece in _PIECE.findall(line):
            if piece == "(":
                waiting.append((number, []))
            elif not waiting:
                fault = "closes a bracket that is not open" if piece == ")" else f"{piece!r} is outside of all brackets"
                raise BracketError(number, f"{fault}; wants trees as in (S (NP (NN sun)) (VP (VBZ shines)))")
            elif piece != ")":
                waiting[-1][1].append(piece)
            else:
                begun, held = waiting.pop()
                closed = _closed(held, number)
                if not waiting:
                    yield begun, closed
                else:
                    waiting[-1][1].append(closed)
    if waiting:
        raise BracketError(waiting[0][0], f"opens a bracket, and {len(waiting)} of its tree are not closed at the end")


def _bare(label: str) -> str:
    """Cut the function and the index off a label."""
    found = _LABEL.match(label)
    return found.group() if found else ""


def _closed(held: list[Any], line: int) -> Bracket:
    label = held.pop(0) if held and isinstance(held[0], str) else ""
    if not held:
        raise BracketError(line, f"bracket ({label}) is empty; wants a word, or brackets with words")
    if len(held) == 1 and isinstance(held[0], str) and label:
        return Bracket(label, held[0])
    if loose := [part for part in held if isinstance(part, str)]:
        raise BracketError(line, f"bracket ({label} …) holds {loose[0]!r} beside other parts; each word wants its tag")
    return Bracket(label, None, tuple(held))


def parents(widths: Array) -> Array:
    """Index of each node's parent, -1 for the root, of the numbers of tokens (n,) of a tree's nodes -> (n,) int64.

    Raises:
        ValueError: where the nodes are no tree.
    """
    found, ends = np.full(len(widths), -1, np.int64), np.zeros(len(widths), np.int64)
    place, waiting = 0, list[int]()
    for i, width in enumerate(np.asarray(widths).tolist()):
        while waiting and ends[waiting[-1]] <= place:
            waiting.pop()
        if i:
            if not waiting or place + max(width, 1) > ends[waiting[-1]]:
                raise ValueError(f"node {i} of {width} tokens lies outside of the one before it")
            found[i] = waiting[-1]
        ends[i] = place + max(width, 1)
        if width:
            waiting.append(i)
        place += width == 0
    if not len(widths) or widths[0] != place or not widths[0]:
        raise ValueError(f"a tree of {place} tokens has a root of {widths[0] if len(widths) else 'no nodes'}")
    return found


def written(nodes: Array, names: Sequence[str], words: Sequence[str] | None = None) -> str:
    """Write a tree (n, 2) in brackets, with its words where they are given: ``(NP (DT the) (NN sun))``."""
    text, place, waiting = list[str](), 0, list[int]()
    for code, width in np.asarray(nodes).tolist():
        while waiting and waiting[-1] <= place:
            waiting.pop()
            text.append(")")
        name = _ESCAPED.get(names[code], names[code])
        if width:
            waiting.append(place + width)
            text.append(f" ({name}")
        else:
            text.append(f" {name}" if words is None else f" ({name} {_ESCAPED.get(words[place], words[place])})")
            place += 1
    return "".join([*text, ")" * len(waiting)]).lstrip()
