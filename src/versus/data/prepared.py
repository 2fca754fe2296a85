"""Data set in memory, and the folder that `prepare` writes: each array once, splits as row indices.

``data/prepared/<dataset>/`` holds ``X.npy`` (N, *event), ``y.npy`` (N,), ``schema.json``, ``about.json`` and
``train``, ``validation`` and ``test`` with the row indices of each repeat, ``units.npy`` (N,) where rows were kept
together, ``weights.npy`` (N,) where rows have weights, and ``novel.npy`` (M, *event). Sequences of unequal length, also
these indices, are stored in two files, such as ``train.values.npy`` (total,) and ``train.starts.npy`` (repeats + 1,).
The arrays are memory-mapped. ``contents.txt`` lists the hash of each file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from versus import manifest
from versus.arrays import Events, Ragged
from versus.data.schema import Schema

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
PIECES = ("values", "starts")  # of sequences


@dataclass(frozen=True)
class Dataset:
    """Examples and targets in the form that models accept.

    Args:
        X: (N, D) float64, categorical columns as codes and missing values as NaN; or images (N, H, W[, C]) of integers;
            or Ragged int32 codes of tokens.
        y: (N,) int64 class codes or float64 values; Ragged int64 codes of tags, or nodes of trees (total, 2).
        schema: columns, classes and shapes.
        n_test: size of the official test set, the last rows; 0 if there is none. With ``draws``, of each draw.
        warnings: notes for the user that need no repair.
        about: licence, citation and the like, for about.json.
        groups: (N,) group of each row, which no part shares with another; None without groups.
        times: (N,) time of each row, by which they are split; None without.
        weights: (N,) weight of each row, with a mean of 1 in the file; None where all count alike.
        draws: number of independent draws of equal size that the rows consist of; 0 for one sample of given data.
        is_stream: True where the rows are windows that follow each other, which are split in blocks.
        novel: (M, *event), events of another kind, which no model learns from; None where there are none.
    """

    X: Any
    y: Any
    schema: Schema
    n_test: int = 0
    warnings: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    groups: NDArray[np.int64] | None = None
    times: NDArray[np.float64] | None = None
    weights: NDArray[np.float64] | None = None
    draws: int = 0
    is_stream: bool = False
    novel: Any = None

    def take(self, rows: Any, n_test: int) -> Dataset:
        """Return the data set of some rows, by indices or a mask, of which the last ``n_test`` are the test set."""
        own = {name: getattr(self, name) for name in ("groups", "times", "weights")}
        taken: dict[str, Any] = {name: None if values is None else values[rows] for name, values in own.items()}
        return replace(self, X=self.X[rows], y=self.y[rows], n_test=n_test, **taken)

    def summary(self) -> dict[str, Any]:
        """Summary of rows, target and events as plain JSON types, with warnings and licence."""
        return {
            "rows": len(self.y),
            "test_rows": self.n_test,
            "task": self.schema.y.task,
            "warnings": list(self.warnings),
            **self.about,
            **self.schema.y.summary(self.y),
            **self.schema.x.summary(self.X),
        }


@dataclass(frozen=True)
class Prepared:
    """Prepared data set: memory-mapped arrays and, for each repeat, three disjoint sets of row indices."""

    X: Any  # (N, *event), or Ragged
    y: Any  # (N,) int64 class codes or float64 values, or Ragged int64 tags or nodes
    schema: Schema
    splits: dict[Part, Ragged]  # row indices of each repeat
    about: dict[str, Any]
    units: NDArray[np.int64] | None = None  # (N,) rows of one unit are no independent evidence; None: all rows are
    weights: NDArray[np.float64] | None = None  # (N,) by which rows count in fits and scores; None: all alike
    novel: Any = None  # (M, *event) of another kind, to be told from the rows; None where there are none

    @property
    def repeats(self) -> int:
        """Number of splits."""
        return len(self.splits["train"])

    @cached_property
    def is_drawn(self) -> bool:
        """True where each of several repeats has training and test rows of its own, which were drawn for it."""
        rows = np.concatenate([part.values for part in self.splits.values()])
        return self.repeats > 1 and len(np.unique(rows)) == len(rows)

    def rows(self, repeat: int, *parts: Part) -> NDArray[np.int64]:
        """Row indices of the named parts of one repeat, joined in ascending order."""
        joined: NDArray[np.int64] = np.concatenate([self.splits[p][repeat] for p in parts])
        return np.sort(joined)

    def sizes(self, part: Part) -> list[int]:
        """Number of rows of a part in each repeat."""
        found: list[int] = self.splits[part].lengths.tolist()
        return found

    def take(self, repeat: int, *parts: Part) -> tuple[Any, Any]:
        """Return ``(X, y)`` of the named parts; a view of the file, not a copy, if the rows are contiguous."""
        where = self._where(repeat, *parts)
        return self.X[where], self.y[where]

    def weights_of(self, repeat: int, *parts: Part) -> NDArray[np.float64] | None:
        """Return the weights of the rows that `take` returns, (n,); None where all count alike."""
        return None if self.weights is None else self.weights[self._where(repeat, *parts)]

    def _where(self, repeat: int, *parts: Part) -> Any:
        rows = self.rows(repeat, *parts)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            return slice(int(rows[0]), int(rows[-1]) + 1)
        return rows

    def unknown_tokens(self, repeat: int) -> tuple[int, int]:
        """Count the test tokens that no row learned from has, and all test tokens; of sequences alone."""
        tested, learned = (self.take(repeat, *parts)[0].values for parts in (("test",), ("train", "validation")))
        return int((~np.isin(tested, np.unique(learned))).sum()), len(tested)


def write(folder: Path, prepared: Prepared) -> None:
    """Write a prepared data set; the bytes depend on the values only, so equal data have equal hashes in DVC."""
    folder.mkdir(parents=True, exist_ok=True)
    save_events(folder, "X", prepared.X)
    save_events(folder, "y", prepared.y)
    for part in PARTS:
        save_events(folder, part, prepared.splits[part])
    for name, of_rows in (("units", prepared.units), ("weights", prepared.weights), ("novel", prepared.novel)):
        if of_rows is not None:
            np.save(folder / f"{name}.npy", of_rows, allow_pickle=False)
    for name, content in (("schema", prepared.schema.to_json()), ("about", prepared.about)):
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    manifest.write(folder)


def read(folder: Path) -> Prepared:
    """Open a prepared data set.

    Raises:
        FileNotFoundError: if `prepare` has not written the folder; the message names the command to run.
    """
    if not (folder / "schema.json").is_file():
        raise FileNotFoundError(f"{folder} holds no prepared data; run `dvc repro prepare@{folder.name}` first")
    return Prepared(
        X=load_events(folder, "X", "r"),
        y=load_events(folder, "y", None),
        schema=Schema.from_json(json.loads((folder / "schema.json").read_text(encoding="utf-8"))),
        splits={part: _indices(folder, part) for part in PARTS},
        about=json.loads((folder / "about.json").read_text(encoding="utf-8")),
        units=_of_rows(folder, "units"),
        weights=_of_rows(folder, "weights"),
        novel=_of_rows(folder, "novel"),
    )


def _of_rows(folder: Path, name: str) -> Any:
    """Load an array that not all data sets have; None where there is none."""
    path = folder / f"{name}.npy"
    return np.load(path, allow_pickle=False) if path.is_file() else None


def _indices(folder: Path, part: Part) -> Ragged:
    found = load_events(folder, part, None)
    assert isinstance(found, Ragged)
    return found


def save_events(folder: Path, name: str, events: Events) -> None:
    """Write arrays as ``<name>.npy``, sequences as ``<name>.values.npy`` and ``<name>.starts.npy``."""
    whole = {name: events}
    arrays = {f"{name}.{p}": getattr(events, p) for p in PIECES} if isinstance(events, Ragged) else whole
    for file, array in arrays.items():
        np.save(folder / f"{file}.npy", np.ascontiguousarray(array), allow_pickle=False)


def load_events(folder: Path, name: str, mmap_mode: Literal["r"] | None) -> Events:
    """Load arrays, in full or memory-mapped; sequences are always memory-mapped."""
    if (folder / f"{name}.npy").is_file():
        return np.load(folder / f"{name}.npy", mmap_mode=mmap_mode, allow_pickle=False)  # type: ignore[no-any-return]
    values, starts = (np.load(folder / f"{name}.{part}.npy", mmap_mode="r", allow_pickle=False) for part in PIECES)
    return Ragged(values, starts)
