r"""Probabilities from the margins of a support vector machine, by temperature scaling.

.. math:: p(y = k \mid x) = \operatorname{softmax}(f(x) / T)_k

A support vector machine gives margins f(x), no probabilities. One number T is chosen so that margins of rows that the
machine was not fitted on get the smallest log loss; dividing by it moves no decision, so the accuracy is the
machine's own. Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017), who reduce
Platt's sigmoid (1999) to one parameter; scikit-learn's ``SVC(probability=True)`` is deprecated, and its
``CalibratedClassifierCV`` refuses a class with fewer members than folds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import log_softmax

from versus.models.estimator import over_all_classes
from versus.models.protocols import Array, Labels

FOLDS = 5
# T needs few rows, and a kernel machine's fit grows with their square: six full fits on 60,000 images take hours.
ROWS = 5000


def class_margins(machine: Any, Z: Array, n_classes: int) -> Array:
    """One margin a class, (N, F) -> (N, K); a binary machine's one margin is split evenly between its two classes."""
    margins = machine.decision_function(Z)
    if margins.ndim == 1:
        margins = np.stack([-margins / 2, margins / 2], axis=1)  # (N,) -> (N, 2)
    lowest = margins.min() - 1.0 if margins.size else -1.0
    return over_all_classes(margins, machine.classes_, n_classes, absent=lowest)


def cross_validated_temperature(
    new_machine: Callable[[], Any], Z: Array, y: Labels, n_classes: int, random_state: int | None
) -> float:
    """T from the margins of held-out rows: 5 folds over at most 5,000 rows, (N, F), (N,) -> T > 0."""
    rng = np.random.default_rng(random_state)
    rows = _stratified_order(y, rng)[:ROWS]
    fold = np.arange(len(rows)) % min(FOLDS, len(rows))
    margins, labels = [], []
    for k in np.unique(fold):
        held_out, kept = rows[fold == k], rows[fold != k]
        if len(np.unique(y[kept])) < 2:
            continue  # two rows of two classes: nothing to fit without one of them
        machine = new_machine().fit(Z[kept], y[kept])
        margins.append(class_margins(machine, Z[held_out], n_classes))
        labels.append(y[held_out])
    if not margins:
        return 1.0
    return best_temperature(np.concatenate(margins), np.concatenate(labels))


def best_temperature(margins: Array, y: Labels) -> float:
    """The T between 1e-3 and 1e3 with the smallest mean log loss, (N, K), (N,) -> T."""
    from scipy.optimize import minimize_scalar  # 0.3 s to import, needed by two models

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(margins / np.exp(log_temperature), axis=1)
        return float(-log_p[np.arange(len(y)), y].mean())

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
