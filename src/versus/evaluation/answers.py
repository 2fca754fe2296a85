"""Questions to a fitted model, the capabilities that its methods show, and its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from versus.arrays import Array, Events
from versus.data.prepared import Part, Prepared
from versus.data.schema import Schema

if TYPE_CHECKING:
    from versus.evaluation.extractor import Extractor

# Enough to keep matrix products busy, few enough that a network's activations stay small.
BATCH_ROWS = 2048


class EvaluationError(ValueError):
    """Error for an answer that cannot be scored, such as NaN; the message names cell, repeat and method."""


@dataclass(frozen=True)
class HeldOut:
    """Test rows of one repeat, held out from all models that are scored.

    Args:
        data: the prepared data set.
        repeat: which of its splits.
        extractor: by what drawn images are scored; None where nobody asks for that.
    """

    data: Prepared
    repeat: int
    extractor: Extractor | None = None

    @property
    def schema(self) -> Schema:
        """Schema of events and targets."""
        return self.data.schema

    @cached_property
    def X(self) -> Any:  # noqa: N802
        """Events (n, *event), which a model cannot change for those asked later, or Ragged sequences."""
        X = self.data.take(self.repeat, "test")[0]
        if isinstance(X, np.ndarray):
            X.flags.writeable = False
        return X

    @cached_property
    def y(self) -> Any:
        """Targets (n,), or Ragged tags or trees."""
        return self.data.take(self.repeat, "test")[1]

    @cached_property
    def weights(self) -> Array | None:
        """Weights (n,) of the rows in scores; None where all count alike."""
        return self.data.weights_of(self.repeat, "test")

    def some(self, rng: np.random.Generator, *parts: Part, most: int) -> tuple[Any, Any, Array | None]:
        """Return at most so many rows of some parts, chosen evenly, with targets and weights; no others are copied."""
        rows = self.data.rows(self.repeat, *parts)
        chosen = rows[np.sort(rng.permutation(len(rows))[:most])]
        weights = None if self.data.weights is None else self.data.weights[chosen]
        return self.data.X[chosen], self.data.y[chosen], weights


@dataclass(frozen=True)
class Answers:
    """Input of the metrics of one use.

    Args:
        use: `Metric.use` of the metrics.
        given: the arguments of their functions, the true targets first if there are any.
        suffix: suffix of their names, so that densities of different measures never share a column.
        floor: the arguments with real rows in place of the model's: the score that nothing real falls short of.
    """

    use: str
    given: tuple[Any, ...]
    suffix: str = ""
    floor: tuple[Any, ...] | None = None


class Use(Protocol):
    """Use of a model; the modules of `versus.evaluation.uses` have this form."""

    WHAT: str  # as a skip calls it

    def concerns(self, schema: Schema) -> bool:
        """Check that the use makes sense for these data, so that its absence is a gap."""

    def reason_against(self, model: Any, schema: Schema) -> str | None:
        """Give the reason against this use of the model; None if it is possible."""

    def answers(self, model: Any, held_out: HeldOut, seed: int) -> Iterable[Answers]:
        """Ask the model.

        Raises:
            UndefinedMetricError: if these rows do not allow it; the message gives the reason.
            EvaluationError: if an answer cannot be scored.
        """


def in_batches(function: Callable[[Any], Array], X: Events) -> Array:
    """Apply ``function`` to batches of rows and join the results: (N, *event) -> (N, …)."""
    return np.concatenate([function(X[i : i + BATCH_ROWS]) for i in range(0, max(len(X), 1), BATCH_ROWS)])


METHODS = (
    "fit",
    "fit_steps",
    "predict",
    "predict_proba",
    "predict_interval",
    "parse",
    "log_prob",
    "log_prob_target",
    "elbo",
    "ais_log_prob",
    "ais_elbo",
    "ode_log_prob",
    "pseudo_log_prob",
    "sample",
    "continue_",
    "encode",
    "decode",
    "reconstruct",
    "impute",
    "translate",
)


def capabilities(model: Any) -> list[str]:
    """Return the names of the protocol's methods that a model has, in the protocol's order."""
    return [name for name in METHODS if callable(getattr(model, name, None))]


# Methods that score events, the most exact first, and the use whose metrics take their answers.
DENSITIES = {
    "log_prob": "density",
    "elbo": "bound",
    "ais_log_prob": "ais_density",
    "ais_elbo": "ais_bound",
    "ode_log_prob": "ode_density",
    "pseudo_log_prob": "pseudo_density",
}


def density(has: Sequence[str]) -> str | None:
    """Return the method that scores events, the most exact one; None if the model has none."""
    return next((name for name in DENSITIES if name in has), None)


def measure_suffix(model: Any) -> str:
    """Return the suffix of a density score's name, so that scores of different measures never share a column."""
    return "" if model.measure == "continuous" else f"_{model.measure}"


def samples_by_class(model: Any) -> bool:
    """Check that ``sample`` accepts the classes of the events to draw; a generator without classes rejects them."""
    try:
        model.sample(1, y=np.zeros(1, dtype=np.int64), random_state=0)
    except ValueError:
        return False
    return True
