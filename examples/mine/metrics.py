"""A metric: recall of the class that is recalled worst."""

from __future__ import annotations

import numpy as np

from versus.metrics.classification import class_counts
from versus.metrics.metric import Metric


def worst_recall(means: np.ndarray) -> np.ndarray:
    """Smallest recall of a class with members, of means of `class_counts`, (..., 3K) -> (...)."""
    hit, _, true = np.split(means, 3, axis=-1)
    return np.min(np.divide(hit, true, out=np.ones_like(hit), where=true > 0), axis=-1)


METRICS = (
    Metric(
        "worst_recall",
        "recall of the worst class",
        "classification",
        "share",
        "higher",
        0,
        1,
        "this example",
        "scores",
        class_counts,
        worst_recall,
    ),
)
