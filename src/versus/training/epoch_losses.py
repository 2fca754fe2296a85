"""The mean losses of an epoch, and the check that they are finite."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

CHECK_EVERY = 50  # batches between looks at the values: each look makes a GPU wait


class TrainingDiverged(RuntimeError):  # noqa: N818 - it says what happened
    """The loss or its gradient became NaN or infinite."""


class EpochLosses:
    """Means of named losses over the rows of one pass through the data, added up on the device.

    Args:
        epoch: number of the epoch, for the error.
        part: "training" or "validation", for the error.
        learning_rate: the base learning rate, for the error's advice.
    """

    def __init__(self, epoch: int, part: str, learning_rate: float) -> None:
        self.epoch, self.part, self.learning_rate = epoch, part, learning_rate
        self.batches = 0
        self.sums: dict[str, Tensor] = {}
        self.rows: dict[str, int] = {}  # a player's loss counts in the batches in which it has moved
        self.watched: Tensor | None = None  # NaN or inf once a batch's was: neither ever goes away

    def add(self, losses: Mapping[str, Tensor], watched: Tensor, rows: int) -> None:
        """Count a batch: its mean losses, a number that must be finite, and how many rows it had."""
        for name, value in losses.items():
            term = value.detach() * rows
            self.sums[name] = self.sums[name] + term if name in self.sums else term
            self.rows[name] = self.rows.get(name, 0) + rows
        self.watched = watched.detach() if self.watched is None else self.watched + watched.detach()
        self.batches += 1
        if self.batches % CHECK_EVERY == 0:
            self._check()

    def means(self) -> dict[str, float]:
        """The mean of each loss over the rows seen.

        Raises:
            TrainingDiverged: if a loss or a gradient was NaN or infinite.
        """
        self._check()
        return self._means()

    def _means(self) -> dict[str, float]:
        return {name: float(total) / self.rows[name] for name, total in self.sums.items()}

    def _check(self) -> None:
        if self.watched is None or bool(torch.isfinite(self.watched)):
            return
        means = ", ".join(f"{name} {value}" for name, value in self._means().items())
        raise TrainingDiverged(
            f"training diverged in epoch {self.epoch}: the {self.part} loss (mean of {self.batches} batches: {means}) "
            f"or its gradient is not finite. Try a lower learning_rate than {self.learning_rate}, "
            "and check the data for extreme values"
        )
