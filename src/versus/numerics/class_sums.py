"""Sums by class of all columns and of their squares, at the speed of memory.

A block of rows is squared into a buffer, which reads memory in order and leaves both in cache. Then rows and squares
are multiplied by the indicator matrix of the classes: a sparse one where there is much to sum, as a dense one costs K
multiplications for each addition. Sums within a block are in the rows' own type, sums of blocks in float64.
"""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.numerics.aligned import aligned_empty
from versus.numerics.blocks import map_slabs

_BLOCK = 1_200_000  # bytes of a block
_SLABS = 8  # shares of the rows at most; memory feeds no more cores than that
_MANY = 2**20  # numbers from which sparse sums pay for the import of scipy.sparse


def class_sums(rows: Array, labels: Labels, n_classes: int, about: Array | None = None) -> Array:
    """Sums of x - about and of its squares over the rows (N, D) of each class, (2, K, D); ``about`` is (K, D) or 0.

    Float32 or float64. A missing value (NaN) makes its class's sum NaN.
    """
    codes = labels.astype(np.int32)
    size = int(np.clip(_BLOCK // max(rows.itemsize * rows.shape[1], 1), 1, len(rows)))
    own = threading.local()  # each thread's buffers, made once

    def work(slab: slice) -> Array:
        if not hasattr(own, "blocks"):
            own.blocks = _Blocks(n_classes, rows.shape[1], rows.dtype, size, sparse=rows.size >= _MANY)
        with np.errstate(invalid="ignore", over="ignore"):
            sums: Array = own.blocks.sums(rows[slab], codes[slab], about)
        return sums

    parts = map_slabs(work, len(rows), max(size, -(-len(rows) // _SLABS)))
    total: Array = np.add.reduce(parts, axis=0)
    return total


class _Blocks:
    """One thread's buffer of squares, and the indicator matrices that it fills in again and again."""

    def __init__(self, n_classes: int, n_columns: int, dtype: np.dtype[np.floating], size: int, sparse: bool) -> None:
        self.n_classes = n_classes
        self.size = size
        self.sparse = sparse
        self.squares = aligned_empty((size, n_columns), dtype)
        self.indicators: dict[int, Any] = {}

    def sums(self, rows: Array, codes: Array, about: Array | None) -> Array:
        """Sums and sums of squares over some rows, (2, K, D) float64, block by block."""
        total = np.zeros((2, self.n_classes, rows.shape[1]))
        edges = np.linspace(0, len(rows), -(-len(rows) // self.size) + 1).astype(int).tolist()
        for start, end in pairwise(edges):
            x = rows[start:end] if about is None else rows[start:end] - about[codes[start:end]]
            squares = np.multiply(x, x, out=self.squares[: len(x)])
            of_class = self._indicator(codes[start:end])
            total[0] += of_class @ x
            total[1] += of_class @ squares
        return total

    def _indicator(self, codes: Array) -> Any:
        """(K, n) with a 1 where the row is of the class; made once for each n, as that takes as long as a product."""
        if not self.sparse:
            return (np.arange(self.n_classes)[:, None] == codes).astype(self.squares.dtype)
        if len(codes) not in self.indicators:
            from scipy.sparse import csc_array  # a tenth of a second to import

            ones, ends = np.ones(len(codes), self.squares.dtype), np.arange(len(codes) + 1, dtype=np.int32)
            self.indicators[len(codes)] = csc_array((ones, codes.copy(), ends), shape=(self.n_classes, len(codes)))
        indicator = self.indicators[len(codes)]
        indicator.indices[:] = codes
        return indicator
