"""Scores of trees: each row is one sentence, (N,) trees of unequal size -> (N, M).

Labelled brackets are compared as evalb does (Sekine and Collins 1997), after PARSEVAL (Black and others 1991): label,
first and last token of each constituent, the root among them and tags not, and of equal brackets as many as both trees
have. Tokens whose true tag is a punctuation mark of the Penn Treebank count as no tokens, brackets around nothing else
as no brackets, the label TOP as none, and PRT as ADVP.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from versus.arrays import Array, Ragged
from versus.data.trees import ROOT
from versus.metrics.density import surprises
from versus.metrics.metric import UndefinedMetricError

PUNCTUATION = (",", ":", "``", "''", ".")
_EQUAL = {"PRT": "ADVP"}


def matched_brackets(y: Ragged, parsed: Ragged, names: Sequence[str]) -> Array:
    """Count brackets of the parse that are in the true tree, those of the parse and those of the true tree, (N, 3)."""
    kept = ~np.isin(y.values[:, 0], [code for code, name in enumerate(names) if name in PUNCTUATION])
    counted = kept[y.values[:, 1] == 0]  # of each token, in their order
    keys = [_brackets(trees, names, counted) for trees in (parsed, y)]
    rows = [key[:, 0] for key in keys]
    _, codes = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    found, wanted = (np.bincount(part, minlength=codes.max(initial=-1) + 1) for part in np.split(codes, [len(keys[0])]))
    row_of = np.zeros(len(found), np.int64)
    row_of[codes] = np.concatenate(rows)
    matched = np.bincount(row_of, np.minimum(found, wanted), minlength=len(y))
    return np.stack([matched, *(np.bincount(row, minlength=len(y)) for row in rows)], axis=1)


def _brackets(trees: Ragged, names: Sequence[str], counted: Array) -> Array:
    """Row, label, first token and end of each bracket, (n, 4), in tokens that count."""
    labels, widths = trees.values.T
    before = np.cumsum(widths == 0) - (widths == 0)  # tokens to the left of a node, of all sentences
    place = np.concatenate([[0], np.cumsum(counted)])  # the same in tokens that count
    starts, ends = place[before], place[before + widths]
    merged = {name: code for code, name in enumerate(names)}
    same = np.array([merged.get(_EQUAL.get(name, name), code) for code, name in enumerate(names)], np.int64)
    is_bracket = (ends > starts) & (widths > 0) & (same[labels] != merged.get(ROOT, -1))
    rows = np.repeat(np.arange(len(trees)), trees.lengths)
    found: Array = np.stack([rows, same[labels], starts, ends], axis=1)[is_bracket]
    return found


def f1(means: Array) -> Array:
    """Harmonic mean of precision and recall of all brackets."""
    found: Array = 2 * means[..., 0] / (means[..., 1] + means[..., 2])
    return found


def precision(means: Array) -> Array:
    """Share of the parses' brackets that are in the true trees."""
    found: Array = means[..., 0] / means[..., 1]
    return found


def recall(means: Array) -> Array:
    """Share of the true trees' brackets that are in the parses."""
    found: Array = means[..., 0] / means[..., 2]
    return found


def exact(y: Ragged, parsed: Ragged, names: Sequence[str]) -> Array:
    """Compute (N, 1): 1 where the parse has all brackets of the true tree and no others, else 0."""
    counts = matched_brackets(y, parsed, names)
    whole: Array = (counts[:, :2] == counts[:, 2:]).all(axis=1)
    return whole[:, None]


def right_tags(y: Ragged, parsed: Ragged, names: Sequence[str]) -> Array:
    """Count tokens with the true tag, and all tokens, (N, 2)."""
    true, found = (trees.values[trees.values[:, 1] == 0, 0] for trees in (y, parsed))
    rows = np.repeat(np.arange(len(y)), y.lengths)[y.values[:, 1] == 0]
    return np.stack([np.bincount(rows, true == found, minlength=len(y)), np.bincount(rows, minlength=len(y))], axis=1)


def matched_where_unknown(y: Ragged, parsed: Ragged, names: Sequence[str], unknown: Array) -> Array:
    """`matched_brackets` of the sentences (N,) with unknown words; zeros for the others.

    Raises:
        UndefinedMetricError: if there are none.
    """
    if not unknown.any():
        raise UndefinedMetricError("every word of the test sentences occurs in the training sentences")
    return matched_brackets(y, parsed, names) * unknown[:, None]


def tree_losses(log_probs: Array, lengths: Array) -> Array:
    """Compute (N, 2): -log p(tree | sentence), nats, and token count.

    Raises:
        UndefinedMetricError: if a true tree is built by a rule that no training tree has.
    """
    if outside := int(np.isneginf(log_probs).sum()):
        raise UndefinedMetricError(f"{outside} of {len(log_probs)} true trees are built by rules of no training tree")
    return surprises(log_probs, lengths)
