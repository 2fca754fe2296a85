r"""Probabilities from the margins of support vector machines, by one temperature.

A support vector machine gives margins f, no probabilities. One number T is chosen so that margins of rows that the
machine was not fitted on get the smallest log loss. With one machine a class, against the rest,

.. math:: p_k = \operatorname{softmax}(f / T)_k,

which changes no decision (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017). With one
machine a pair of classes, the pairs' probabilities are coupled in closed form,

.. math:: r_{ij} = 1 / (1 + e^{-f_{ij} / T}), \qquad p_i \propto 1 \big/ \big(\sum_{j \ne i} 1 / r_{ij} - (K - 2)\big)

(Price, Knerr, Personnaz and Dreyfus, "Pairwise Neural Network Classifiers with Probabilistic Outputs", 1995). Both
are Platt's sigmoid (1999) without its offset. scikit-learn's ``SVC(probability=True)`` is deprecated, and its
``CalibratedClassifierCV`` refuses a class with fewer members than folds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import log_softmax

from versus.arrays import Array, Labels
from versus.numerics.held_out import different_rows, none_if_even

FOLDS = 5
# T needs few rows, and a kernel machine's fit grows with their square: six full fits on 60,000 images take hours.
ROWS = 5000
_STEEPEST = 50.0  # margin / T: beyond it a pair is decided, and its odds would overflow where they are added up

LogProbabilities = Callable[[Array, float], Array]


def one_against_rest(margins: Array, temperature: float) -> Array:
    """Log-probabilities from one margin a class, (N, K) or for two classes (N,) -> (N, K) nats."""
    if margins.ndim == 1:
        margins = np.stack([-margins / 2, margins / 2], axis=1)  # one margin is the logit of the second class
    log_p: Array = log_softmax(margins / temperature, axis=1)
    return log_p


def one_against_one(margins: Array, temperature: float) -> Array:
    """Log-probabilities from one margin a pair, (N, K (K - 1) / 2) in the order of LIBSVM or (N,) -> (N, K) nats."""
    if margins.ndim == 1:
        return one_against_rest(margins, temperature)
    n_classes = int(np.sqrt(2 * margins.shape[1])) + 1
    inverse = np.full((len(margins), n_classes), 2.0 - n_classes)
    first, second = np.triu_indices(n_classes, k=1)
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        odds = np.exp(np.clip(margins[:, pair] / temperature, -_STEEPEST, _STEEPEST))  # of i against j
        inverse[:, i] += 1 + 1 / odds
        inverse[:, j] += 1 + odds
    log_p = -np.log(inverse)
    normalised: Array = log_softmax(log_p, axis=1)
    return normalised


def cross_validated_temperature(
    new_machine: Callable[[], Any],
    log_probabilities: LogProbabilities,
    Z: Array,
    y: Labels,
    random_state: int | None,
    weights: Array | None = None,
) -> float:
    """T from margins of held-out rows: 5 folds over at most 5,000 rows, (N, F), (N,), weights (N,) or None -> T > 0.

    Copies of a row are in one fold, so that a row of weight two counts as two equal ones.
    """
    rng = np.random.default_rng(random_state)
    if len(y) > ROWS:
        some = _stratified_order(y, rng)[:ROWS]
        Z, y, weights = Z[some], y[some], None if weights is None else weights[some]
    if isinstance(Z, np.ndarray):  # two documents are hardly ever equal
        Z, y, counts = different_rows(Z, y, weights)
    else:
        counts = np.ones(len(y)) if weights is None else weights
    rows = _stratified_order(y, rng)
    fold = np.arange(len(rows)) % min(FOLDS, len(rows))
    held_out = []
    for k in np.unique(fold):
        kept, scored = rows[fold != k], rows[fold == k]
        scored = scored[np.isin(y[scored], y[kept])]  # no machine scores a class that it has not seen
        if len(np.unique(y[kept])) > 1 and len(scored):
            machine = new_machine().fit(Z[kept], y[kept], sample_weight=none_if_even(counts[kept]))
            labels = np.searchsorted(machine.classes_, y[scored])
            held_out.append((machine.decision_function(Z[scored]), labels, counts[scored]))
    return best_temperature(log_probabilities, held_out) if held_out else 1.0


def best_temperature(log_probabilities: LogProbabilities, held_out: list[tuple[Array, Array, Array]]) -> float:
    """The T between 1e-3 and 1e3 with the smallest log loss, summed over margins, labels and weights of rows."""
    from scipy.optimize import minimize_scalar  # 0.3 s to import, needed by two models

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return -sum(
            float((weights * log_probabilities(margins, temperature)[np.arange(len(y)), y]).sum())
            for margins, y, weights in held_out
        )

    found = minimize_scalar(loss, bounds=(np.log(1e-3), np.log(1e3)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _stratified_order(y: Labels, rng: np.random.Generator) -> Array:
    """Row indices so that each stretch holds the classes in their proportions."""
    shuffled = rng.permutation(len(y))
    place = np.empty(len(y))
    for label in np.unique(y):
        members = shuffled[y[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(place, kind="stable")
