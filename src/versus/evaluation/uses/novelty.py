"""Tell rows of the data from novel ones: by density, or by the largest probability of a class.

A novel row has the values of real rows column by column, each column from another row: every value is ordinary, their
combination is not. All models judge the same rows. The largest probability is the usual signal of a model of P(y|x)
(Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.evaluation.answers import Answers, HeldOut, capabilities, density, in_batches

WHAT = "novelty"


def concerns(schema: Schema) -> bool:
    """Check that there are two columns or more to combine."""
    return isinstance(schema.x, Table) and schema.n_features > 1


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has neither a density nor probabilities; None if it has one."""
    has = capabilities(model)
    if density(has) is not None or "predict_proba" in has:
        return None
    return f"{type(model).__name__} has neither a density nor probabilities of classes"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield scores of real rows (n,) and of as many novel ones (n,), higher for what looks familiar."""
    X = np.asarray(held_out.X)
    novel = shuffled(X, np.random.default_rng(seed))
    yield Answers("novelty", (familiarity(model, X), familiarity(model, novel)))


def shuffled(X: Array, rng: np.random.Generator) -> Array:
    """Take each column from other rows, (n, D) -> (n, D)."""
    return np.stack([rng.permutation(column) for column in X.T], axis=1)


def familiarity(model: Any, X: Array) -> Array:
    """Log-density or its bound in nats, or else the largest probability, (n, D) -> (n,); what is NaN is least so."""
    method = density(capabilities(model))
    found = in_batches(getattr(model, method or "predict_proba"), X)
    found = found.max(axis=1) if method is None else found
    return np.nan_to_num(np.asarray(found, dtype=np.float64), nan=-np.inf)
