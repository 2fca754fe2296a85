"""Model answers on a grid over the plane, for two-dimensional data: for decision regions and contours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.data.targets import Classes
from versus.evaluation.answers import capabilities, density, in_batches

POINTS = 100  # along each axis
MARGIN = 0.1  # of the data's range, on each side


def is_plane(schema: Schema) -> bool:
    """Check that events are two numbers and the target is a class."""
    return isinstance(schema.x, Table) and schema.cardinalities == (0, 0) and isinstance(schema.y, Classes)


def write_plane(model: Any, data: Prepared, out: Path) -> None:
    """Write the model's answers on a grid over the range of the data.

    ``grid.npy`` (2, G): the axes; ``grid_probabilities.npy`` (G, G, K) float32 for a classifier; ``grid_log_prob.npy``
    (G, G) nats for a density or its bound. The first index of the latter two runs along the second feature.
    """
    axes = _axes(np.asarray(data.X))
    points = np.stack(np.meshgrid(axes[0], axes[1]), axis=-1).reshape(-1, 2)  # (G·G, 2), rows along the second feature
    np.save(out / "grid.npy", axes, allow_pickle=False)
    if hasattr(model, "predict_proba"):
        probabilities = in_batches(model.predict_proba, points).astype(np.float32)
        np.save(out / "grid_probabilities.npy", probabilities.reshape(POINTS, POINTS, -1), allow_pickle=False)
    method = density(capabilities(model))
    if method is not None:
        # far from the data a density may underflow to minus infinity; contours need numbers
        log_prob = np.maximum(in_batches(getattr(model, method), points), -1e30)
        np.save(out / "grid_log_prob.npy", log_prob.reshape(POINTS, POINTS), allow_pickle=False)


def _axes(X: Array) -> Array:
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    return np.linspace(low - margin, high + margin, POINTS).T  # (2, G)
