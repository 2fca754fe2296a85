r"""Linear chains: sums and maxima over all paths of hidden states, for many sequences of unequal length at once.

.. math:: w(z; x) = a_{z_1} \prod_{t > 1} A_{z_{t-1} z_t} \prod_t \phi_t(z_t) \; e_{z_T}, \qquad
          Z(x) = \sum_z w(z; x), \qquad p(z \mid x) = w(z; x) / Z(x)

For a hidden Markov model the weights are probabilities and Z(x) is p(x); for a conditional random field they are
arbitrary. Rabiner, "A tutorial on hidden Markov models" (1989). The backward pass is the smoother's,
:math:`\gamma_t = \hat\alpha_t \odot A (\gamma_{t+1} / A^\top \hat\alpha_t)`, which needs no second set of scales
(Murphy, *Machine Learning* (2012), section 17.4.3).

Sequences are laid out by time, the longest first, so that step t is one matrix product over the sequences that have
a step t: nothing is padded. Sums are kept as logarithms and exponentiated relative to each row's maximum, so neither
long sequences nor sharp emissions underflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Ragged

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
        return self._forward(scores, _Layout(scores, len(self.initial)))[0]

    def posterior(self, scores: Ragged) -> Posterior:
        """Marginals and expected transitions by forward-backward, (total, K) log weights -> `Posterior`.

        Raises:
            ValueError: as `log_normaliser`; and where a sequence has no possible path.
        """
        layout = _Layout(scores, len(self.initial))
        log_normaliser, filtered, predicted = self._forward(scores, layout)
        if not np.isfinite(log_normaliser).all():
            row = int(np.flatnonzero(~np.isfinite(log_normaliser))[0])
            raise ValueError(f"sequence {row} has no path of weight above 0; its log normaliser is -inf")
        weights, _ = _relative(self.transition)
        marginals, ratios = np.empty_like(filtered), np.zeros_like(filtered)
        ends = filtered * np.exp(self.final - self.final.max())
        later = ends[:0]  # of the sequences that continue
        for step in reversed(list(layout.steps())):
            going, ending = slice(step.start, step.start + len(later)), slice(step.start + len(later), step.stop)
            marginals[going] = filtered[going] * (later @ weights.T)
            marginals[ending] = ends[ending]
            marginals[step] /= marginals[step].sum(axis=1, keepdims=True)
            if step.start:
                np.divide(marginals[step], predicted[step], out=ratios[step], where=predicted[step] > 0)
                later = ratios[step]
        sources = filtered[layout.previous]
        transitions = weights * (sources.T @ ratios[layout.sizes[0] :])
        return Posterior(log_normaliser, layout.unpacked(marginals), transitions)

    def viterbi(self, scores: Ragged) -> tuple[Ragged, Array]:
        """The path of largest weight, (total, K) log weights -> states (total,) int64 and their log weights (N,).

        Of equally good paths the one with smaller state numbers, from the end, is taken. Viterbi (1967).

        Raises:
            ValueError: as `log_normaliser`.
        """
        layout = _Layout(scores, len(self.initial))
        packed = scores.values[layout.order]
        steps = list(layout.steps())
        best = self.initial + packed[steps[0]]
        back, totals = np.zeros(packed.shape, np.int64), packed + self.final
        totals[steps[0]] = best + self.final
        for step in steps[1:]:
            best, back[step] = _best_step(best[: step.stop - step.start], self.transition)
            best = best + packed[step]
            totals[step] = best + self.final
        states = np.empty(len(packed), np.int64)
        values = np.empty(layout.sizes[0])
        state = states[:0]
        for step in reversed(steps):
            ending = slice(step.start + len(state), step.stop)
            last = totals[ending].argmax(axis=1)
            values[len(state) : layout.size(step)] = totals[ending][np.arange(len(last)), last]
            state = np.concatenate([state, last])
            states[step] = state
            state = back[step][np.arange(len(state)), state]
        return layout.unpacked(states), layout.by_sequence(values)

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

    def _forward(self, scores: Ragged, layout: _Layout) -> tuple[Array, Array, Array]:
        """Log Z (N,); the filtered weights relative to their maximum and the predicted ones, (total, K) by time."""
        packed = scores.values[layout.order]
        filtered, predicted = np.empty(packed.shape), np.zeros(packed.shape)
        weights, shift = _relative(self.transition)
        scale = np.zeros(layout.sizes[0])
        log_ends = np.empty(layout.sizes[0])
        before = self.initial
        for step, after in zip(layout.steps(), [*layout.sizes[1:], 0], strict=True):
            n = step.stop - step.start
            log_weights = before + packed[step]
            top = log_weights.max(axis=1)
            top[np.isneginf(top)] = 0.0  # no path: stays at minus infinity without becoming NaN
            filtered[step] = np.exp(log_weights - top[:, None])
            scale[:n] += top
            ending = filtered[step.start + after : step.stop]
            with np.errstate(divide="ignore"):
                log_ends[after:n] = logsumexp(np.log(ending) + self.final, axis=1)
            following = slice(step.stop, step.stop + after)
            np.matmul(filtered[step.start : step.start + after], weights, out=predicted[following])
            scale[:after] += shift
            with np.errstate(divide="ignore"):
                before = np.log(predicted[following])
        return layout.by_sequence(scale + log_ends), filtered, predicted


class _Layout:
    """Positions of ragged sequences ordered by time, then by length: each step is a slice of the longest sequences."""

    def __init__(self, scores: Ragged, n_states: int) -> None:
        if scores.values.shape[1:] != (n_states,):
            raise ValueError(f"scores have shape {scores.values.shape}; the chain wants (total, {n_states})")
        lengths = scores.lengths
        if not len(lengths) or not lengths.all():
            empty = f"sequence {int(np.flatnonzero(lengths == 0)[0])} is empty" if len(lengths) else "there are none"
            raise ValueError(f"chains take sequences of at least one element; {empty}")
        self.starts = scores.starts
        self.longest_first = np.argsort(-lengths, kind="stable")
        self.sizes = np.cumsum(np.bincount(lengths)[::-1])[::-1][1:]  # number of sequences that have a step t
        rank = np.empty(len(lengths), np.int64)
        rank[self.longest_first] = np.arange(len(lengths))
        time = np.arange(len(scores.values)) - np.repeat(self.starts[:-1], lengths)
        offsets = np.concatenate([[0], np.cumsum(self.sizes)])
        self.order = np.empty(len(time), np.int64)
        self.order[offsets[time] + np.repeat(rank, lengths)] = np.arange(len(time))
        self.offsets = offsets

    def steps(self) -> Iterator[slice]:
        """The slice of each time step."""
        return (slice(int(a), int(b)) for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True))

    def size(self, step: slice) -> int:
        """Number of sequences that have the step."""
        return int(step.stop - step.start)

    @property
    def previous(self) -> Array:
        """Return, for each position after the first step the place of the one before, as laid out."""
        later = np.arange(self.sizes[0], self.offsets[-1])
        return later - np.repeat(self.sizes[:-1], self.sizes[1:])

    def unpacked(self, packed: Array) -> Ragged:
        """Reorder values by time to values by sequence."""
        values = np.empty_like(packed)
        values[self.order] = packed
        return Ragged(values, self.starts)

    def by_sequence(self, values: Array) -> Array:
        """Reorder (N,), longest first -> (N,) in the order of the sequences."""
        out = np.empty_like(values)
        out[self.longest_first] = values
        return out


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
