"""Conversion of events as stored, (N, *event), to and from rows of numbers, (N, D), for fitting densities.

Integer pixels are spread evenly over their cell, x + u with u uniform on [0, 1), when a continuous density is fitted;
a given integer pixel is evaluated at the middle of its cell, x + 1/2. Theis, van den Oord and Bethge, "A note on the
evaluation of generative models" (ICLR 2016).
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from versus.arrays import Array, Labels, Measure, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.numerics.categorical_factors import check_codes


def require_numeric(model: str, schema: Schema) -> None:
    """Raise ValueError, naming the columns, where a table has categorical ones."""
    names = [column.name for column in schema.columns if column.categories is not None]
    if names:
        raise ValueError(
            f"{model} is a density of numeric columns and the data have categorical ones ({', '.join(names)}); "
            "MixedNaiveBayes takes both kinds, CategoricalNaiveBayes takes categorical columns alone; "
            "numbers of few values that are quantities are read as such by `numeric: […]` in the data set's line"
        )


def numeric_part(schema: Schema) -> Schema:
    """Return the schema without categorical columns; the given one where it has none."""
    if not schema.has_categorical:
        return schema
    return replace(schema, x=Table(tuple(column for column in schema.columns if not column.categories)))


def split_columns(X: Array, schema: Schema) -> tuple[Array, Array]:
    """Split events (N, *event) into those of `numeric_part` and codes of categories (N, categorical columns).

    Raises:
        ValueError: where the events have another shape than the schema's, or a code is none of its column's.
    """
    schema.x.check(X)
    if not schema.has_categorical:
        return X, np.empty((len(X), 0))  # no copy
    sizes = np.array(schema.cardinalities)
    codes = X[:, sizes > 0].astype(np.float64, copy=False)
    check_codes(codes, sizes[sizes > 0].tolist(), [column.name for column in schema.columns if column.categories])
    return X[:, sizes == 0], codes


def columns_measure(schema: Schema | None) -> Measure:
    """Return what a density of all columns is a density of; that of unknown data is continuous."""
    if schema is None or not schema.has_categorical:
        return "continuous"
    return "mixed" if 0 in schema.cardinalities else "discrete"


def is_of_tables(model: Any) -> bool:
    """Check that a model's events are rows of a table, as far as it knows them: they alone have missing values."""
    schema: Schema | None = getattr(model, "schema_", None) or model.schema
    return schema is None or isinstance(schema.x, Table)


def has_pixels(X: Array, schema: Schema) -> bool:
    """Check whether X holds integer pixels; a continuous density is then one of x + u."""
    return isinstance(schema.x, Image) and X.dtype.kind in "uib"


def raw_rows(X: Array, schema: Schema) -> Array:
    """Convert events to rows, (N, *event) -> (N, D) of the values as they are.

    Raises:
        ValueError: where the events have another shape than the schema's.
    """
    schema.x.check(X)
    return np.asarray(X).reshape(len(X), schema.n_features)


def binary_rows(model: str, X: Array, schema: Schema) -> Array:
    """Convert events to bits, (N, *event) -> (N, D) of 0, 1 and NaN; pixels count as 1 from half of their levels up.

    Raises:
        ValueError: naming ``model``, and the column and value that is no bit.
    """
    rows = raw_rows(X, schema)
    if isinstance(schema.x, Image):
        if schema.levels is None:
            raise ValueError(f"{model} cuts pixels at half of their levels, and these have none: floats")
        return (rows >= ceil(schema.levels / 2)).astype(np.float64)
    for column, values in zip(schema.columns, rows.T, strict=True):
        odd = values[~(np.isnan(values) | (values == 0) | (values == 1))]
        if odd.size:
            raise ValueError(
                f"{model} takes columns of 0 and 1, and column {column.name!r} holds {odd[0]}; "
                "MixedNaiveBayes takes numbers and categories"
            )
    return rows.astype(np.float64, copy=False)


def as_rows(X: Array, schema: Schema, dtype: type[Any] = np.float64) -> Array:
    """Convert events to float rows, (N, *event) -> (N, D); integer pixels stand at the middle of their cells."""
    rows = raw_rows(X, schema)
    if has_pixels(X, schema):
        middle: Array = np.add(rows, 0.5, dtype=dtype)
        return middle
    return rows.astype(dtype, copy=False)


def dequantised_rows(X: Array, schema: Schema, rng: np.random.Generator, dtype: type[Any] = np.float64) -> Array:
    """Convert events to float rows, (N, *event) -> (N, D); integer pixels are spread evenly over their cells."""
    rows = as_rows(X, schema, dtype)
    if has_pixels(X, schema):
        spread = rng.random(rows.shape, dtype=np.float32)
        spread -= 0.5
        rows += spread
    return rows


def stored_events(rows: Array, schema: Schema) -> Array:
    """Convert rows (N, D) to events (N, *event) in the raw space: pixels are cut to the stored integer levels."""
    events: Array = schema.x.stored(rows.reshape(len(rows), *schema.shape))
    return events


def working_type(X: Array, schema: Schema) -> type[Any]:
    """The float type that loses nothing: float32 for float32 and bytes, where x + u keeps 16 binary places."""
    single = X.dtype == np.float32 or (has_pixels(X, schema) and X.dtype.itemsize == 1)
    return np.float32 if single else np.float64


def draw(model: Any, n: int, y: Labels | None, schema: Schema, seed: int) -> Any:
    """Draw ``n`` events (n, *event), of classes ``y`` where given, as the data hold them: pixels are whole numbers.

    Raises:
        ValueError: where the model draws another shape, or what is not finite.
    """
    drawn = model.sample(n, y=y, random_state=seed)
    schema.x.check(drawn)
    values = drawn.values if isinstance(drawn, Ragged) else drawn
    if len(drawn) != n or not np.isfinite(values).all():
        raise ValueError(f"sample({n}) gives {len(drawn)} events or values that are not finite; {n} are expected")
    return schema.x.stored(drawn)
