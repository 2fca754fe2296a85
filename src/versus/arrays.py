"""Types shared by all packages: arrays, ragged arrays, and one step of a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Labels = NDArray[np.int64]

# What a density is a density of. Likelihoods share a column only where this agrees.
Measure = Literal["continuous", "discrete", "mixed", "binarised", "dynamically_binarised", "multinomial", "sequence"]

# float16 is omitted: it needs loss scaling, and bfloat16 is as fast without it.
Precision = Literal["auto", "32-true", "bf16-mixed", "64-true"]

# Family -> as it is read. The folder below models/ says the family, and the family is the stage.
FAMILIES = {
    "discriminative": "discriminative",
    "classical_generative": "classical generative",
    "deep_generative": "deep generative",
}


@dataclass(frozen=True)
class Ragged:
    """N sequences of unequal length, concatenated: documents, tagged sentences, streams, trees.

    Args:
        values: (total, ...) elements of all sequences.
        starts: (N + 1,) int64 start of each sequence; the last is ``total``.
    """

    values: Array
    starts: Array

    @classmethod
    def of(cls, sequences: Any, dtype: Any = None) -> Ragged:
        """Join sequences, each an array or a list (n_i, ...)."""
        parts = [np.asarray(part, dtype=dtype) for part in sequences]
        return cls.cut(np.concatenate(parts) if parts else np.zeros(0, dtype or np.int64), [len(p) for p in parts])

    @classmethod
    def cut(cls, values: Array, lengths: Any) -> Ragged:
        """Cut values (total, ...) into consecutive sequences of the given lengths (N,)."""
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    @property
    def lengths(self) -> Array:
        """Number of elements of each sequence, (N,)."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, rows: int | np.integer[Any]) -> Array: ...
    @overload
    def __getitem__(self, rows: slice | Array) -> Ragged: ...
    def __getitem__(self, rows: Any) -> Any:
        """Return one sequence for an integer; for a slice, indices or a mask the chosen sequences as Ragged.

        Consecutive rows are a view of the values.
        """
        if isinstance(rows, int | np.integer):
            i = range(len(self))[rows]
            return self.values[self.starts[i] : self.starts[i + 1]]
        if isinstance(rows, slice) and rows.step in (None, 1):
            first, last, _ = rows.indices(len(self))
            starts = self.starts[first : max(first, last) + 1]
            return Ragged(self.values[starts[0] : starts[-1]], starts - starts[0])
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Element j of the result lies j - (start there) + (start here) from the beginning of the values.
        where = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], lengths)
        return Ragged(self.values[where], starts)


Events = Array | Ragged


def joined(parts: Sequence[Any]) -> Any:
    """Concatenate arrays (n_i, ...), or several Ragged."""
    if not isinstance(parts[0], Ragged):
        return np.concatenate(parts)
    lengths = np.concatenate([part.lengths for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(np.concatenate([part.values for part in parts]), starts)


@dataclass(frozen=True)
class Step:
    """Epoch of training: its number, its named losses, the seconds since training began, and the state to resume from.

    ``state()`` returns flat arrays from which ``fit_steps(..., resume=…)`` resumes exactly.
    """

    step: int
    losses: Mapping[str, float]
    seconds: float
    state: Callable[[], dict[str, Array]]
