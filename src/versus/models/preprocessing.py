"""Preprocessing inside the model, for estimators that need a complete numeric matrix.

Tables: numbers are standardised, so that no model depends on the units of the columns; a missing number becomes the
training median and sets an indicator column, a categorical column becomes one column a category (all zero where
missing). Images are flattened and divided by their largest possible pixel. Hastie, Tibshirani and Friedman, *The
Elements of Statistical Learning* (2009), sections 9.6 and 11.5.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image, Table

CHUNK = 16_384  # rows converted at a time


class Preprocessor:
    """Raw events (N, *event) -> matrix (N, F) without missing values.

    Args:
        schema: form of the events.
        dtype: of the matrix.
    """

    def __init__(self, schema: Schema, dtype: type[np.floating[Any]] = np.float64) -> None:
        self.schema = schema
        self.dtype = dtype
        cardinalities = np.asarray(schema.cardinalities)
        self.numeric = np.flatnonzero(cardinalities == 0)
        self.categorical = np.flatnonzero(cardinalities > 0)

    def fit(self, X: Array, weights: Array | None = None) -> Preprocessor:
        """Learn medians, columns that can be missing, means and scales from X (N, *event), with weights (N,), if any.

        Pixels have one scale, whatever the weights.
        """
        if isinstance(self.schema.x, Image):
            self.centre_, self.scale_ = self._pixel_scale(X)
            return self
        X, n = np.asarray(X), len(self.numeric)
        self.fill_, self.centre_, self.scale_, absent = np.zeros(n), np.zeros(n), np.ones(n), np.zeros(n, bool)
        for place, d in enumerate(self.numeric):  # one column at a time: the rows are not held twice
            numbers = X[:, d].astype(np.float64)
            missing = np.isnan(numbers)
            absent[place] = missing.any()
            if not missing.all():
                self.fill_[place] = _median(numbers, None if weights is None else weights, missing)
            numbers[missing] = self.fill_[place]
            (self.centre_[place],), (self.scale_[place],) = centre_and_scale(numbers[:, None], weights)
        self.can_miss_ = np.flatnonzero(absent)
        return self

    def transform(self, X: Array) -> Array:
        """The matrix of X, (N, *event) -> (N, F).

        Raises:
            ValueError: where the events have another shape than the schema says, or a code names no category.
        """
        X = np.asarray(X)
        self.schema.x.check(X)
        if isinstance(self.schema.x, Image):
            pixels = X.reshape(len(X), -1).astype(self.dtype)
            scaled: Array = (pixels - self.dtype(self.centre_)) / self.dtype(self.scale_)
            return scaled
        matrix = np.empty((len(X), self.n_columns), self.dtype)
        for start in range(0, len(X), CHUNK):
            rows = X[start : start + CHUNK]
            numbers = rows[:, self.numeric].astype(np.float64)
            absent = np.isnan(numbers)
            numbers = (np.where(absent, self.fill_, numbers) - self.centre_) / self.scale_
            blocks = [
                numbers,
                absent[:, self.can_miss_],
                *(self._one_hot(rows, int(d), start) for d in self.categorical),
            ]
            np.concatenate(blocks, axis=1, out=matrix[start : start + CHUNK], casting="unsafe")
        return matrix

    @property
    def n_columns(self) -> int:
        """Number F of columns of the matrix."""
        if isinstance(self.schema.x, Image):
            return self.schema.n_features
        return len(self.numeric) + len(self.can_miss_) + sum(self.schema.cardinalities)

    def _pixel_scale(self, X: Array) -> tuple[Array, Array]:
        if self.schema.levels is not None:
            return np.zeros(()), np.asarray(float(max(self.schema.levels - 1, 1)))
        deviation = np.std(X, dtype=np.float64)
        return np.asarray(np.mean(X, dtype=np.float64)), np.asarray(deviation if deviation > 0 else 1.0)

    def _one_hot(self, X: Array, d: int, start: int) -> Array:
        codes, size = X[:, d], self.schema.cardinalities[d]
        wrong = ~(np.isnan(codes) | ((codes >= 0) & (codes < size) & (codes == np.floor(codes))))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            name = self.schema.columns[d].name
            raise ValueError(
                f"column {name!r}, row {start + row}: {codes[row]!r} is no category code; codes are 0 to {size - 1}"
            )
        hot: Array = codes[:, None] == np.arange(size)
        return hot

    def get_arrays(self) -> dict[str, Array]:
        """Return what `fit` learned, by name."""
        arrays = {"centre": self.centre_, "scale": self.scale_}
        if isinstance(self.schema.x, Table):
            arrays |= {"fill": self.fill_, "can_miss": self.can_miss_.astype(np.int64)}
        return arrays

    def set_arrays(self, arrays: Mapping[str, Array]) -> Preprocessor:
        """Restore what another one learned; the inverse of `get_arrays`.

        Raises:
            ValueError: naming the array whose shape or values do not fit the schema.
        """
        shape = () if isinstance(self.schema.x, Image) else (len(self.numeric),)
        for name in ("centre", "scale"):
            _expect_shape(name, arrays[name], shape)
        self.centre_, self.scale_ = arrays["centre"], arrays["scale"]
        if isinstance(self.schema.x, Table):
            _expect_shape("fill", arrays["fill"], shape)
            self.fill_, self.can_miss_ = arrays["fill"], arrays["can_miss"]
            if not np.isin(self.can_miss_, np.arange(len(self.numeric))).all():
                raise ValueError(f"array 'can_miss' names columns beyond the {len(self.numeric)} numeric ones")
        return self


def _median(numbers: Array, weights: Array | None, missing: Array) -> Any:
    """Median of a column (N,), of those that are known; with weights the lower one of two."""
    known = ~missing
    if weights is None:
        return np.median(numbers[known] if missing.any() else numbers)
    if not weights[known].any():
        return 0.0
    return np.quantile(numbers[known], 0.5, weights=weights[known], method="inverted_cdf")


class Flattened:
    """Events as rows (N, D), values as given: for models that take missing and categorical values themselves."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    @property
    def n_columns(self) -> int:
        """Number D of columns of the matrix."""
        return self.schema.n_features

    def fit(self, X: Array, weights: Array | None = None) -> Flattened:
        """Learn nothing."""
        return self

    def transform(self, X: Array) -> Array:
        """Flatten events, (N, *event) -> (N, D) float64."""
        X = np.asarray(X)
        self.schema.x.check(X)
        return X.reshape(len(X), -1).astype(np.float64)

    def get_arrays(self) -> dict[str, Array]:
        """Return no arrays, as nothing is learned."""
        return {}

    def set_arrays(self, arrays: Mapping[str, Array]) -> Flattened:
        """Nothing to take over."""
        return self


def centre_and_scale(numbers: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Mean and standard deviation of each column, (N, D) -> (D,) and (D,); 1 for the deviation of a constant one."""
    if weights is not None:
        numbers = numbers[weights > 0]  # a column may be constant in the rows that count
        weights = weights[weights > 0]
    centre = numbers.mean(axis=0) if weights is None else np.average(numbers, axis=0, weights=weights)
    centred = numbers - centre
    reach = np.abs(centred).max(axis=0, initial=0.0)
    constant = reach <= 1e-12 * np.abs(centre)  # rounding can leave a constant column a deviation of 1e-17
    unit = np.where(constant, 1.0, reach)  # the square of 1e-200 would be 0
    relative = centred / unit
    deviation = relative.std(axis=0) if weights is None else np.average(relative**2, axis=0, weights=weights) ** 0.5
    return centre, np.where(constant, 1.0, deviation * unit)


class StandardisedTarget:
    """Mixin of a model that learns a number in units of its own deviation, whatever the unit of the data.

    Learned: ``target_`` (2,), mean and standard deviation in training.
    """

    target_: Array

    def _learn_target(self, y: Array, weights: Array | None = None) -> None:
        self.target_ = np.concatenate(centre_and_scale(np.asarray(y, np.float64)[:, None], weights))

    def _to_deviations(self, y: Array) -> Array:
        """In single precision: last digits, which depend on the unit, must not choose between equally good splits."""
        standardised: Array = ((np.asarray(y, np.float64) - self.target_[0]) / self.target_[1]).astype(np.float32)
        return standardised

    def _to_raw(self, values: Array) -> Array:
        raw: Array = values * self.target_[1] + self.target_[0]
        return raw

    def get_arrays(self) -> dict[str, Array]:
        """The learned state, with mean and deviation of the target."""
        return {"target": self.target_, **super().get_arrays()}  # type: ignore[misc]

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)  # type: ignore[misc]
        _expect_shape("target", arrays["target"], (2,))
        self.target_ = arrays["target"]


def _expect_shape(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"array {name!r} has shape {array.shape}; the schema asks for {shape}")
