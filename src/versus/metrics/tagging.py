"""Scores of tagged sentences: a row is a sentence, (N,) sentences of unequal length -> (N, M)."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Ragged
from versus.metrics.metric import UndefinedMetricError


def right_tokens(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """(N, 2) tokens that have the true tag, and tokens."""
    return np.stack([_total(y, predicted.values == y.values), y.lengths], axis=1)


def right_sentences(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """(N, 1) whether every token of the sentence has its true tag."""
    whole: Array = _total(y, predicted.values != y.values) == 0
    return whole[:, None]


def log_losses(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """(N, 2) the sum of -log p(true tag) over tokens, nats, and tokens; a probability of 0 counts as a float's step.

    Raises:
        UndefinedMetricError: where the model gives no probabilities of tags.
    """
    if marginals is None:
        raise UndefinedMetricError("the model gives tags, and no probabilities of them")
    step = np.finfo(np.float64).eps
    of_true = np.clip(marginals.values[np.arange(len(y.values)), y.values], step, 1 - step)
    return np.stack([_total(y, -np.log(of_true)), y.lengths], axis=1)


def ratio(means: Array) -> Array:
    """Return the first mean over the second: of tokens, however they are spread over sentences."""
    found: Array = means[..., 0] / means[..., 1]
    return found


def _total(y: Ragged, values: Array) -> Array:
    """(total,) -> (N,) sums over each sentence, 0 for an empty one."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    found: Array = np.diff(running[y.starts])
    return found
