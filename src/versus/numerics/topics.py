r"""Variational inference for latent Dirichlet allocation, over many documents at once.

.. math:: \theta_d \sim \mathrm{Dir}(\alpha), \quad z \sim \theta_d, \quad w \sim \beta_z; \qquad
          \log p(w_d) \ge \sum_w n_{dw} \log \sum_k e^{E_q \log \theta_{dk}} \beta_{kw}
          - \mathrm{KL}(\mathrm{Dir}(\gamma_d) \,\|\, \mathrm{Dir}(\alpha))

Blei, Ng and Jordan, "Latent Dirichlet allocation" (2003); Hoffman, Blei and Bach, "Online learning for latent Dirichlet
allocation" (2010). Documents of about the same number of different words stand in one block (m, L, K), so that a step
for all of them is two products; those that have converged leave it, and so do topics that a document has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import gammaln, psi

from versus.arrays import Array

_CELLS = 2**19  # numbers of a block, which should stay in the processor's cache
_NOTHING = 1e-6  # words that a topic gives a document, below which it gives none


@dataclass(frozen=True)
class Rule:
    """Priors, and when the inference of a document ends.

    Args:
        alpha: Dirichlet parameter of a document's shares of topics.
        eta: Dirichlet parameter of a topic's words.
        tol: mean change of gamma below which a document has converged.
        max_iter: steps at most.
    """

    alpha: float
    eta: float
    tol: float = 1e-3
    max_iter: int = 100


def infer(counts: Any, words: Array, rule: Rule) -> Array:
    """Infer the shares of topics in documents.

    Args:
        counts: sparse (N, F) counts.
        words: (K, F) probabilities of each topic's words, or exp E[log beta]; its type is that of the computation.
        rule: priors and the end.

    Returns:
        (N, K) gamma, the parameters of Dirichlet posteriors.
    """
    K = len(words)
    lengths = counts.sum(axis=1)
    # Each topic begins with an even part of the document.
    gamma = (rule.alpha + np.repeat((lengths / K)[:, None], K, axis=1)).astype(words.dtype)
    by_word = np.ascontiguousarray(words.T)
    for rows, columns, n in _blocks(counts, K):
        gamma[rows] = _converged(by_word[columns], n.astype(words.dtype), gamma[rows], rule)
    return gamma


def _converged(words: Array, n: Array, gamma: Array, rule: Rule) -> Array:
    """Iterate one block: probabilities (m, L, K) of its words, their counts (m, L), gamma (m, K).

    A document has few topics: those that give it none of its words any more are left out, all but rounding.
    """
    found, open_, n_topics = gamma.copy(), np.arange(len(gamma)), gamma.shape[1]
    topics = np.repeat(np.arange(n_topics)[None], len(gamma), axis=0)  # (m, K') that are left
    lengths = psi(gamma.sum(axis=1, keepdims=True))  # which no step changes
    for _ in range(rule.max_iter):
        theta = np.exp(psi(gamma) - lengths)
        ratio = n / (np.matmul(words, theta[:, :, None])[:, :, 0] + np.finfo(words.dtype).tiny)
        given = theta * np.matmul(ratio[:, None, :], words)[:, 0, :]
        moving = np.abs(rule.alpha + given - gamma).sum(axis=1) >= rule.tol * n_topics
        gamma = rule.alpha + given
        found[open_[:, None], topics] = gamma
        if not moving.any():
            break
        if moving.sum() < 0.75 * len(moving):
            words, n, gamma, given = words[moving], n[moving], gamma[moving], given[moving]
            open_, topics, lengths = open_[moving], topics[moving], lengths[moving]
        most = int((given > _NOTHING).sum(axis=1).max())
        if most < 0.6 * given.shape[1]:
            kept = np.argpartition(-given, most - 1, axis=1)[:, :most]
            gamma, topics = (np.take_along_axis(part, kept, axis=1) for part in (gamma, topics))
            words = np.take_along_axis(words, kept[:, None, :], axis=2)
    return found


def _blocks(counts: Any, n_topics: int) -> Iterator[tuple[Array, Array, Array]]:
    """Yield rows (m,), their words (m, L) and counts (m, L), 0 beyond a document's words; shortest documents first."""
    widths = np.diff(counts.indptr)
    order = np.argsort(widths, kind="stable")
    order, first = order[widths[order] > 0], 0
    while first < len(order):
        # As many rows as fit with the width of the last of them.
        sizes = np.arange(1, len(order) - first + 1) * widths[order[first:]] * n_topics
        rows = order[first : first + max(1, int(np.searchsorted(sizes, _CELLS, "right")))]
        width = widths[rows[-1]]
        place = counts.indptr[rows][:, None] + np.arange(width)
        inside = np.arange(width) < widths[rows][:, None]
        place = np.where(inside, place, 0)
        yield rows, counts.indices[place], np.where(inside, counts.data[place], 0.0)
        first += len(rows)


def exp_log_shares(parameters: Array) -> Array:
    """Compute exp E[log p] of Dirichlet distributions, row by row: (M, K) -> (M, K)."""
    found: Array = np.exp(psi(parameters) - psi(parameters.sum(axis=1, keepdims=True)))
    return found


def expected_counts(counts: Any, words: Array, gamma: Array) -> Array:
    """Expected number of times that each topic gave each word, (N, F), (K, F), (N, K) -> (K, F)."""
    theta = exp_log_shares(gamma)
    ratio = sparse.csr_array((counts.data / _mixed(counts, words, theta), counts.indices, counts.indptr), counts.shape)
    found: Array = words * (ratio.T @ theta).T
    return found


def _mixed(counts: Any, words: Array, theta: Array) -> Array:
    """Sum over topics of theta times words, for each stored count, (nnz,)."""
    by_word = np.ascontiguousarray(words.T)
    found: Array = np.empty(len(counts.data), words.dtype)
    step = max(1, _CELLS // words.shape[0])
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    for i in range(0, len(found), step):
        here = slice(i, i + step)
        found[here] = np.einsum("nk,nk->n", theta[row[here]], by_word[counts.indices[here]])
    found += np.finfo(words.dtype).tiny
    return found


def log_bounds(counts: Any, words: Array, gamma: Array, alpha: float) -> Array:
    """Bound of the log-probability of each document's words in their order, (N,) nats."""
    theta = exp_log_shares(gamma)
    data = counts.data * np.log(_mixed(counts, words, theta))
    fits = sparse.csr_array((data, counts.indices, counts.indptr), counts.shape).sum(axis=1)
    found: Array = fits - _divergence(gamma, np.log(theta), alpha)
    return found


def corpus_bound(counts: Any, topics: Array, gamma: Array, rule: Rule) -> float:
    """Bound of the log-probability of all documents, whose topics have Dirichlet posteriors (K, F), nats."""
    words = exp_log_shares(topics)
    documents = log_bounds(counts, words, gamma, rule.alpha).sum()
    return float(documents - _divergence(topics, np.log(words), rule.eta).sum())


def _divergence(parameters: Array, log_shares: Array, prior: float) -> Array:
    """KL divergence of Dirichlet distributions from a symmetric one, (M, K) -> (M,)."""
    K = parameters.shape[1]
    found: Array = (
        gammaln(parameters.sum(axis=1))
        - gammaln(parameters).sum(axis=1)
        - gammaln(K * prior)
        + K * gammaln(prior)
        + ((parameters - prior) * log_shares).sum(axis=1)
    )
    return found


def batch_steps(counts: Any, topics: Array, rule: Rule, steps: int) -> Iterator[tuple[Array, Array]]:
    """Yield (topics (K, F), gamma (N, K)) after each pass over all documents; the bound never falls.

    A pass infers all documents anew, which leads to better topics than going on from the pass before; a document whose
    bound would fall by it keeps its shares. Then the topics are set to what they are expected to be.
    """
    gamma = None
    for _ in range(steps):
        words, before = exp_log_shares(topics), gamma
        gamma = infer(counts, words, rule)
        if before is not None:
            new, old = (log_bounds(counts, words, shares, rule.alpha) for shares in (gamma, before))
            gamma[old > new] = before[old > new]
        topics = rule.eta + expected_counts(counts, words, gamma)
        yield topics, gamma


def online_steps(
    counts: Any,
    topics: Array,
    rule: Rule,
    steps: int,
    rng: np.random.Generator,
    batch_size: int = 128,
    decay: float = 0.7,
    offset: float = 10.0,
) -> Iterator[Array]:
    """Yield topics (K, F) after each pass over all documents in an order drawn anew, by steps along minibatches.

    Step t moves the topics by a share (offset + t) ** -decay towards what the minibatch alone says of all documents.
    """
    n, t = counts.shape[0], 0
    for _ in range(steps):
        order = rng.permutation(n)
        for i in range(0, n, batch_size):
            batch = counts[order[i : i + batch_size]]
            words = exp_log_shares(topics)
            found = expected_counts(batch, words, infer(batch, words, rule))
            share = (offset + t) ** -decay
            topics = (1 - share) * topics + share * (rule.eta + n / batch.shape[0] * found)
            t += 1
        yield topics
