r"""Hidden Markov models whose states nobody named: learned by EM from sequences without tags.

.. math:: p(x) = \sum_z \pi_{z_1} b_{z_1}(x_1) \prod_{t > 1} A_{z_{t-1} z_t} b_{z_t}(x_t) \; e_{z_T}

(`versus.numerics.baum_welch`). Where training sequences have tags, the tags name the states afterwards and do nothing
else: a token's tags are mixed by the probabilities of its states. What EM finds are states that predict the next word
well, which need not be parts of speech: Johnson, "Why doesn't EM find good HMM POS-taggers?" (2007); Rabiner, "A
tutorial on hidden Markov models" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.data.schema import Schema
from versus.data.targets import Tags
from versus.models.arguments import Between, Count, Model, NonNegative, SearchSpace
from versus.models.checks import check_names, check_shape, restored_schema, tagging_data, tokens_of
from versus.models.estimator import limited
from versus.numerics.baum_welch import Categorical, baum_welch
from versus.numerics.chains import Chain

__all__ = ["CategoricalHMM"]

_LEARNED = ("initial", "transition", "final", "log_probs", "tag_shares")


@dataclass(eq=False)
class CategoricalHMM(Model):
    """Hidden states that emit tokens, learned without tags.

    Learned: ``initial_`` (K,), ``transition_`` (K, K) and ``final_`` (K,) log probabilities of steps, ``log_probs_``
    (K, V) of the tokens of the vocabulary, ``tag_shares_`` (K, tags) of each state's training tokens, ``trace_`` the
    log-likelihood and log prior after each EM step, nats.

    Args:
        n_components: number of states K.
        alpha: pseudo-count of each step and of each token of the vocabulary in a state.
        n_init: number of random starts of EM; the most likely result is kept.
        max_iter: maximum number of EM steps.
        tol: EM ends when the log-likelihood rises by less than this, nats per token.
        random_state: seed of the starts.
    """

    search_space: ClassVar[SearchSpace] = {"n_components": Between(4, 64)}

    measure: ClassVar[Measure] = "discrete"

    late_imports = ("sklearn.utils",)

    n_components: Count = 16
    alpha: NonNegative = 0.1
    n_init: Count = 1
    max_iter: Count = 100
    tol: float = 1e-4
    random_state: int | None = field(default=None, kw_only=True)

    def fit(self, X: Ragged, y: Ragged | None = None) -> CategoricalHMM:
        """Learn from token codes X (N sequences); tags y, where given, only name the states.

        Raises:
            ValueError: where X does not fit the schema, or a sequence is empty.
        """
        if self.schema is not None and isinstance(self.schema.y, Tags):
            self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        else:
            self.schema_, tags = self.schema or Schema.of(X), None
            tokens_of(self.schema_).check(X)
        rng = np.random.default_rng(self.random_state)
        with limited(1):  # its matrices are too small to share among threads
            found = [self._em(X, rng) for _ in range(self.n_init)]
        self.trace_, self.chain_, emissions = max(found, key=lambda each: each[0][-1])
        self.initial_, self.transition_, self.final_ = self.chain_.initial, self.chain_.transition, self.chain_.final
        self.log_probs_ = emissions.log_probs
        counts = np.zeros((self.n_components, self.schema_.n_classes))
        if tags is not None:
            np.add.at(counts.T, tags.values, self.predict_states(X).values)
        self.tag_shares_ = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        return self

    def _em(self, X: Ragged, rng: np.random.Generator) -> tuple[list[float], Chain, Categorical]:
        """One run from a random start: shares of the tokens in training, perturbed for each state."""
        k, size = self.n_components, len(tokens_of(self.schema_).vocabulary)
        shares = (np.bincount(X.values, minlength=size) + self.alpha + 1e-3) * rng.gamma(1.0, size=(k, size))
        steps = rng.dirichlet(np.full(k + 1, 10.0), size=k)
        chain = Chain(np.log(rng.dirichlet(np.full(k, 10.0))), np.log(steps[:, :k]), np.log(steps[:, k]))
        emissions = Categorical(np.log(shares / shares.sum(axis=1, keepdims=True)), self.alpha)
        trace: list[float] = []
        for value, following, emitted in islice(baum_welch(chain, emissions, X, self.alpha), self.max_iter):
            trace.append(value)
            if len(trace) > 1 and value - trace[-2] < self.tol * len(X.values):
                break
            chain, emissions = following, emitted
        return trace, chain, emissions

    def _scores(self, X: Ragged) -> Ragged:
        return Ragged(Categorical(self.log_probs_).scores(X.values), X.starts)

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x), summed over all paths of states, (N sequences) -> (N,) nats."""
        return self.chain_.log_normaliser(self._scores(X))

    def predict_states(self, X: Ragged) -> Ragged:
        """p(state | whole sequence) of each token, (total,) -> (total, K)."""
        return self.chain_.posterior(self._scores(X)).marginals

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sequence) of each token by the tags of its states, (total,) -> (total, tags)."""
        return Ragged(self.predict_states(X).values @ self.tag_shares_, X.starts)

    def predict(self, X: Ragged) -> Ragged:
        """The most probable tag of each token, (total,) -> (total,) int64."""
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def transitions(self) -> dict[str, Any]:
        """Probabilities of each step between states, which are called by their number and most frequent tag."""
        tags = [self.schema_.classes[k] for k in self.tag_shares_.argmax(axis=1)] if self.schema_.classes else []
        names = [f"{k + 1} {tags[k]}" if tags else str(k + 1) for k in range(self.n_components)]
        values = self.chain_.probabilities().tolist()
        return {"from": ["(start)", *names], "to": [*names, "(end)"], "values": values, "of": "probability"}

    def sample(self, n: int, y: Ragged | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences of token codes.

        Raises:
            ValueError: where tags are given, which the model does not know.
        """
        if y is not None:
            raise ValueError(f"{type(self).__name__}.sample takes no y: it was learned without tags")
        rng = np.random.default_rng(random_state)
        states = self.chain_.draw(n, rng)
        codes = Categorical(self.log_probs_).draw(states.values, rng)
        return Ragged(codes.astype(np.int32), states.starts)

    def get_arrays(self) -> dict[str, Array]:
        """Log probabilities, and the tags of the states."""
        return {name: getattr(self, f"{name}_") for name in _LEARNED}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, _LEARNED)
        k = self.n_components
        wanted = (k,), (k, k), (k,), (k, len(tokens_of(self.schema_).vocabulary)), (k, self.schema_.n_classes)
        for name, shape in zip(_LEARNED, wanted, strict=True):
            setattr(self, f"{name}_", check_shape(arrays, name, shape))
        self.chain_ = Chain(self.initial_, self.transition_, self.final_)
