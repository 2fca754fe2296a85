r"""EM for hidden Markov models whose states are never seen: Baum-Welch, with emissions of tokens and of vectors.

.. math:: A_{jk} \propto \sum_t p(z_t = j, z_{t+1} = k \mid x), \qquad
          b_k(w) \propto \sum_t p(z_t = k \mid x) [x_t = w], \qquad
          \mu_{km} = \frac{\sum_t p(z_t = k, m \mid x) \, x_t}{\sum_t p(z_t = k, m \mid x)}

Pseudo-counts, where given, are those of Dirichlet priors, and what never decreases is the log-likelihood and the log
prior together. Densities and sums over positions are matrix products. Baum, Petrie, Soules and Weiss, "A maximization
technique occurring in the statistical analysis of probabilistic functions of Markov chains" (1970); Rabiner (1989).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self, TypeVar

import numpy as np
from scipy import sparse
from scipy.special import logsumexp

from versus.arrays import Array, Ragged
from versus.numerics.chain_layouts import Layout
from versus.numerics.chains import Chain
from versus.numerics.covariances import Full, Regularisation
from versus.numerics.mixtures import Moments, maximise
from versus.numerics.normals import DiagonalNormals, FullNormals, TiedNormals

E = TypeVar("E", bound="Emissions")  # of one kind


class Emissions(Protocol):
    """Distributions of an element, one for each of K states."""

    def scores(self, x: Array) -> Array:
        """Log probability or density of each element in each state, (total, ...) -> (total, K) nats."""

    def smooth(self, chain: Chain, x: Array, layout: Layout) -> tuple[Array, Array, Array]:
        """`Chain.smooth` of elements (total, ...) as laid out."""

    def log_prior(self) -> float:
        """Log prior of the parameters up to a constant, nats."""

    def maximised(self, x: Array, marginals: Array) -> Self:
        """Estimate again from elements and their states' probabilities (total, K)."""

    def draw(self, states: Array, rng: np.random.Generator) -> Array:
        """Draw an element of each state, (total,) -> (total, ...)."""

    def arrays(self) -> dict[str, Array]:
        """Parameters by name."""


@dataclass(frozen=True)
class Categorical:
    """Tokens: log probabilities (K, V), and the pseudo-count of each token of the vocabulary."""

    log_probs: Array
    alpha: float = 0.0

    def scores(self, x: Array) -> Array:
        """Look up each token code, (total,) -> (total, K)."""
        found: Array = np.take(np.ascontiguousarray(self.log_probs.T), x, axis=0)
        return found

    def smooth(self, chain: Chain, x: Array, layout: Layout) -> tuple[Array, Array, Array]:
        """`Chain.smooth` of token codes (total,)."""
        return chain.smooth_tokens(np.ascontiguousarray(self.log_probs.T), x, layout)

    def log_prior(self) -> float:
        """Log density of the Dirichlet prior, whose parameters are 1 + alpha."""
        return float(self.alpha * self.log_probs.sum()) if self.alpha else 0.0

    def maximised(self, x: Array, marginals: Array) -> Categorical:
        """Expected counts of each token, as shares."""
        ones, rows = np.ones(len(x)), np.arange(len(x) + 1)
        tokens = sparse.csr_array((ones, x, rows), shape=(len(x), self.log_probs.shape[1]))
        return Categorical(_log_shares((tokens.T @ marginals).T + self.alpha), self.alpha)

    def draw(self, states: Array, rng: np.random.Generator) -> Array:
        """Draw a token code of each state, (total,) -> (total,)."""
        u, found = rng.random(len(states)), np.zeros(len(states), np.int64)
        for k in np.unique(states):
            here, shares = states == k, np.cumsum(np.exp(self.log_probs[k]))
            found[here] = np.searchsorted(shares, u[here] * shares[-1], side="right")
        return found

    def arrays(self) -> dict[str, Array]:
        """Log probabilities (K, V)."""
        return {"log_probs": self.log_probs}


@dataclass(frozen=True)
class Gaussian:
    """Vectors: a mixture of M normals in each state, M = 1 for a single one.

    With pseudo-counts each normal has an inverse Wishart prior, as in `versus.numerics.mixtures`.

    Args:
        log_weights: (K, M) of the normals of each state.
        means: (K M, D), state by state.
        covariances: of the K M normals, in the form of their structure.
        structure: of the covariances; one for each normal.
        regular: the prior; what is added to variances besides is no part of EM's promise.
    """

    log_weights: Array
    means: Array
    covariances: Array
    structure: Full
    regular: Regularisation

    @cached_property
    def _normals(self) -> FullNormals | TiedNormals | DiagonalNormals:
        return self.structure.normals(self.means, self.covariances)

    def _of_each(self, x: Array) -> Array:
        """Log weight and density of each normal, (total, D) -> (total, K, M)."""
        found = np.ascontiguousarray(self._normals.log_density(x).T)
        found += self.log_weights.ravel()
        each: Array = found.reshape(-1, *self.log_weights.shape)
        return each

    def scores(self, x: Array) -> Array:
        """Log density of each state, (total, D) -> (total, K) nats."""
        each = self._of_each(x)
        found: Array = each[..., 0] if each.shape[2] == 1 else logsumexp(each, axis=2)
        return found

    def smooth(self, chain: Chain, x: Array, layout: Layout) -> tuple[Array, Array, Array]:
        """`Chain.smooth` of vectors (total, D)."""
        return chain.smooth(self.scores(x), layout)

    def log_prior(self) -> float:
        """Log density of the priors of the covariances."""
        if not self.regular.pseudo_counts:
            return 0.0
        full = self.structure.expand(self.covariances, *self.means.shape)
        traces = np.diagonal(np.linalg.inv(full), axis1=1, axis2=2) @ self.regular.prior
        return float(-0.5 * self.regular.pseudo_counts * (np.linalg.slogdet(full)[1] + traces).sum())

    def maximised(self, x: Array, marginals: Array) -> Gaussian:
        """Weighted moments of the vectors; the mean of a normal without vectors stays as it is."""
        shape, shares = self.log_weights.shape, marginals
        if shape[1] > 1:
            each = self._of_each(x)
            each -= logsumexp(each, axis=2, keepdims=True)
            shares = (marginals[..., None] * np.exp(each)).reshape(len(x), -1)
        totals = shares.sum(axis=0)
        moments = Moments(totals, *self.structure.scatter(x, shares.T, self.means), 0.0)
        found = maximise(self.structure, moments, self.means, self.regular)
        return replace(
            self,
            log_weights=_log_shares(totals.reshape(shape)),
            means=found.means,
            covariances=found.covariances,
        )

    def draw(self, states: Array, rng: np.random.Generator) -> Array:
        """Draw a vector of each state, (total,) -> (total, D)."""
        shares = np.cumsum(np.exp(self.log_weights), axis=1)[states]
        m = (shares <= rng.random(len(states))[:, None] * shares[:, -1:]).sum(axis=1)
        normal = states * self.log_weights.shape[1] + m
        lower = np.linalg.cholesky(self.structure.expand(self.covariances, *self.means.shape))
        found: Array = self.means[normal]
        noise = rng.standard_normal(found.shape)
        for one in np.unique(normal):
            here = normal == one
            found[here] += noise[here] @ lower[one].T
        return found

    def arrays(self) -> dict[str, Array]:
        """Log weights, means and covariances."""
        return {"log_weights": self.log_weights, "means": self.means, "covariances": self.covariances}


def baum_welch(
    chain: Chain, emissions: E, X: Ragged, alpha: float = 0.0, ends: bool = True
) -> Iterator[tuple[float, Chain, E]]:
    """Yield the log-likelihood with the log prior, nats, of the parameters so far, and the next ones; without end.

    Args:
        chain: log probabilities to begin with; with ``ends``, a step to another state or to the end sums to 1.
        emissions: those to begin with.
        X: N sequences.
        alpha: pseudo-count of each first state and of each step.
        ends: True to learn when sequences end; otherwise p(x) is given their lengths, and ``chain.final`` zero.
    """
    layout = Layout(X.starts, len(chain.initial))
    x = layout.packed(X.values)
    while True:
        log_normaliser, marginals, steps = emissions.smooth(chain, x, layout)
        value = float(log_normaliser.sum()) + emissions.log_prior() + _log_prior(chain, alpha, ends)
        first = _log_shares(marginals[layout.first].sum(axis=0) + alpha)
        if ends:
            steps = np.column_stack([steps, marginals[layout.last].sum(axis=0)])
        rows = _log_shares(steps + alpha)
        chain = Chain(first, rows[:, : len(first)], rows[:, -1] if ends else chain.final)
        emissions = emissions.maximised(x, marginals)
        yield value, chain, emissions


def _log_shares(counts: Array) -> Array:
    """Logarithms of rows of counts over their sums; even shares where a row is empty."""
    totals = counts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.log(np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1 / counts.shape[-1]))


def _log_prior(chain: Chain, alpha: float, ends: bool) -> float:
    if not alpha:
        return 0.0
    return alpha * float(chain.initial.sum() + chain.transition.sum() + (chain.final.sum() if ends else 0.0))
