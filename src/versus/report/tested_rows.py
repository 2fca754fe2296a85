"""Rows that the repeats of a data set test, and how their scores depend on each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from versus.data.prepared import Prepared


@dataclass(frozen=True, eq=False)
class TestedRows:
    """Test rows of each repeat, in the order of the predictions.

    One of four designs: all repeats share one test set (an official one, or a single repeat); every repeat has training
    and test rows of its own; blocks of folds, each of which tests each row once; or others.
    """

    __test__ = False  # no test of pytest

    prepared: Prepared

    @cached_property
    def by_repeat(self) -> list[NDArray[np.int64]]:
        """Row indices of the test rows of each repeat."""
        return [self.prepared.rows(r, "test") for r in range(self.prepared.repeats)]

    @property
    def n(self) -> int:
        """Mean number of test rows of a repeat, rounded."""
        return round(float(np.mean([len(rows) for rows in self.by_repeat])))

    @cached_property
    def n_train(self) -> int:
        """Number of rows that were seen for fitting, early stopping included."""
        return round(float(sum(np.mean(self.prepared.sizes(part)) for part in ("train", "validation"))))

    @cached_property
    def are_one_set(self) -> bool:
        """True where all repeats are tested on the same rows."""
        return all(np.array_equal(rows, self.by_repeat[0]) for rows in self.by_repeat)

    @cached_property
    def blocks(self) -> list[list[int]] | None:
        """Repeats of each block, whose test rows are disjoint and in every block the same; None for other designs."""
        if self.are_one_set or self.prepared.is_drawn:
            return None
        blocks: list[list[int]] = []
        masks: list[NDArray[np.bool_]] = []
        for repeat, rows in enumerate(self.by_repeat):
            if not blocks or masks[-1][rows].any():
                blocks.append([])
                masks.append(np.zeros(len(self.prepared.X), bool))
            blocks[-1].append(repeat)
            masks[-1][rows] = True
        return blocks if len(blocks[0]) > 1 and all((mask == masks[0]).all() for mask in masks) else None

    @cached_property
    def of_block(self) -> NDArray[np.int64]:
        """Rows that each block tests, (n,) ascending."""
        assert self.blocks is not None
        return np.sort(np.concatenate([self.by_repeat[repeat] for repeat in self.blocks[0]]))

    @cached_property
    def units_of_block(self) -> NDArray[np.int64] | None:
        """Unit of each row that a block tests, (n,); None where each row is its own."""
        units = self.prepared.units
        if units is None or self.blocks is None:
            return None
        found: NDArray[np.int64] = units[self.of_block]
        return found

    @cached_property
    def units(self) -> NDArray[np.int64] | None:
        """Units of the test rows of the first repeat, (n,); None where each row is its own."""
        units = self.prepared.units
        found = None if units is None else units[self.by_repeat[0]]
        return None if found is None or len(np.unique(found)) == len(found) else found

    def arranged(self, scores: list[NDArray[np.float64]]) -> NDArray[np.float64] | None:
        """Arrange scores of the test rows of each repeat by row and block, (n, R); None for other designs."""
        if self.blocks is None or any(len(of) != len(rows) for of, rows in zip(scores, self.by_repeat, strict=True)):
            return None  # or some of the rows are scored, since each takes long
        whole = np.full((len(self.prepared.X), len(self.blocks)), np.nan)
        for block, repeats in enumerate(self.blocks):
            for repeat in repeats:
                whole[self.by_repeat[repeat], block] = scores[repeat]
        found: NDArray[np.float64] = whole[self.of_block]
        return found
