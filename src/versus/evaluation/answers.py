"""What a use asks a fitted model, and what it answers: the interface between uses, metrics and the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from versus.arrays import Array, Events
from versus.data.prepared import Prepared
from versus.data.schema import Schema

# Enough to keep matrix products busy, few enough that a network's activations stay small.
BATCH_ROWS = 2048


class EvaluationError(ValueError):
    """A fitted model that answers what cannot be scored, such as NaN; the message names cell, repeat and method."""


@dataclass(frozen=True)
class HeldOut:
    """The test rows of one repeat; nothing that is scored was fitted on them."""

    data: Prepared
    repeat: int

    @property
    def schema(self) -> Schema:
        """What events and targets are."""
        return self.data.schema

    @cached_property
    def X(self) -> Any:  # noqa: N802
        """The events (n, *event), or Ragged sequences."""
        return self.data.take(self.repeat, "test")[0]

    @cached_property
    def y(self) -> Any:
        """Their targets (n,), or Ragged tags."""
        return self.data.take(self.repeat, "test")[1]


@dataclass(frozen=True)
class Answers:
    """What the metrics of one use are computed from.

    Args:
        use: `Metric.use` of the metrics.
        given: the arguments of their functions, the truth first where there is one.
        suffix: what is added to their names, so that densities of different measures never share a column.
    """

    use: str
    given: tuple[Any, ...]
    suffix: str = ""


class Use(Protocol):
    """Something that a model can be used for; a module of `versus.evaluation.uses` is one."""

    WHAT: str  # as a skip calls it

    def concerns(self, schema: Schema) -> bool:
        """Whether the use has a meaning for these data, so that not to have it is a gap."""

    def reason_against(self, model: Any, schema: Schema) -> str | None:
        """Why the model cannot be used so; None where it can."""

    def answers(self, model: Any, held_out: HeldOut, seed: int) -> Iterable[Answers]:
        """Ask the model.

        Raises:
            UndefinedMetricError: where these rows do not allow it; the message says why.
            EvaluationError: where the model answers what cannot be scored.
        """


def in_batches(function: Callable[[Any], Array], X: Events) -> Array:
    """Apply ``function`` to batches of rows and join the results: (N, *event) -> (N, …)."""
    return np.concatenate([function(X[i : i + BATCH_ROWS]) for i in range(0, max(len(X), 1), BATCH_ROWS)])
