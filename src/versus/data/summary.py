"""What about.json says of the values of a data set. Only figures that are the same on every machine: no means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.dataset import Dataset
from versus.data.schema import Column


def summarise(dataset: Dataset) -> dict[str, Any]:
    """Rows, classes and columns of a data set as plain JSON types, with its warnings and its licence."""
    schema = dataset.schema
    found: dict[str, Any] = {
        "rows": len(dataset.y),
        "test_rows": dataset.n_test,
        "task": schema.task,
        "warnings": list(dataset.warnings),
        **dataset.about,
    }
    if schema.classes:
        counts = np.bincount(dataset.y, minlength=schema.n_classes)
        found["classes"] = {name: int(count) for name, count in zip(schema.classes, counts, strict=True)}
    else:
        found["target"] = {"minimum": float(dataset.y.min()), "maximum": float(dataset.y.max())}
    if schema.kind == "image":
        found["pixels"] = {
            "shape": list(schema.shape),
            "levels": schema.levels,
            "minimum": int(dataset.X.min()),
            "maximum": int(dataset.X.max()),
        }
    else:
        pairs = zip(schema.columns, dataset.X.T, strict=True)
        found["columns"] = [_column(column, values) for column, values in pairs]
    return found


def _column(column: Column, values: NDArray[np.float64]) -> dict[str, Any]:
    present = values[~np.isnan(values)]
    found: dict[str, Any] = {"name": column.name, "missing": len(values) - len(present)}
    if column.categories is not None:
        return {**found, "kind": "categorical", "categories": len(column.categories)}
    if not len(present):  # possible where ``limit`` left out every row that had a value
        return {**found, "kind": "numeric"}
    return {**found, "kind": "numeric", "minimum": float(present.min()), "maximum": float(present.max())}
