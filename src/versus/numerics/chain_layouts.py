"""Order of the positions of many sequences of unequal length in which chains work through them.

Sequences of like length are taken together, as many as stay in the processor's cache, and laid out by time: the
positions of one step are a slice, and nothing is padded.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from versus.arrays import Array, Ragged

_BLOCK = 2**19  # elements of (positions, K) that are worked on at a time
_FEWEST = 128  # sequences that are worked on at a time, however long: a step has a cost of its own


class Block:
    """Some sequences, the longest first; their positions are ordered by time, so that each step is a slice.

    Attributes:
        steps: the slice of each time step.
        sizes: (T,) number of sequences that have each step.
        rank: (total,) the sequence that each position belongs to.
        last: (N,) position of the last element of each sequence.
        previous: (total - N,) the position before, of each one after the first step.
        rows: the positions among those of all blocks.
    """

    def __init__(self, lengths: Array, first: int) -> None:
        self.lengths = lengths
        self.sizes = np.cumsum(np.bincount(lengths)[::-1])[::-1][1:]
        offsets = np.concatenate([[0], np.cumsum(self.sizes)])
        self.steps = [slice(int(a), int(b)) for a, b in pairwise(offsets)]
        positions = np.arange(offsets[-1])
        self.rank = positions - np.repeat(offsets[:-1], self.sizes)
        self.time = np.repeat(np.arange(len(self.sizes)), self.sizes)
        self.last = offsets[lengths - 1] + np.arange(len(lengths))
        self.previous = positions[self.sizes[0] :] - np.repeat(self.sizes[:-1], self.sizes[1:])
        self.rows = slice(first, first + len(positions))


class Layout:
    """Order of the positions of ragged sequences in which chains work: blocks of sequences of like length, by time.

    Args:
        starts: (N + 1,) of sequences with at least one element each.
        n_states: number of states, on which the size of the blocks depends.

    Attributes:
        order: (total,) place of each position among the values by sequence.
        first, last: (N,) positions of the first and the last element of each sequence, longest first.
    """

    def __init__(self, starts: Array, n_states: int) -> None:
        lengths = np.diff(starts)
        if not len(lengths) or not lengths.all():
            empty = f"sequence {int(np.flatnonzero(lengths == 0)[0])} is empty" if len(lengths) else "there are none"
            raise ValueError(f"chains take sequences of at least one element; {empty}")
        self.starts = starts
        self._longest_first = np.argsort(-lengths, kind="stable")
        ends = np.cumsum(lengths[self._longest_first])
        block = (ends - 1) // max(_BLOCK // n_states, _FEWEST * int(lengths.max()))
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [len(lengths)]])
        self.blocks, order = [], []
        for a, b in pairwise(cuts):
            chosen = self._longest_first[a:b]
            self.blocks.append(Block(lengths[chosen], int(ends[a] - lengths[chosen[0]])))
            order.append(starts[chosen][self.blocks[-1].rank] + self.blocks[-1].time)
        self.order = np.concatenate(order)
        self.first = np.concatenate([b.rows.start + np.arange(len(b.lengths)) for b in self.blocks])
        self.last = np.concatenate([b.rows.start + b.last for b in self.blocks])

    def packed(self, values: Array) -> Array:
        """Reorder values by sequence to values as laid out."""
        return np.take(values, self.order, axis=0)

    def unpacked(self, packed: Array) -> Ragged:
        """Reorder values as laid out to values by sequence."""
        values = np.empty_like(packed)
        values[self.order] = packed
        return Ragged(values, self.starts)

    def by_sequence(self, values: Array) -> Array:
        """Reorder (N,), longest first -> (N,) in the order of the sequences."""
        out = np.empty_like(values)
        out[self._longest_first] = values
        return out
