"""Scores of tagged sentences: each row is one sentence, (N,) sentences of unequal length -> (N, M)."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Ragged
from versus.metrics.metric import UndefinedMetricError


def right_tokens(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """Count tokens with the true tag, and all tokens, (N, 2)."""
    return np.stack([_total(y, predicted.values == y.values), y.lengths], axis=1)


def right_sentences(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """Compute (N, 1): 1 where every token of the sentence has its true tag, else 0."""
    whole: Array = _total(y, predicted.values != y.values) == 0
    return whole[:, None]


def log_losses(y: Ragged, predicted: Ragged, marginals: Ragged | None) -> Array:
    """Compute (N, 2): sum of -log p(true tag) over tokens, nats, and token count; probability 0 counts as epsilon.

    Raises:
        UndefinedMetricError: if the model gives no tag probabilities.
    """
    if marginals is None:
        raise UndefinedMetricError("the model gives tags, and no probabilities of them")
    step = np.finfo(np.float64).eps
    of_true = np.clip(marginals.values[np.arange(len(y.values)), y.values], step, 1 - step)
    return np.stack([_total(y, -np.log(of_true)), y.lengths], axis=1)


def ratio(means: Array) -> Array:
    """Return the first mean over the second: a mean over tokens, independent of sentence lengths."""
    found: Array = means[..., 0] / means[..., 1]
    return found


def _total(y: Ragged, values: Array) -> Array:
    """Sum over each sentence, (total,) -> (N,); 0 for an empty one."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    found: Array = np.diff(running[y.starts])
    return found
