"""Capabilities of a model, found from its methods, and the measure of its density scores."""

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
    """Return the names of the protocol's methods that a model has, in the protocol's order."""
    return [name for name in METHODS if callable(getattr(model, name, None))]


def density(has: Sequence[str]) -> str | None:
    """Return the method that scores events: the exact one before the bound; None if the model has neither."""
    return next((name for name in ("log_prob", "elbo") if name in has), None)


def measure_suffix(model: Any) -> str:
    """Return the suffix of a density score's name, so that scores of different measures never share a column."""
    return "" if model.measure == "continuous" else f"_{model.measure}"


def samples_by_class(model: Any) -> bool:
    """Check that ``sample`` accepts the classes of the events to draw; a generator without classes rejects them."""
    try:
        model.sample(1, y=np.zeros(1, dtype=np.int64), random_state=0)
    except ValueError:
        return False
    return True
