"""What is known about a data set before any of its values are read: columns, classes, shape, task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["table", "image"]
Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Column:
    """One column of a table. ``categories`` is None for a numeric column.

    A categorical column holds codes ``0 … len(categories) - 1`` as floats, and NaN where the value is missing.
    """

    name: str
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Schema:
    """The form of a data set: what ``prepare`` found out and every model may rely on.

    Args:
        kind: "table" (events of shape ``(D,)``) or "image" (``(H, W)`` or ``(H, W, channels)``).
        task: "classification" (labels are codes ``0 … K-1``) or "regression" (a float target).
        shape: shape of one event.
        columns: the D columns of a table; empty for images.
        classes: the K class names in the order of their codes; empty for regression.
        levels: for images, the number of integer levels a pixel can take (256 for bytes); None where continuous.
        target: name of the target column.
    """

    kind: Kind
    task: Task
    shape: tuple[int, ...]
    columns: tuple[Column, ...] = ()
    classes: tuple[str, ...] = ()
    levels: int | None = None
    target: str = "target"

    @property
    def n_features(self) -> int:
        """D: how many numbers make one event."""
        return int(np.prod(self.shape))

    @property
    def n_classes(self) -> int:
        """K: how many classes there are; 0 for regression."""
        return len(self.classes)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """For each of the D features the number of its categories, 0 where it is numeric."""
        if self.kind != "table":
            return (0,) * self.n_features
        return tuple(len(c.categories) if c.categories is not None else 0 for c in self.columns)

    @property
    def has_categorical(self) -> bool:
        """Whether any column is categorical."""
        return any(self.cardinalities)

    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON types; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Schema:
        """The inverse of `to_json`."""
        columns = tuple(
            Column(c["name"], None if c["categories"] is None else tuple(c["categories"])) for c in found["columns"]
        )
        return cls(
            kind=found["kind"],
            task=found["task"],
            shape=tuple(found["shape"]),
            columns=columns,
            classes=tuple(found["classes"]),
            levels=found["levels"],
            target=found["target"],
        )

    @classmethod
    def of(cls, X: NDArray[Any], y: NDArray[Any] | None = None) -> Schema:
        """The schema that plain arrays imply: numeric features, K = largest label + 1, regression if y is a float.

        For use outside the pipeline (notebooks, tests). ``X`` (N, D) is a table, (N, H, W[, C]) images.
        """
        classes: tuple[str, ...] = ()
        task: Task = "classification"
        if y is not None and np.issubdtype(y.dtype, np.floating):
            task = "regression"
        elif y is not None:
            classes = tuple(str(k) for k in range(int(y.max()) + 1))
        if X.ndim == 2:
            columns = tuple(Column(f"x{d}") for d in range(X.shape[1]))
            return cls("table", task, X.shape[1:], columns, classes)
        levels = int(X.max()) + 1 if np.issubdtype(X.dtype, np.integer) else None
        return cls("image", task, X.shape[1:], (), classes, levels)
