"""Real and generated samples side by side: pictures for images, rows for tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table
from versus.report.figures.pixels import data_uri, stack, to_bytes
from versus.settings import Cell

NAME, TITLE = "samples", "Real and generated"
FIDELITY = ("c2st_accuracy", "tstr_balanced_accuracy", "tstr_ratio")
MOST_CLASSES, IMAGES_A_CLASS = 10, 3
MOST_COLUMNS, ROWS_A_SOURCE = 8, 3


@dataclass(frozen=True)
class Pictures:
    """One row of a table of samples: where they come from, and for each class a picture and what it shows."""

    source: str
    cell: Cell | None
    images: tuple[tuple[str | None, str], ...]  # (data address, alternative text)
    width: int
    height: int


@dataclass(frozen=True)
class SampleRow:
    """One sampled row of a table, as text."""

    source: str
    cell: Cell | None
    values: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Samples:
    """The samples of one data set: ``pictures`` for images, ``rows`` under ``columns`` for tables."""

    classes: tuple[str, ...] = ()
    pictures: tuple[Pictures, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[SampleRow, ...] = ()
    note: str = ""


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """The samples beside real ones, and scores that say how real they are; None where there are neither."""
    drawn = samples(dataset)
    fidelity = score_table(dataset, dataset.evaluations, FIDELITY, f"Samples against real data, {dataset.name}")
    if drawn is None and not fidelity.rows:
        return None
    return {"dataset": dataset.name, "samples": drawn, "fidelity": fidelity}


def samples(dataset: DatasetResults) -> Samples | None:
    """Test rows of the first repeat and what each generator drew; None where nothing was drawn."""
    drawn = [e for e in dataset.evaluations if e.samples is not None]
    if not drawn:
        return None
    rows = dataset.test_rows[0]
    labels = dataset.prepared.y[rows]
    sources: list[tuple[str, Cell | None, NDArray[Any], NDArray[Any] | None]] = [
        ("real", None, dataset.prepared.X, labels),
        *((e.cell.model, e.cell, e.samples, e.sample_labels) for e in drawn if e.samples is not None),
    ]
    if isinstance(dataset.prepared.schema.x, Image):
        return _pictures(dataset.prepared.schema, sources, rows)
    return _table(dataset.prepared.schema, sources, rows)


Sources = Sequence[tuple[str, Cell | None, NDArray[Any], NDArray[Any] | None]]


def _pictures(schema: Schema, sources: Sources, rows: NDArray[np.int64]) -> Samples:
    shown = schema.classes[:MOST_CLASSES]
    scale = max(1, 40 // schema.shape[1])
    found = []
    for source, cell, events, labels in sources:
        images = []
        for k, name in enumerate(shown):
            places = _of_class(labels, k)
            chosen = events[rows[places]] if cell is None else events[places[places < len(events)]]
            address = data_uri(stack(to_bytes(chosen, schema.levels))) if len(chosen) else None
            of_class = f"of class {name}" if _has_classes(labels) else "without a class"
            images.append((address, f"{len(chosen)} {source} samples {of_class}"))
        height = IMAGES_A_CLASS * (schema.shape[0] + 1) - 1
        label = source if _has_classes(labels) else f"{source} (draws no classes)"
        found.append(Pictures(label, cell, tuple(images), schema.shape[1] * scale, height * scale))
    more = schema.n_classes - len(shown)
    return Samples(classes=shown, pictures=tuple(found), note=f"{more} more classes are not shown." if more > 0 else "")


def _has_classes(labels: NDArray[Any] | None) -> bool:
    """Whether samples come with classes: a generator that knows none labels them -1."""
    return labels is not None and bool((labels >= 0).any())


def _of_class(labels: NDArray[Any] | None, k: int) -> NDArray[np.int64]:
    """Where the first samples of a class are; of a generator without classes, any samples, others for each column."""
    if labels is None or not _has_classes(labels):
        return np.arange(k * IMAGES_A_CLASS, (k + 1) * IMAGES_A_CLASS)
    return np.flatnonzero(labels == k)[:IMAGES_A_CLASS]


def _table(schema: Schema, sources: Sources, rows: NDArray[np.int64]) -> Samples:
    columns = schema.columns[:MOST_COLUMNS]
    found = []
    for source, cell, events, labels in sources:
        n = min(ROWS_A_SOURCE, len(rows if cell is None else events))
        # Spread over the rows, so that sorted labels do not show one class only.
        places = np.linspace(0, len(rows if cell is None else events) - 1, n).astype(np.int64)
        chosen = events[rows[places]] if cell is None else events[places]
        for i, event in enumerate(np.asarray(chosen, dtype=np.float64)):
            values = tuple(_value(event[d], column.categories) for d, column in enumerate(columns))
            label = _label(schema, labels[places[i]]) if labels is not None and places[i] < len(labels) else ""
            found.append(SampleRow(source, cell, values, label))
    more = len(schema.columns) - len(columns)
    note = f"{more} more columns are not shown." if more > 0 else ""
    return Samples(columns=tuple(c.name for c in columns), rows=tuple(found), note=note)


def _value(value: float, categories: tuple[str, ...] | None) -> str:
    if not np.isfinite(value):
        return formatting.NONE
    if categories is not None:
        return categories[int(value)] if 0 <= value < len(categories) else formatting.NONE
    return formatting.compact(value)


def _label(schema: Schema, label: Any) -> str:
    if not schema.classes:
        return formatting.compact(float(label))
    return schema.classes[int(label)] if 0 <= int(label) < schema.n_classes else ""
