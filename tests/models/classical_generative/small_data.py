"""Small data of every kind that the family meets."""

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes


def numeric_table():
    """Three overlapping classes in three correlated columns of very different units."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], [90, 70, 50]))
    shapes = rng.normal(size=(3, 3, 3)) + 1.5 * np.eye(3)
    X = rng.normal(size=(3, 3))[y] * 2 + np.einsum("nij,nj->ni", shapes[y], rng.normal(size=(len(y), 3)))
    return X * [1.0, 1e3, 1e-3] + [5.0, -2e4, 0.1], y


def mixed_table():
    """A numeric and two categorical columns; a fourth class that has no members."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 200)
    X = np.column_stack([rng.normal(y, 1.0), (y + (rng.random(200) < 0.3)) % 3, rng.integers(0, 2, 200)]).astype(float)
    columns = (Column("size"), Column("colour", ("red", "green", "blue")), Column("wet", ("no", "yes")))
    return X, y, Schema(Table(columns), Classes(("a", "b", "c", "none")))


def categorical_table():
    X, y, schema = mixed_table()
    return X[:, 1:], y, Schema(Table(schema.columns[1:]), Classes(schema.classes))


def bits():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 150)
    return (rng.random((150, 4)) < np.where(y == 1, 0.7, 0.2)[:, None]).astype(float), y


def counts():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 150)
    return rng.poisson(np.where(y[:, None] == 1, [4.0, 1.0, 2.0], [1.0, 3.0, 2.0])).astype(float), y


def images():
    """4 × 3 pixels of 17 levels, bright on the left or on the right, with a dark border column."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 120)
    pixels = rng.integers(0, 8, (120, 4, 3)) + 9 * (np.arange(3) == np.where(y == 1, 2, 1)[:, None])[:, None, :]
    pixels[:, :, 0] = 0
    return pixels.astype(np.uint8), y, Schema(Image((4, 3), 17), Classes(("middle", "right")))
