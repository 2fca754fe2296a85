"""Validate tagged sequences passed to `fit`."""

from __future__ import annotations

import numpy as np

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens


def tagging_data(model: str, schema: Schema | None, X: Ragged, y: Ragged | None) -> tuple[Schema, Ragged]:
    """Validate X (N sequences) and their tags y; returns the schema and the tags as int64.

    Raises:
        ValueError: naming ``model``, where y is missing or does not fit X and the schema.
    """
    if y is None:
        raise ValueError(f"{model}.fit needs y: a tag code for each token")
    if not isinstance(X, Ragged) or not isinstance(y, Ragged):
        raise ValueError(f"{model}.fit: X is {type(X).__name__} and y {type(y).__name__}; tagged sequences are Ragged")
    if not np.array_equal(X.starts, y.starts):
        raise ValueError(f"{model}.fit: {len(X)} sequences and {len(y)} of tags; one tag a token is needed")
    found = schema or Schema.of(X, y)
    tokens_of(found).check(X)
    if len(y.values) == 0 or y.values.dtype.kind not in "iu":
        raise ValueError(f"{model}.fit: y has {len(y.values)} tags of type {y.values.dtype}; integer codes are needed")
    if y.values.min() < 0 or y.values.max() >= found.n_classes:
        raise ValueError(
            f"{model}.fit: y holds codes {y.values.min()} … {y.values.max()}; the schema has 0 … {found.n_classes - 1}"
        )
    return found, Ragged(y.values.astype(np.int64, copy=False), y.starts)


def tokens_of(schema: Schema) -> Tokens:
    """Return the space of the sequences; ValueError where the events are not sequences."""
    if not isinstance(schema.x, Tokens):
        raise ValueError(f"the events are {schema.x.describe()}; sequences of tokens are needed")
    return schema.x
