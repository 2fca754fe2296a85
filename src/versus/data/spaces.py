"""Spaces of examples: a row of a table, an image, a sequence of tokens or of rows; each has its own checks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Array, Events, Ragged


@dataclass(frozen=True)
class Column:
    """Column of a table. ``categories`` is None for a numeric column.

    A categorical column holds codes ``0 … len(categories) - 1`` as floats, and NaN for a missing value.
    """

    name: str
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """Rows of D columns: events (N, D) float64.

    Args:
        columns: the columns.
        reading: keys of params.yaml by which the file was read, such as ``delimiter``, ``missing`` and ``decimal``; new
            rows are read by them. Empty for data that come from no file.
    """

    form: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    reading: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row, ``(D,)``."""
        return (len(self.columns),)

    def check(self, X: Events) -> None:
        """Raise ValueError if events differ in shape from the table's rows."""
        _check_shape(X, self.shape)

    def complete(self, X: Any) -> Array:
        """Mask (N,), True for rows without a missing value."""
        whole: Array = ~np.isnan(X).any(axis=1)
        return whole

    def stored(self, drawn: Any) -> Any:
        """Convert generated rows (N, D) to the stored form: float64."""
        return drawn.astype(np.float64)

    def by_name(self, X: Any) -> Any:
        """Return a copy of X (N, D) with a number for each category that depends on its name alone; for hashes."""
        named = np.array(X)
        for column, numbers in self._name_numbers.items():
            known = ~np.isnan(X[:, column])
            named[known, column] = numbers[X[known, column].astype(np.int64)]
        return named

    @cached_property
    def _name_numbers(self) -> dict[int, Array]:
        found = ((d, c.categories) for d, c in enumerate(self.columns))
        return {d: name_numbers(names).astype(np.float64) for d, names in found if names is not None}

    def describe(self) -> str:
        """Describe the events in words."""
        categorical = sum(c.categories is not None for c in self.columns)
        kinds = f", {categorical} of them categorical" if categorical else ", all numeric"
        return f"table, {len(self.columns)} columns{kinds}"

    def summary(self, X: Any) -> dict[str, Any]:
        """Summary of the values for about.json, the same on every machine: no means."""
        return {"columns": [_summary(column, values) for column, values in zip(self.columns, X.T, strict=True)]}


@dataclass(frozen=True)
class Image:
    """Images (N, H, W) or (N, H, W, channels); a pixel has ``levels`` integer values, None if continuous.

    Args:
        shape: of one image.
        levels: number of values of a pixel.
        reading: keys of params.yaml by which pictures were read, such as ``resize``; new ones are read by them.
    """

    form: ClassVar[str] = "image"
    shape: tuple[int, ...]
    levels: int | None = None
    reading: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def check(self, X: Events) -> None:
        """Raise ValueError if events differ in shape from the images."""
        _check_shape(X, self.shape)

    def complete(self, X: Any) -> Array:
        """Mask (N,), all True: every pixel has a value."""
        return np.ones(len(X), dtype=bool)

    def stored(self, drawn: Any) -> Any:
        """Convert generated images (N, *shape) to the stored form: pixels reduced to the integer levels."""
        if self.levels is None:
            return drawn.astype(np.float64)
        return np.clip(np.floor(drawn), 0, self.levels - 1).astype(np.min_scalar_type(self.levels - 1))

    def by_name(self, X: Any) -> Any:
        """Return X itself: pixels have no names."""
        return X

    def describe(self) -> str:
        """Describe the events in words."""
        levels = f", {self.levels} levels" if self.levels else ""
        return f"images, {' × '.join(map(str, self.shape))} pixels{levels}"

    def summary(self, X: Any) -> dict[str, Any]:
        """Summary of the values for about.json."""
        extremes = {"minimum": int(X.min()), "maximum": int(X.max())}
        return {"pixels": {"shape": list(self.shape), "levels": self.levels, **extremes}}


CHARACTER = r"(?s:.)"  # the token_pattern of texts that are read character by character


@dataclass(frozen=True)
class Tokens:
    """Sequences of unequal length: Ragged int32 codes into ``vocabulary``, which names the tokens of all rows.

    The vocabulary is only a storage table; a model learns the tokens it knows from its training rows.

    Args:
        vocabulary: the tokens, in the order of their codes.
        token_pattern: regular expression of a token in a text; None for data that are already split, by blanks.
        lowercase: True to convert texts to lower case before they are split.
    """

    form: ClassVar[str] = "tokens"
    shape: ClassVar[tuple[int, ...]] = ()
    vocabulary: tuple[str, ...]
    token_pattern: str | None = None
    lowercase: bool = False

    def cut(self, text: str) -> list[str]:
        """Split a text into tokens, from left to right, including tokens outside the vocabulary."""
        text = text.lower() if self.lowercase else text
        return text.split() if self.token_pattern is None else re.findall(self.token_pattern, text)

    def check(self, X: Events) -> None:
        """Raise ValueError unless X is Ragged and holds codes of the vocabulary."""
        if not isinstance(X, Ragged):
            raise ValueError(f"events are {type(X).__name__}; sequences of tokens are Ragged")
        codes, size = X.values, len(self.vocabulary)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise ValueError(f"tokens are {codes.dtype} of shape {codes.shape}; wants integer codes (total,)")
        if codes.size and not 0 <= codes.min() <= codes.max() < size:
            raise ValueError(f"token codes range from {codes.min()} to {codes.max()}; the vocabulary has {size}")

    def complete(self, X: Any) -> Array:
        """Mask (N,), all True: no token is missing."""
        return np.ones(len(X), dtype=bool)

    def stored(self, drawn: Any) -> Any:
        """Convert generated sequences to the stored form: int32 codes."""
        return Ragged(drawn.values.astype(np.int32), drawn.starts)

    def by_name(self, X: Any) -> Any:
        """Return X with a number for each token that depends on its name alone; for hashes."""
        return Ragged(self._name_numbers[X.values], X.starts)

    @cached_property
    def _name_numbers(self) -> Array:
        return name_numbers(self.vocabulary)

    @property
    def of_characters(self) -> bool:
        """True where the tokens are all characters of a text, which are written without blanks between them."""
        return self.token_pattern == CHARACTER

    def text(self, sequence: Array) -> str:
        """Write the tokens of one sequence (n,) as a text."""
        return ("" if self.of_characters else " ").join(self.words(sequence))

    def words(self, sequence: Array) -> list[str]:
        """Names of the tokens of one sequence (n,)."""
        return [self.vocabulary[code] for code in sequence]

    def describe(self) -> str:
        """Describe the events in words."""
        return f"sequences of tokens, {len(self.vocabulary)} different"

    def summary(self, X: Any) -> dict[str, Any]:
        """Summary of the values for about.json."""
        return {"tokens": {**_extremes(X), "different": len(self.vocabulary)}}


@dataclass(frozen=True)
class Series:
    """Sequences of rows of D numbers, one a step: Ragged float64 (total, D).

    Args:
        columns: the columns, all numeric.
        sequence: name of the column of a file that says which sequence a row belongs to.
        reading: keys of params.yaml by which the file was read; new rows are read by them.
    """

    form: ClassVar[str] = "series"
    columns: tuple[Column, ...]
    sequence: str = "sequence"
    reading: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one step, ``(D,)``."""
        return (len(self.columns),)

    def check(self, X: Events) -> None:
        """Raise ValueError unless X is Ragged and holds a row of finite numbers for each step."""
        if not isinstance(X, Ragged) or X.values.shape[1:] != self.shape:
            found = f"Ragged {X.values.shape}" if isinstance(X, Ragged) else type(X).__name__
            raise ValueError(f"events are {found}; sequences of rows of {self.shape[0]} numbers are Ragged")
        if not np.isfinite(X.values).all():
            raise ValueError("sequences of rows hold a value that is missing or infinite; every step wants all numbers")

    def complete(self, X: Any) -> Array:
        """Mask (N,), all True: no number is missing."""
        return np.ones(len(X), dtype=bool)

    def stored(self, drawn: Any) -> Any:
        """Convert generated sequences to the stored form: float64."""
        return Ragged(drawn.values.astype(np.float64), drawn.starts)

    def by_name(self, X: Any) -> Any:
        """Return X itself: numbers have no names."""
        return X

    def describe(self) -> str:
        """Describe the events in words."""
        return f"sequences of rows of {len(self.columns)} numbers"

    def summary(self, X: Any) -> dict[str, Any]:
        """Summary of the values for about.json."""
        columns = [_summary(column, values) for column, values in zip(self.columns, X.values.T, strict=True)]
        return {"steps": _extremes(X), "columns": columns}


Space = Table | Image | Tokens | Series


def to_json(space: Space) -> dict[str, Any]:
    """Convert a space to plain JSON types; ``form`` names its kind."""
    return {"form": space.form, **asdict(space)}


def from_json(found: Mapping[str, Any]) -> Space:
    """Build a space from the output of `to_json`.

    Raises:
        ValueError, KeyError: if the input was not written by `to_json`.
    """
    if found["form"] == Table.form:
        pairs = ((c["name"], c["categories"]) for c in found["columns"])
        columns = tuple(Column(name, None if names is None else tuple(names)) for name, names in pairs)
        return Table(columns, found["reading"])
    if found["form"] == Series.form:
        columns = tuple(Column(c["name"]) for c in found["columns"])
        return Series(columns, found["sequence"], found["reading"])
    if found["form"] == Image.form:
        return Image(tuple(found["shape"]), found["levels"], found["reading"])
    if found["form"] == Tokens.form:
        return Tokens(tuple(found["vocabulary"]), found["token_pattern"], found["lowercase"])
    raise ValueError(f"form {found['form']!r} of the events; table, image, tokens and series are known")


def _check_shape(X: Events, shape: tuple[int, ...]) -> None:
    if isinstance(X, Ragged) or X.shape[1:] != shape:
        found = "Ragged" if isinstance(X, Ragged) else X.shape[1:]
        raise ValueError(f"events have shape {found}; the model was fitted on shape {shape}")


def name_numbers(names: tuple[str, ...]) -> Array:
    """Return a number for each name that depends on the name alone; 48 bits, which a float holds exactly."""
    hashes = (hashlib.blake2b(name.encode(), digest_size=6).digest() for name in names)
    return np.array([int.from_bytes(found) for found in hashes], dtype=np.int64)


def _extremes(X: Ragged) -> dict[str, int]:
    """Sizes of sequences: of all together, of the shortest and of the longest."""
    lengths = X.lengths
    return {"total": int(lengths.sum()), "shortest": int(lengths.min()), "longest": int(lengths.max())}


def _summary(column: Column, values: Array) -> dict[str, Any]:
    present = values[~np.isnan(values)]
    found: dict[str, Any] = {"name": column.name, "missing": len(values) - len(present)}
    if column.categories is not None:
        return {**found, "kind": "categorical", "categories": len(column.categories)}
    if not len(present):  # possible where ``limit`` left out every row that had a value
        return {**found, "kind": "numeric"}
    return {**found, "kind": "numeric", "minimum": float(present.min()), "maximum": float(present.max())}
