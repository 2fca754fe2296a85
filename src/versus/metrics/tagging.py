"""Scores of tagged sentences: each row is one sentence, (N,) sentences of unequal length -> (N, M)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from versus.arrays import Array, Ragged
from versus.metrics.metric import UndefinedMetricError

_SPAN = ("B-", "I-")


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


def right_unknown(y: Ragged, predicted: Ragged, unknown: Array) -> Array:
    """Count tokens that were not met in training and have the true tag, and all such tokens, (N, 2).

    Raises:
        UndefinedMetricError: if every token was met in training.
    """
    if not unknown.any():
        raise UndefinedMetricError("every token of the test rows occurs in the training rows")
    return np.stack([_total(y, unknown & (predicted.values == y.values)), _total(y, unknown)], axis=1)


def spans(y: Ragged, predicted: Ragged, names: Sequence[str]) -> Array:
    """Count spans that are predicted with both ends and the right type, those predicted and the true ones, (N, 3).

    A span starts at a tag ``B-type``, or at an ``I-type`` that does not follow the same type, as in conlleval of
    CoNLL-2000 (Tjong Kim Sang and Buchholz 2000).
    """
    starts, ends, types = zip(*(_spans(tags, names) for tags in (predicted, y)), strict=True)
    right = starts[0] & starts[1] & (ends[0] == ends[1]) & (types[0] == types[1])
    return np.stack([_total(y, each) for each in (right, *starts)], axis=1)


def span_f1(means: Array) -> Array:
    """Harmonic mean of the share of predicted spans that are right and of true spans that are found."""
    found: Array = 2 * means[..., 0] / (means[..., 1] + means[..., 2])
    return found


def are_spans(names: Sequence[str]) -> bool:
    """Tell if tags mark the beginning and the inside of spans: B-type, I-type and O."""
    return any(name[:2] in _SPAN for name in names) and all(name[:2] in (*_SPAN, "O") for name in names)


def _spans(tags: Ragged, names: Sequence[str]) -> tuple[Array, Array, Array]:
    """Start of a span at each token (total,), the place of its last token, and its type; -1 outside."""
    known = sorted({name[2:] for name in names if name[:2] in _SPAN})
    code = np.array([known.index(name[2:]) if name[:2] in _SPAN else -1 for name in names])[tags.values]
    begins = np.array([name.startswith("B-") for name in names])[tags.values]
    cut = np.zeros(len(code) + 1, bool)  # before each token: it does not continue the span of the one before
    cut[tags.starts] = True
    cut[1:-1] |= begins[1:] | (code[1:] != code[:-1])
    places = np.arange(len(code))
    last = np.flatnonzero(cut)[np.searchsorted(np.flatnonzero(cut), places, side="right")] - 1
    return cut[:-1] & (code >= 0), last, code


def sequence_losses(log_probs: Array, y: Ragged) -> Array:
    """Compute (N, 2): -log p(all tags | sentence), nats, and token count."""
    return np.stack([-log_probs, y.lengths], axis=1)


def ratio(means: Array) -> Array:
    """Return the first mean over the second: a mean over tokens, independent of sentence lengths."""
    found: Array = means[..., 0] / means[..., 1]
    return found


def _total(y: Ragged, values: Array) -> Array:
    """Sum over each sentence, (total,) -> (N,); 0 for an empty one."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    found: Array = np.diff(running[y.starts])
    return found
