"""Protocols of models. A capability is a method that exists, not a flag.

Every model is a `versus.models.arguments.Model`: its constructor arguments are the fields of a dataclass, among them
``schema`` and, where it uses chance, ``random_state``. What it learns ends in an underscore. A class whose ``fit``
imports a library names it in ``late_imports``, so that a timed fit can import it before the clock starts. Missing
values arrive as NaN, categorical columns as codes (see `versus.data.schema.Column`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from versus.arrays import Array, Labels, Measure, Ragged, Step


@runtime_checkable
class Fits(Protocol):
    """All models."""

    def fit(self, X: Array, y: Array | None = None) -> Any:
        """Learn from X (N, *event) and y (N,); returns self."""


@runtime_checkable
class FitsWeighted(Protocol):
    """Models whose rows may have weights; those that train by epochs take them in ``fit_steps``, too."""

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Any:
        """Learn from X (N, *event), y (N,) and weights (N,); a row of weight 2 counts as two."""


def takes_weights(model: Any) -> bool:
    """Check that a model is one of `FitsWeighted`, which its signature says."""
    return "sample_weight" in inspect.signature(model.fit).parameters


def takes_unlabelled(model: Any) -> bool:
    """Check that a model's ``fit`` takes rows without a class, whose code is -1; its class says so."""
    return bool(getattr(model, "takes_unlabelled", False))


@runtime_checkable
class FitsBySteps(Protocol):
    """Models that train by epochs; the caller draws progress, logs and keeps checkpoints.

    One that stops early by held-out rows has an attribute ``holds_out_validation = True``: it is fitted on
    the training part and given the validation part. All others, by steps or not, learn from both.
    """

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments by name, without the schema."""

    def fit_steps(
        self,
        X: Array,
        y: Array | None = None,
        validation: tuple[Array, ...] | None = None,
        resume: Mapping[str, Array] | None = None,
    ) -> Iterator[Step]:
        """Yield a `Step` after each epoch; when exhausted the model is fitted (with its best epoch's weights)."""


@runtime_checkable
class FitsTogether(Protocol):
    """Models by steps of which several may be trained as one batched network, which is faster where they are small."""

    @staticmethod
    def fit_together(models: Sequence[Any], rows: Sequence[Any]) -> list[Any]:
        """Start models and group those that can be trained together.

        Args:
            models: of one class.
            rows: ``(X, y, validation, weights)`` of each, as `FitsBySteps` takes them.

        Returns:
            Groups with ``places`` of their models among those given, and ``fit_steps(resume)``, which fits them.
        """


@runtime_checkable
class Predicts(Protocol):
    """Classifiers and regressors."""

    def predict(self, X: Array) -> Array:
        """Predict class codes or real values, (N, *event) -> (N,)."""


@runtime_checkable
class PredictsProbabilities(Protocol):
    """Classifiers."""

    def predict_proba(self, X: Array) -> Array:
        """Probabilities of the classes, (N, *event) -> (N, K); rows sum to 1."""


@runtime_checkable
class PredictsMarginals(Protocol):
    """Taggers; their ``predict`` gives the tag codes of all tokens, Ragged."""

    def predict_marginals(self, X: Ragged) -> Ragged:
        """Probabilities of each token's tags, (total,) token codes -> (total, K); rows sum to 1."""


@runtime_checkable
class Parses(Protocol):
    """Parsers."""

    def parse(self, X: Ragged) -> Ragged:
        """The tree over each sentence, (N sentences) token codes -> nodes (total, 2) of each, as in `Trees`."""


@runtime_checkable
class PredictsIntervals(Protocol):
    """Regressors with a predictive density."""

    def predict_interval(self, X: Array, coverage: float) -> Array:
        """Central interval that holds y with probability ``coverage``, (N, *event) -> (N, 2)."""


@runtime_checkable
class HasLogProb(Protocol):
    """Exact densities, over the raw space of the data; for joint models of P(x, y), log p(x)."""

    measure: Measure

    def log_prob(self, X: Array) -> Array:
        """Exact log-density, (N, *event) -> (N,) nats."""


@runtime_checkable
class HasElbo(Protocol):
    """Densities known through a lower bound."""

    measure: Measure

    def elbo(self, X: Array) -> Array:
        """Lower bound of log p(x), (N, *event) -> (N,) nats."""


@runtime_checkable
class Samples(Protocol):
    """Generators."""

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Any:
        """Draw ``n`` events (n, *event) in the raw space of the data; of the classes ``y`` (n,) where given."""


@runtime_checkable
class Encodes(Protocol):
    """Models with a latent space."""

    def encode(self, X: Array) -> Array:
        """Encode events, (N, *event) -> (N, L)."""

    def decode(self, Z: Array) -> Array:
        """Decode codes, (N, L) -> (N, *event)."""


@runtime_checkable
class Reconstructs(Protocol):
    """Models that rebuild an event from a code of it."""

    def reconstruct(self, X: Array) -> Array:
        """Encode and decode events, (N, *event) -> (N, *event)."""


@runtime_checkable
class Imputes(Protocol):
    """Models that fill gaps."""

    def impute(self, X: Array) -> Array:
        """Fill missing values, (N, D) with NaN -> (N, D) without."""


@runtime_checkable
class Translates(Protocol):
    """Models of two domains of images."""

    def translate(self, X: Array, to: int) -> Array:
        """Translate images of the other domain to the domain ``to``, 0 or 1, (N, *event) -> (N, *event)."""
