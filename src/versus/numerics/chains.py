r"""Linear chains: sums and maxima over all paths of hidden states, for many sequences of unequal length at once.

.. math:: w(z; x) = a_{z_1} \prod_{t > 1} A_{z_{t-1} z_t} \prod_t \phi_t(z_t) \; e_{z_T}, \qquad
          Z(x) = \sum_z w(z; x), \qquad p(z \mid x) = w(z; x) / Z(x)

For a hidden Markov model the weights are probabilities and Z(x) is p(x); for a conditional random field they are
arbitrary. Rabiner, "A tutorial on hidden Markov models" (1989). The backward pass is the smoother's,
:math:`\gamma_t = \hat\alpha_t \odot A (\gamma_{t+1} / A^\top \hat\alpha_t)`, which needs no second set of scales
(Murphy, *Machine Learning* (2012), section 17.4.3).

Sequences are laid out by time (`versus.numerics.chain_layouts`), so that step t is one matrix product over those that
have a step t. Weights are kept as shares of each step's
sum, whose logarithm is set aside, so long sequences do not underflow; rows whose shares all come near the smallest
float, under sharp emissions, are summed as logarithms instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Ragged
from versus.numerics.chain_layouts import Block, Layout

_NEVER = 1e-300  # added to shares before a division by them
_SMALLEST = 1e-60  # sum of a step's weights, below which it is computed from logarithms
_LARGEST_BLOCK = 2**22  # elements of (sequences, K, K) that a step of Viterbi holds at a time


@dataclass(frozen=True)
class Posterior:
    """Posterior of the hidden states, given all observations.

    Args:
        log_normaliser: (N,) log Z of each sequence, nats.
        marginals: (total, K) probabilities of each position's states.
        transitions: (K, K) expected number of steps from one state to another, over all sequences.
    """

    log_normaliser: Array
    marginals: Ragged
    transitions: Array


@dataclass(frozen=True)
class Chain:
    """Log weights of a chain of K states, minus infinity where something is impossible.

    Args:
        initial: (K,) of the first state.
        transition: (K, K) of a step from the row's state to the column's.
        final: (K,) of the last state.
    """

    initial: Array
    transition: Array
    final: Array

    def log_normaliser(self, scores: Ragged) -> Array:
        """Log Z of each sequence, (total, K) log weights of the states at each position -> (N,) nats.

        Raises:
            ValueError: where a sequence is empty, or the scores are of another number of states.
        """
        layout = self._layout(scores)
        packed = layout.packed(scores.values)
        log_z = [self._forward(*_relative_rows(packed[b.rows]), packed[b.rows], b)[0] for b in layout.blocks]
        return layout.by_sequence(np.concatenate(log_z))

    def posterior(self, scores: Ragged) -> Posterior:
        """Marginals and expected transitions by forward-backward, (total, K) log weights -> `Posterior`.

        Raises:
            ValueError: as `log_normaliser`; and where a sequence has no possible path.
        """
        layout = self._layout(scores)
        log_normaliser, marginals, transitions = self.smooth(layout.packed(scores.values), layout)
        return Posterior(layout.by_sequence(log_normaliser), layout.unpacked(marginals), transitions)

    def smooth(self, packed: Array, layout: Layout) -> tuple[Array, Array, Array]:
        """`posterior` for log weights (total, K) that are in the order of the layout, as are the results.

        Returns:
            log Z (N,) longest first, the marginals (total, K), the expected transitions (K, K).
        """
        return self._smoothed(((*_relative_rows(packed[b.rows]), packed[b.rows]) for b in layout.blocks), layout)

    def smooth_tokens(self, log_probs: Array, tokens: Array, layout: Layout) -> tuple[Array, Array, Array]:
        """`smooth` where scores depend on a token alone: (V, K) log weights, (total,) codes as laid out.

        Weights are exponentiated once a token of the vocabulary, not once a position.
        """
        relative, tops = _relative_rows(log_probs)
        codes = (tokens[b.rows] for b in layout.blocks)
        return self._smoothed(((np.take(relative, c, axis=0), tops[c], _Rows(log_probs, c)) for c in codes), layout)

    def _smoothed(self, scores: Iterable[tuple[Array, Array, Any]], layout: Layout) -> tuple[Array, Array, Array]:
        """`smooth`, block by block: weights relative to the largest of a row, its logarithm, and the log weights."""
        marginals = np.empty((len(layout.order), len(self.initial)))
        transitions, log_normaliser = np.zeros(self.transition.shape), []
        for block, given in zip(layout.blocks, scores, strict=True):
            found, filtered, predicted = self._forward(*given, block)
            log_normaliser.append(found)
            if np.isfinite(found).all():
                transitions += self._backward(filtered, predicted, block, out=marginals[block.rows])
        log_z = np.concatenate(log_normaliser)
        if not np.isfinite(log_z).all():
            row = int(np.flatnonzero(~np.isfinite(layout.by_sequence(log_z)))[0])
            raise ValueError(f"sequence {row} has no path of weight above 0; its log normaliser is -inf")
        return log_z, marginals, _relative(self.transition)[0] * transitions

    def log_weight(self, scores: Ragged, states: Ragged) -> Array:
        """Log w of one path of each sequence, (total, K) log weights, (total,) states -> (N,) nats."""
        path, first = states.values, states.starts[:-1]
        values = scores.values[np.arange(len(path)), path]
        values[first] += self.initial[path[first]]
        values[states.starts[1:] - 1] += self.final[path[states.starts[1:] - 1]]
        later = np.delete(np.arange(len(path)), first)
        values[later] += self.transition[path[later - 1], path[later]]
        return np.asarray(np.add.reduceat(values, first))

    def viterbi(self, scores: Ragged) -> tuple[Ragged, Array]:
        """The path of largest weight, (total, K) log weights -> states (total,) int64 and their log weights (N,).

        Of equally good paths the one with smaller state numbers, from the end, is taken. Viterbi (1967).

        Raises:
            ValueError: as `log_normaliser`.
        """
        layout = self._layout(scores)
        packed = layout.packed(scores.values)
        states, values = zip(*(self._best_paths(packed[b.rows], b) for b in layout.blocks), strict=True)
        return layout.unpacked(np.concatenate(states)), layout.by_sequence(np.concatenate(values))

    def _best_paths(self, packed: Array, block: Block) -> tuple[Array, Array]:
        steps = block.steps
        best = self.initial + packed[steps[0]]
        back, totals = np.zeros(packed.shape, np.int64), packed + self.final
        totals[steps[0]] = best + self.final
        for step in steps[1:]:
            best, back[step] = _best_step(best[: step.stop - step.start], self.transition)
            best = best + packed[step]
            totals[step] = best + self.final
        states, values = np.empty(len(packed), np.int64), np.empty(len(block.lengths))
        state = states[:0]
        for step in reversed(steps):
            ending = slice(step.start + len(state), step.stop)
            last = totals[ending].argmax(axis=1)
            values[len(state) : step.stop - step.start] = totals[ending][np.arange(len(last)), last]
            state = np.concatenate([state, last])
            states[step] = state
            state = back[step][np.arange(len(state)), state]
        return states, values

    def probabilities(self) -> Array:
        """Probabilities of each step, (K + 1, K + 1): the first row from the beginning, the last column to the end."""
        first = np.append(np.exp(self.initial), 0.0)
        return np.vstack([first, np.exp(np.column_stack([self.transition, self.final]))])

    def draw(self, n: int, rng: np.random.Generator) -> Ragged:
        """Draw ``n`` paths where weights are probabilities: ``exp(transition)`` and ``exp(final)`` sum to 1."""
        ways = np.cumsum(np.exp(np.column_stack([self.transition, self.final])), axis=1)
        going = np.arange(n)
        state = _drawn(np.cumsum(np.exp(self.initial))[None], rng.random(n))
        rows, states = [], []
        while len(going):
            rows.append(going)
            states.append(state)
            state = _drawn(ways[state], rng.random(len(state)))
            going, state = going[state < len(self.final)], state[state < len(self.final)]
        all_rows, all_states = np.concatenate([going, *rows]), np.concatenate([state, *states])
        starts = np.concatenate([[0], np.cumsum(np.bincount(all_rows, minlength=n))])
        return Ragged(all_states[np.argsort(all_rows, kind="stable")], starts.astype(np.int64))

    def _layout(self, scores: Ragged) -> Layout:
        if scores.values.shape[1:] != self.initial.shape:
            raise ValueError(f"scores have shape {scores.values.shape}; the chain wants (total, {len(self.initial)})")
        return Layout(scores.starts, len(self.initial))

    def _forward(self, filtered: Array, log_scale: Array, log_weights: Any, block: Block) -> tuple[Array, Array, Array]:
        """Log Z (N,); the filtered weights as shares of their sum and the predicted ones, (total, K).

        Args:
            filtered: (total, K) weights relative to the largest of a row; overwritten.
            log_scale: (total,) logarithm of the largest; overwritten.
            log_weights: (total, K), of which few rows are asked for.
            block: the positions.
        """
        weights, shift = _relative(self.transition)
        initial, first = _relative(self.initial)
        predicted, sums, ones = np.empty_like(filtered), np.empty(len(filtered)), np.ones(len(initial))
        predicted[block.steps[0]] = initial
        for step, after in zip(block.steps, [*block.sizes[1:], 0], strict=True):
            now = filtered[step]
            now *= predicted[step]
            total = np.matmul(now, ones, out=sums[step])
            if total.min() < _SMALLEST:
                rows = step.start + np.flatnonzero(total < _SMALLEST)
                filtered[rows], log_scale[rows] = _products(predicted[rows], log_weights[rows])
                sums[rows] = filtered[rows].sum(axis=1)
            now *= (1 / np.where(total > 0, total, 1.0))[:, None]
            np.matmul(now[:after], weights, out=predicted[step.stop : step.stop + after])
        with np.errstate(divide="ignore"):
            log_ends = logsumexp(np.log(filtered[block.last]) + self.final, axis=1)
            log_scale += np.log(sums)
        log_sums = np.bincount(block.rank, log_scale)
        return first + log_sums + shift * (block.lengths - 1) + log_ends, filtered, predicted

    def _backward(self, filtered: Array, predicted: Array, block: Block, out: Array) -> Array:
        """Write the marginals (total, K); returns expected transitions (K, K), without their weights."""
        weights, _ = _relative(self.transition)
        ends = filtered[block.last] * np.exp(self.final - self.final.max())
        ends /= ends.sum(axis=1, keepdims=True)
        predicted += _NEVER  # 0 / 0 of a state that is not entered
        later = ends[:0]  # of the sequences that continue
        for step in reversed(block.steps):
            middle = step.start + len(later)
            now = np.matmul(later, weights.T, out=out[step.start : middle])
            now *= filtered[step.start : middle]
            out[middle : step.stop] = ends[len(later) : step.stop - step.start]
            later = np.divide(out[step], predicted[step], out=predicted[step])
        steps: Array = filtered[block.previous].T @ predicted[block.sizes[0] :]
        return steps


def _relative_rows(log_weights: Array) -> tuple[Array, Array]:
    """Weights relative to the largest of each row, and its logarithm."""
    top = log_weights.max(axis=1)
    top[np.isneginf(top)] = 0.0  # no path: stays at minus infinity without becoming NaN
    relative = log_weights - top[:, None]
    return np.exp(relative, out=relative), top


@dataclass(frozen=True)
class _Rows:
    """Rows of a table by codes, made when they are asked for."""

    table: Array
    codes: Array

    def __getitem__(self, rows: Any) -> Array:
        found: Array = self.table[self.codes[rows]]
        return found


def _products(predicted: Array, log_weights: Array) -> tuple[Array, Array]:
    """Products of predicted weights and emissions relative to the largest of a row, and its logarithm."""
    with np.errstate(divide="ignore"):
        return _relative_rows(np.log(predicted) + log_weights)


def _relative(log_weights: Array) -> tuple[Array, float]:
    """Weights relative to the largest, and its logarithm."""
    top = float(log_weights.max())
    top = top if np.isfinite(top) else 0.0
    return np.exp(log_weights - top), top


def _best_step(best: Array, transition: Array) -> tuple[Array, Array]:
    """Best way into each state and its origin, (n, K) log weights -> (n, K) each."""
    rows = max(1, _LARGEST_BLOCK // transition.size)
    found = []
    for i in range(0, len(best), rows):
        ways = best[i : i + rows, None, :] + transition.T  # (n, to, from)
        found.append((ways.max(axis=2), ways.argmax(axis=2)))
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _drawn(cumulated: Array, u: Array) -> Array:
    """The first column whose cumulated probability exceeds ``u`` times the whole, (n, M), (n,) -> (n,)."""
    below: Array = (cumulated <= u[:, None] * cumulated[:, -1:]).sum(axis=1)
    return below


def step_counts(states: Ragged, k: int) -> Array:
    """Steps between states, (K + 1, K + 1); the beginning and the end have code K."""
    n = len(states)
    walk = np.full(len(states.values) + n + 1, k)
    walk[np.arange(len(states.values)) + 1 + np.repeat(np.arange(n), states.lengths)] = states.values
    return np.bincount(walk[:-1] * (k + 1) + walk[1:], minlength=(k + 1) ** 2).reshape(k + 1, k + 1)
