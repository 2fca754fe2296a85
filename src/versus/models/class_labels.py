"""Checks of labelled data at the door of a classifier."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema


def classification_data(model: str, schema: Schema | None, X: Array, y: Labels | None) -> tuple[Schema, Labels]:
    """The schema of labelled data and the labels as int64; ``model`` is the name that errors give."""
    if y is None:
        raise ValueError(f"{model}.fit needs y: a class code for each row")
    labels = np.asarray(y)
    if labels.shape != (len(X),) or len(X) == 0:
        raise ValueError(f"{model}.fit: X has {len(X)} rows and y has shape {labels.shape}; one label a row is needed")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{model}.fit: y has type {labels.dtype}; integer class codes are needed")
    found = schema or Schema.of(X, labels)
    if labels.min() < 0 or labels.max() >= found.n_classes:
        raise ValueError(
            f"{model}.fit: y holds codes {labels.min()} … {labels.max()}; the schema has 0 … {found.n_classes - 1}"
        )
    return found, labels.astype(np.int64, copy=False)
