"""A table that has everything at once: numbers, categories, missing values, and a class without members."""

import numpy as np
import pytest

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes


@pytest.fixture(scope="session")
def awkward():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(5, 3, 240), rng.normal(0, 1e-3, 240), rng.integers(0, 4, 240)])
    y = ((X[:, 0] > 5).astype(np.int64) + 2 * (X[:, 2] == 1)).astype(np.int64)  # classes 0, 1, 2, 3 of 5
    X[rng.random(X.shape) < 0.1] = np.nan
    columns = (Column("a"), Column("b"), Column("c", ("p", "q", "r", "s")))
    return X, y, Schema(Table(columns), Classes(tuple("vwxyz")))


@pytest.fixture(scope="session")
def few_digits():
    from sklearn.datasets import load_digits

    images, y = load_digits(n_class=4, return_X_y=True)
    schema = Schema(Image((8, 8), 17), Classes(tuple("0123")))
    return images.reshape(-1, 8, 8).astype(np.uint8)[:200], y[:200].astype(np.int64), schema
