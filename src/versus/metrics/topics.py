r"""Coherence of topics: do their most probable words stand in the same documents?

.. math:: \mathrm{NPMI}(i, j) = \log \frac{p(i, j)}{p(i) \, p(j)} \Big/ {-\log p(i, j)}

Bouma, "Normalized (pointwise) mutual information in collocation extraction" (2009); Lau, Newman and Baldwin, "Machine
reading tea leaves" (2014).
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Ragged
from versus.metrics.metric import UndefinedMetricError


def coherence(words: Array, X: Ragged) -> float:
    """Mean NPMI of all pairs of a topic's words, of all topics; -1 for words that never meet, 1 if they always do.

    Args:
        words: (K, m) token codes, the most probable of each topic.
        X: documents, by whose shares the probabilities are estimated.

    Raises:
        UndefinedMetricError: if no pair of words of a topic is in the documents.
    """
    codes, place = np.unique(words, return_inverse=True)
    document = np.repeat(np.arange(len(X)), X.lengths)
    column = np.minimum(np.searchsorted(codes, X.values), len(codes) - 1)
    known = codes[column] == X.values
    has = np.zeros((len(X), len(codes)))
    has[document[known], column[known]] = 1.0
    joint, first, second = has.T @ has / len(X), *np.triu_indices(words.shape[1], k=1)
    place = place.reshape(words.shape)
    i, j = place[:, first].ravel(), place[:, second].ravel()
    p, alone = joint[i, j], joint.diagonal()
    there = (alone[i] > 0) & (alone[j] > 0)
    if not there.any():
        raise UndefinedMetricError("no pair of the topics' words is in these test rows")
    p, apart = p[there], (alone[i] * alone[j])[there]
    meets = np.clip(p, np.finfo(float).tiny, None)
    found = np.where(p == 1, 1.0, np.log(meets / apart) / np.maximum(-np.log(meets), np.finfo(float).tiny))
    return float(np.where(p > 0, found, -1.0).mean())
