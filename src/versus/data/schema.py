"""Schema of a data set, known before any of its values are read: a space of examples and a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.arrays import Events, Ragged
from versus.data import spaces, targets
from versus.data.spaces import Column, Image, Series, Space, Table, Tokens
from versus.data.targets import Classes, Nothing, Number, Tags, Target


@dataclass(frozen=True)
class Schema:
    """Form of a data set, determined by ``prepare``; every model may rely on it.

    Args:
        x: space of one example.
        y: prediction target.
    """

    x: Space
    y: Target

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one event; of sequences, that of a step: ``()`` for tokens."""
        return self.x.shape

    @property
    def n_features(self) -> int:
        """Number D of features of one event; for tokens the size of the vocabulary."""
        return len(self.x.vocabulary) if isinstance(self.x, Tokens) else int(np.prod(self.shape))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of a table or of the steps of sequences, D of them; empty for other spaces."""
        return self.x.columns if isinstance(self.x, Table | Series) else ()

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of categories of each of the D features, 0 for a numeric one."""
        if not isinstance(self.x, Table):
            return (0,) * self.n_features
        return tuple(len(c.categories) if c.categories is not None else 0 for c in self.columns)

    @property
    def has_categorical(self) -> bool:
        """True if any column is categorical."""
        return any(c.categories for c in self.columns)

    @property
    def levels(self) -> int | None:
        """Number of integer levels of a pixel; None if pixels are continuous or there are none."""
        return self.x.levels if isinstance(self.x, Image) else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes or tags, in the order of their codes."""
        return self.y.names if isinstance(self.y, Classes | Tags) else ()

    @property
    def n_classes(self) -> int:
        """Number K of classes or tags; 0 for a regression target."""
        return len(self.classes)

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.y.name

    def to_json(self) -> dict[str, Any]:
        """Convert the schema to plain JSON types; `from_json` reads it back."""
        return {"x": spaces.to_json(self.x), "y": targets.to_json(self.y)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Schema:
        """Build a schema from the output of `to_json`."""
        return cls(spaces.from_json(found["x"]), targets.from_json(found["y"]))

    @classmethod
    def of(cls, X: Events, y: Events | None = None) -> Schema:
        """Derive the schema of plain arrays: numeric features, K = largest label + 1, a number target if y is float.

        For use outside the pipeline (notebooks, tests). ``X`` (N, D) is a table, (N, H, W[, C]) images; Ragged codes
        are tokens, Ragged rows (total, D) series, and a Ragged y their tags.
        """
        return cls(_space_of(X), _target_of(y))


def _space_of(X: Events) -> Space:
    if isinstance(X, Ragged) and X.values.ndim == 1:
        return Tokens(_numerals(X.values))
    if isinstance(X, Ragged):
        return Series(_numbered(X.values.shape[1]))
    if X.ndim == 2:
        return Table(_numbered(X.shape[1]))
    return Image(X.shape[1:], int(X.max()) + 1 if np.issubdtype(X.dtype, np.integer) else None)


def _numbered(n_columns: int) -> tuple[Column, ...]:
    return tuple(Column(f"x{d}") for d in range(n_columns))


def _target_of(y: Events | None) -> Target:
    if y is None:
        return Nothing()
    if isinstance(y, Ragged):
        return Tags(_numerals(y.values))
    return Number() if np.issubdtype(y.dtype, np.floating) else Classes(_numerals(y))


def _numerals(codes: Any) -> tuple[str, ...]:
    return tuple(str(k) for k in range(int(codes.max()) + 1))
