"""What a model has, asked of its methods, and what its scores are a density of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

METHODS = (
    "fit",
    "fit_steps",
    "predict",
    "predict_proba",
    "predict_interval",
    "log_prob",
    "log_prob_target",
    "elbo",
    "pseudo_log_prob",
    "sample",
    "encode",
    "decode",
    "impute",
)


def capabilities(model: Any) -> list[str]:
    """The names of the protocol's methods that a model has, in the protocol's order."""
    return [name for name in METHODS if callable(getattr(model, name, None))]


def density(has: Sequence[str]) -> str | None:
    """The method that scores events: the exact one before the bound; None where the model has neither."""
    return next((name for name in ("log_prob", "elbo") if name in has), None)


def measure_suffix(model: Any) -> str:
    """What is added to a density score's name, so that scores of different measures never share a column."""
    return "" if model.measure == "continuous" else f"_{model.measure}"


def samples_by_class(model: Any) -> bool:
    """Whether ``sample`` takes the classes to draw events of; a generator that knows none refuses them."""
    try:
        model.sample(1, y=np.zeros(1, dtype=np.int64), random_state=0)
    except ValueError:
        return False
    return True
