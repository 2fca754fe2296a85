"""What charts are filled by: rules that join symbols, scores of sentences, and blocks of sentences of like length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Ragged

_SIZE = 2**22  # elements of charts that are worked on at a time
_PADDED = 1.15  # length of a block's longest sentence relative to its shortest


class Rules:
    """Which symbols a rule joins: what all grammars with these rules share, whatever the weights.

    Args:
        n_tags: symbols 0 … n_tags - 1 stand above a token.
        n_symbols: number K of symbols.
        binary: (R, 3) parent, left and right part.
        unary: (U, 2) parent and part.
    """

    def __init__(self, n_tags: int, n_symbols: int, binary: Array, unary: Array) -> None:
        self.n_tags, self.n_symbols, self.binary, self.unary = n_tags, n_symbols, binary, unary
        parent, left, right = binary.T
        self.parent = parent
        pairs, self.pair_of = np.unique(left * n_symbols + right, return_inverse=True)
        self.left, self.right = np.divmod(pairs, n_symbols)
        self.to_parent, self.to_pair = Groups(parent), Groups(self.pair_of)
        self.to_left, self.to_right = Groups(self.left), Groups(self.right)

    def elements(self, n: int) -> int:
        """Number of elements that the chart of a sentence of n tokens takes."""
        return n * n * (4 * len(self.left) + 2 * self.n_symbols + 8)


class Groups:
    """Columns by the symbol, or pair of symbols, that they lead to."""

    def __init__(self, targets: Array) -> None:
        self.order = np.argsort(targets, kind="stable")
        self.targets, self.starts = np.unique(targets[self.order], return_index=True)

    def reduced(self, ufunc: np.ufunc, values: Array) -> Array:
        """Reduce columns (…, E) to those of each target (…, targets)."""
        if not len(self.order):
            return values
        found: Array = ufunc.reduceat(values[..., self.order], self.starts, axis=-1)
        return found


@dataclass(frozen=True)
class Scores:
    """Log weights that sentences give to symbols over their spans.

    Args:
        tags: (total, T) of each tag at each token, of N sentences.
        begin, end: (total, S) of the symbols T … T + S - 1 over spans of several tokens that begin or end at a token.
        length: (longest + 1, S) of the same symbols over spans of so many tokens.
    """

    tags: Ragged
    begin: Array | None = None
    end: Array | None = None
    length: Array | None = None


def blocks(rules: Rules, lengths: Array) -> Iterator[Array]:
    """Yield rows of sentences of like length, as many as fit into memory.

    Raises:
        ValueError: for an empty sentence.
    """
    if not lengths.all():
        raise ValueError(f"sentence {int(np.flatnonzero(lengths == 0)[0])} is empty; a tree has at least one token")
    order = np.argsort(lengths, kind="stable")
    first = 0
    for i in range(1, len(order) + 1):
        if i < len(order):
            shortest, longest = lengths[order[first]], lengths[order[i]]
            if longest <= _PADDED * shortest + 1 and (i + 1 - first) * rules.elements(longest) <= _SIZE:
                continue
        yield order[first:i]
        first = i


class Block:
    """Scores of some sentences, laid out as (B, longest, …); beyond a sentence's end no tag is possible."""

    def __init__(self, scores: Scores, rows: Array) -> None:
        self.rows, self.lengths = rows, scores.tags.lengths[rows]
        self.n = int(self.lengths.max())
        place = np.arange(self.n)
        self.inside = place < self.lengths[:, None]  # (B, n)
        self.tokens = np.where(self.inside, scores.tags.starts[rows][:, None] + place, 0)
        self.tags = np.where(self.inside[..., None], scores.tags.values[self.tokens], -np.inf)
        self.begin = None if scores.begin is None else scores.begin[self.tokens]
        self.end = None if scores.end is None else scores.end[self.tokens]
        self.length = scores.length

    def spans(self, w: int) -> Array | None:
        """Log weights (B, n - w + 1, S) of spans of w tokens; None where there are none."""
        if self.begin is None or self.end is None or self.length is None or w == 1:
            return None
        found: Array = self.begin[:, : self.n - w + 1] + self.end[:, w - 1 :] + self.length[w]
        return found
