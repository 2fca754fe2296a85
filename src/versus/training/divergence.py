"""Trainings that have failed: losses that are not finite or explode, and players of a game that no longer learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from versus.arrays import Array

EXPLODED = 1e6  # times the first epoch's loss, or 1 where that is less
TROUBLED_EPOCHS = 10  # in a row, after which a training that learns nothing ends


class TrainingDiverged(RuntimeError):  # noqa: N818 - it says what happened
    """The loss or its gradient became NaN or infinite, or the loss exploded."""


class TrainingCollapsed(RuntimeError):  # noqa: N818 - it says what happened
    """A player of a game has learned nothing for many epochs."""


def diverged(epoch: int, part: str, batches: int, means: Mapping[str, float], learning_rate: float) -> TrainingDiverged:
    """Return the error of a loss that is not finite, with the means of all losses over the batches so far."""
    told = ", ".join(f"{name} {value}" for name, value in means.items())
    return TrainingDiverged(
        f"training diverged in epoch {epoch}: the {part} loss (mean of {batches} batches: {told}) "
        f"or its gradient is not finite. Try a lower learning_rate than {learning_rate}, "
        "and check the data for extreme values"
    )


class Watch:
    """Look at the losses of each epoch, and end a training that has failed.

    Args:
        learning_rate: the base learning rate, for the errors' advice.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.first: dict[str, float] = {}
        self.troubled = 0  # epochs in a row

    def see(self, epoch: int, losses: Mapping[str, float], trouble: str | None) -> None:
        """Take the losses of an epoch, and what the update has to complain of.

        Raises:
            TrainingDiverged: if the size of a loss is `EXPLODED` times that in the first epoch.
            TrainingCollapsed: if there was trouble in each of the last `TROUBLED_EPOCHS`.
        """
        for name, value in losses.items():
            first = self.first.setdefault(name, value)
            if name.endswith("loss") and abs(value) > EXPLODED * max(1.0, abs(first)):
                raise TrainingDiverged(
                    f"training diverged in epoch {epoch}: {name} is {value:.3g}, after {first:.3g} in the first epoch. "
                    f"Try a lower learning_rate than {self.learning_rate}"
                )
        self.troubled = self.troubled + 1 if trouble else 0
        if self.troubled >= TROUBLED_EPOCHS:
            raise TrainingCollapsed(
                f"training collapsed: for {self.troubled} epochs up to epoch {epoch}, {trouble}. Try a lower "
                f"learning_rate than {self.learning_rate}, or a stronger penalty of the critic"
            )

    def arrays(self) -> dict[str, Array]:
        """Return the state as flat arrays."""
        first = {f"first.{name}": np.asarray(value, np.float64) for name, value in self.first.items()}
        return {"troubled": np.asarray(self.troubled, np.int64), **first}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `arrays`."""
        self.troubled = int(arrays["troubled"])
        self.first = {n.removeprefix("first."): float(a) for n, a in arrays.items() if n.startswith("first.")}
