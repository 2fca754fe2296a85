"""Features for a classifier: a linear probe on the codes of a model, beside the same probe on the events themselves.

The probe is a logistic regression of standardised features, fitted to labelled rows to learn from and scored on test
rows, the same ones for all models (Alain and Bengio, "Understanding intermediate layers using linear classifier
probes", 2017).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.data.targets import Classes
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import as_matrices

WHAT = "features"
MOST_LEARNED = 2000  # labelled rows that a probe learns from
ROUNDS = 200


def concerns(schema: Schema) -> bool:
    """Check that there are classes to probe for."""
    return isinstance(schema.y, Classes)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has no codes, as most; None if it has."""
    return None if hasattr(model, "encode") else f"{type(model).__name__} has no codes of events"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield the probe's probabilities (n, K) on test rows: from the model's codes, and from the events.

    Raises:
        EvaluationError: if the codes are not finite.
        UndefinedMetricError: if the rows to learn from are all of one class.
    """
    learned, labels, _ = held_out.some(np.random.default_rng(seed), "train", "validation", most=MOST_LEARNED)
    k = held_out.schema.n_classes
    if len(np.unique(labels)) < 2:
        raise UndefinedMetricError("the rows that a probe would learn from are all of one class")
    of_learned, of_asked = (in_batches(model.encode, events) for events in (learned, held_out.X))
    if not (np.isfinite(of_learned).all() and np.isfinite(of_asked).all()):
        raise EvaluationError(f"repeat {held_out.repeat}: encode gives what is not finite")
    yield Answers("features", (held_out.y, probed(of_learned, of_asked, labels, k)))
    raw, raw_asked = as_matrices(learned, held_out.X, schema=held_out.schema)
    yield Answers("raw_features", (held_out.y, probed(raw, raw_asked, labels, k)))


def probed(learned: Any, asked: Any, labels: Labels, classes: int) -> Array:
    """Probabilities by a logistic regression of features, (m, F), (n, F), (m,) codes -> (n, K)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    dense = not hasattr(learned, "toarray")
    probe = make_pipeline(StandardScaler(with_mean=dense), LogisticRegression(max_iter=ROUNDS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an optimum to the last digit changes no answer
        probe.fit(learned, labels)
    found = np.zeros((asked.shape[0], classes))
    found[:, probe.classes_] = probe.predict_proba(asked)
    return found
