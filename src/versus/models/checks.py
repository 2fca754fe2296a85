"""Validate labels, tagged sequences and trees passed to `fit`, and arrays that a model takes back from a file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from versus.arrays import Array, Labels, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Series, Tokens
from versus.data.targets import Trees


def classification_data(model: str, schema: Schema | None, X: Array, y: Labels | None) -> tuple[Schema, Labels]:
    """Return the schema of labelled data and the labels as int64; ``model`` is the name used in errors."""
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


def restored_schema(schema: Schema | None) -> Schema:
    """Return the schema that a model was built with; the arrays do not contain it."""
    if schema is None:
        raise ValueError("set_arrays needs a model that was built with schema=…; this one has None")
    return schema


def check_names(arrays: Mapping[str, Array], names: tuple[str, ...]) -> None:
    """Raise ValueError unless ``arrays`` holds exactly ``names``."""
    if set(arrays) != set(names):
        raise ValueError(f"arrays named {sorted(arrays)} found; {sorted(names)} belong there")


def check_shape(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    """Return the array ``name``; ValueError where it is missing or has another shape."""
    if name not in arrays or arrays[name].shape != shape:
        found = arrays[name].shape if name in arrays else "missing"
        raise ValueError(f"array {name!r} is {found}; shape {shape} is needed")
    return arrays[name]


def tagging_data(model: str, schema: Schema | None, X: Ragged, y: Ragged | None) -> tuple[Schema, Ragged]:
    """Validate X (N sequences) of tokens or of rows, and their tags y; returns the schema and the tags as int64.

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
    sequences_of(found).check(X)
    if len(y.values) == 0 or y.values.dtype.kind not in "iu":
        raise ValueError(f"{model}.fit: y has {len(y.values)} tags of type {y.values.dtype}; integer codes are needed")
    if y.values.min() < 0 or y.values.max() >= found.n_classes:
        raise ValueError(
            f"{model}.fit: y holds codes {y.values.min()} … {y.values.max()}; the schema has 0 … {found.n_classes - 1}"
        )
    return found, Ragged(y.values.astype(np.int64, copy=False), y.starts)


def parsing_data(model: str, schema: Schema | None, X: Ragged, y: Ragged | None) -> tuple[Schema, Ragged]:
    """Validate X (N sentences) and their trees y; returns the schema and the nodes as int64.

    Raises:
        ValueError: naming ``model``, where y is missing or does not fit X and the schema.
    """
    if y is None or schema is None or not isinstance(schema.y, Trees):
        raise ValueError(f"{model}.fit needs y, a tree over each sentence, and the schema that names their labels")
    tokens_of(schema).check(X)
    if not len(X) or not X.lengths.all():
        raise ValueError(f"{model}.fit: {len(X)} sentences, {int((X.lengths == 0).sum())} of them empty; wants tokens")
    try:
        schema.y.check(X, y)
    except ValueError as error:
        raise ValueError(f"{model}.fit: {error}") from None
    return schema, Ragged(y.values.astype(np.int64, copy=False), y.starts)


def trees_of(schema: Schema) -> Trees:
    """Return the target of trees; ValueError where the target is another one."""
    if not isinstance(schema.y, Trees):
        raise ValueError(f"the target is of {schema.y.task}; trees over the sentences are needed")
    return schema.y


def sequences_of(schema: Schema) -> Tokens | Series:
    """Return the space of the sequences; ValueError where the events are not sequences."""
    if not isinstance(schema.x, Tokens | Series):
        raise ValueError(f"the events are {schema.x.describe()}; sequences are needed")
    return schema.x


def series_of(schema: Schema) -> Series:
    """Return the space of sequences of rows; ValueError where the events are others."""
    if not isinstance(schema.x, Series):
        raise ValueError(f"the events are {schema.x.describe()}; sequences of rows of numbers are needed")
    return schema.x


def tokens_of(schema: Schema) -> Tokens:
    """Return the space of sequences of tokens; ValueError where the events are others."""
    if not isinstance(schema.x, Tokens):
        raise ValueError(f"the events are {schema.x.describe()}; sequences of tokens are needed")
    return schema.x
