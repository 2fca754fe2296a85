r"""Bases of hidden Markov models: an element of a sequence depends on its state, a state on the one before.

.. math:: p(x, z) = \pi_{z_1} \prod_{t > 1} A_{z_{t-1} z_t} \prod_t b_{z_t}(x_t) \; e_{z_T}

States are the tags (`TaggedStates`), learned by counting; or nobody named them (`FreeStates`), and EM finds them
(`versus.numerics.baum_welch`). The step to the end, e, is learned as other steps are, so that p(x) sums to 1 over
sequences of all lengths. Rabiner, "A tutorial on hidden Markov models" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, Literal, Self

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.data.schema import Schema
from versus.data.targets import Tags
from versus.models.arguments import Between, Count, Model, NonNegative, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema, sequences_of, tagging_data
from versus.models.estimator import limited
from versus.numerics.baum_welch import Emissions, baum_welch
from versus.numerics.chains import Chain, step_counts


class HiddenStates(Model):
    """A model defines ``_log_emissions`` and ``_emitted``; learned: ``chain_``."""

    measure: ClassVar[Measure] = "discrete"

    schema_: Schema
    chain_: Chain

    def _log_emissions(self, x: Array) -> Array:
        """Log p(element | state), (total, ...) -> (total, K) nats."""
        raise NotImplementedError

    def _emitted(self, states: Array, rng: np.random.Generator) -> Array:
        """Draw an element of each state, (total,) -> (total, ...)."""
        raise NotImplementedError

    def _scores(self, X: Ragged) -> Ragged:
        sequences_of(self.schema_).check(X)
        return Ragged(self._log_emissions(X.values), X.starts)

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x), summed over all paths of states, (N sequences) -> (N,) nats."""
        return self.chain_.log_normaliser(self._scores(X))

    def predict_states(self, X: Ragged) -> Ragged:
        """p(state | whole sequence) of each element, (total, ...) -> (total, K)."""
        return self.chain_.posterior(self._scores(X)).marginals

    def _steps(self, names: list[str]) -> dict[str, Any]:
        values = self.chain_.probabilities().tolist()
        return {"from": ["(start)", *names], "to": [*names, "(end)"], "values": values, "of": "probability"}


@dataclass(eq=False)
class TaggedStates(HiddenStates):
    """The tags are the states, and steps between them are counted.

    Learned: ``steps_`` (K + 1, K + 1) counts of steps between tags, the last row from the beginning and the last column
    to the end.

    Args:
        alpha: added to the count of each step between tags.
        decode: "viterbi" predicts the best sequence of tags, "posterior" the best tag of each element.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-3, 10.0)}

    alpha: Positive = 0.1
    decode: Literal["viterbi", "posterior"] = "viterbi"

    def _learn_steps(self, X: Ragged, y: Ragged | None) -> Ragged:
        """Settle the schema, count steps, and return the tags; ValueError where they do not fit."""
        self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        self.steps_ = step_counts(tags, self.schema_.n_classes)
        self._restore_chain()
        return tags

    def _restore_chain(self) -> None:
        first, later = self.steps_[-1, :-1] + self.alpha, self.steps_[:-1] + self.alpha
        steps = np.log(later / later.sum(axis=1, keepdims=True))
        self.chain_ = Chain(np.log(first / first.sum()), steps[:, :-1], steps[:, -1])

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of all tags of a sequence, (N sequences) each -> (N,) nats."""
        scores = self._scores(X)
        return self.chain_.log_weight(scores, y) - self.chain_.log_normaliser(scores)

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sequence) of each element, (total, ...) -> (total, K)."""
        return self.predict_states(X)

    def predict(self, X: Ragged) -> Ragged:
        """Tag codes of each element, (total, ...) -> (total,) int64."""
        if self.decode == "viterbi":
            return self.chain_.viterbi(self._scores(X))[0]
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def transitions(self) -> dict[str, Any]:
        """Probabilities of each step between tags, with their names."""
        return self._steps(list(self.schema_.classes))

    def sample(self, n: int, y: Ragged | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences; with the tags ``y`` (n sequences) where given.

        Raises:
            ValueError: where ``y`` holds another number of sequences than ``n``.
        """
        rng = np.random.default_rng(random_state)
        tags = self.chain_.draw(n, rng) if y is None else y
        if not isinstance(tags, Ragged) or len(tags) != n:
            raise ValueError(f"y is {type(tags).__name__} of {len(tags)}; the tags of {n} sequences, Ragged, are taken")
        return Ragged(self._emitted(tags.values, rng), tags.starts)


@dataclass(eq=False)
class FreeStates(HiddenStates):
    """Hidden states learned by EM; where training sequences have tags, they name the states afterwards.

    An element's tags are mixed by the probabilities of its states. A model defines ``start``, and ``_of_arrays``.

    Learned: ``chain_``, ``emissions_``, ``tag_shares_`` (K, tags) of each state's training elements, ``trace_`` the
    log-likelihood and log prior after each EM step, nats.

    Args:
        n_components: number of states K.
        alpha: pseudo-count of each step.
        n_init: number of random starts of EM; the most likely result is kept.
        max_iter: maximum number of EM steps.
        tol: EM ends when the log-likelihood rises by less than this, nats per element.
        random_state: seed of the starts.
    """

    search_space: ClassVar[SearchSpace] = {"n_components": Between(4, 64)}

    late_imports = ("sklearn.utils",)

    n_components: Count = 16
    alpha: NonNegative = 0.1
    n_init: Count = 1
    max_iter: Count = 100
    tol: float = 1e-4
    random_state: int | None = field(default=None, kw_only=True)

    def start(self, X: Ragged, rng: np.random.Generator) -> Emissions:
        """Build emissions that EM may begin with."""
        raise NotImplementedError

    def _of_arrays(self, arrays: Mapping[str, Array]) -> Emissions:
        """Build emissions from the arrays of `Emissions.arrays`; ValueError where a shape is another."""
        raise NotImplementedError

    def fit(self, X: Ragged, y: Ragged | None = None) -> Self:
        """Learn from sequences X; tags y, where given, only name the states.

        Raises:
            ValueError: where X does not fit the schema, or a sequence is empty.
        """
        if self.schema is not None and isinstance(self.schema.y, Tags):
            self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        else:
            self.schema_, tags = self.schema or Schema.of(X), None
            sequences_of(self.schema_).check(X)
        rng = np.random.default_rng(self.random_state)
        with limited(1):  # its matrices are too small to share among threads
            found = [self._em(X, rng) for _ in range(self.n_init)]
        self.trace_, self.chain_, self.emissions_ = max(found, key=lambda each: each[0][-1])
        counts = np.zeros((self.n_components, self.schema_.n_classes))
        if tags is not None:
            np.add.at(counts.T, tags.values, self.predict_states(X).values)
        self.tag_shares_ = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        return self

    def _em(self, X: Ragged, rng: np.random.Generator) -> tuple[list[float], Chain, Emissions]:
        """Run EM once from a random start."""
        k = self.n_components
        emissions = self.start(X, rng)
        steps = rng.dirichlet(np.full(k + 1, 10.0), size=k)
        chain = Chain(np.log(rng.dirichlet(np.full(k, 10.0))), np.log(steps[:, :k]), np.log(steps[:, k]))
        trace: list[float] = []
        for value, following, emitted in islice(baum_welch(chain, emissions, X, self.alpha), self.max_iter):
            trace.append(value)
            if len(trace) > 1 and value - trace[-2] < self.tol * len(X.values):
                break
            chain, emissions = following, emitted
        return trace, chain, emissions

    def _log_emissions(self, x: Array) -> Array:
        found: Array = self.emissions_.scores(x)
        return found

    def _emitted(self, states: Array, rng: np.random.Generator) -> Array:
        found: Array = self.emissions_.draw(states, rng)
        return found

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sequence) of each element by the tags of its states, (total, ...) -> (total, tags)."""
        return Ragged(self.predict_states(X).values @ self.tag_shares_, X.starts)

    def predict(self, X: Ragged) -> Ragged:
        """The most probable tag of each element, (total, ...) -> (total,) int64."""
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def transitions(self) -> dict[str, Any]:
        """Probabilities of each step between states, which are called by their number and most frequent tag."""
        tags = [self.schema_.classes[k] for k in self.tag_shares_.argmax(axis=1)] if self.schema_.classes else []
        return self._steps([f"{k + 1} {tags[k]}" if tags else str(k + 1) for k in range(self.n_components)])

    def sample(self, n: int, y: Ragged | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences.

        Raises:
            ValueError: where tags are given, which the model does not know.
        """
        if y is not None:
            raise ValueError(f"{type(self).__name__}.sample takes no y: it was learned without tags")
        rng = np.random.default_rng(random_state)
        states = self.chain_.draw(n, rng)
        return Ragged(self._emitted(states.values, rng), states.starts)

    def _learned(self) -> dict[str, Array]:
        chain = self.chain_
        steps = {"initial": chain.initial, "transition": chain.transition, "final": chain.final}
        return steps | {"tag_shares": self.tag_shares_}

    def get_arrays(self) -> dict[str, Array]:
        """Log probabilities of steps, the emissions, and the tags of the states."""
        found: dict[str, Array] = self._learned() | self.emissions_.arrays()
        return found

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        k = self.n_components
        self.chain_ = Chain(
            check_shape(arrays, "initial", (k,)),
            check_shape(arrays, "transition", (k, k)),
            check_shape(arrays, "final", (k,)),
        )
        self.tag_shares_ = check_shape(arrays, "tag_shares", (k, self.schema_.n_classes))
        self.emissions_ = self._of_arrays(arrays)
        check_names(arrays, tuple(self.get_arrays()))
