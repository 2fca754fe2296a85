"""Real and generated samples side by side: pictures for images, text for other events; with fidelity scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table
from versus.report.figures import samples as drawn
from versus.report.figures.pixels import data_uri, sheet, to_bytes
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "samples", "Real and generated"
MOST_CLASSES, IMAGES_A_CLASS = 10, 3
MOST_COLUMNS, ROWS_A_SOURCE, MOST_CHARACTERS = 8, 3, 240


@dataclass(frozen=True)
class Source:
    """Source of samples: test rows of the first repeat (without a cell), or a generator."""

    name: str
    cell: Cell | None
    events: Any
    labels: Any

    @property
    def has_classes(self) -> bool:
        """True where the samples have classes: a generator without classes labels them -1."""
        return isinstance(self.labels, np.ndarray) and bool((self.labels >= 0).any())

    def of_class(self, k: int) -> Any:
        """Return the first samples of a class; different samples for each class where the generator has no classes."""
        if not self.has_classes:
            return self.events[k * IMAGES_A_CLASS : (k + 1) * IMAGES_A_CLASS]
        return self.events[np.flatnonzero(self.labels == k)[:IMAGES_A_CLASS]]


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return generated samples beside real ones, and fidelity scores; None where there are neither."""
    having = [e for e in dataset.evaluations if e.samples is not None]
    generators = [Source(e.cell.model, e.cell, e.samples, e.sample_labels) for e in having]
    fidelity = score_table(
        dataset, dataset.evaluations, metric_table.shown("samples"), f"Samples against real data, {dataset.name}"
    )
    if not generators and not fidelity.rows:
        return None
    images = score_table(dataset, dataset.evaluations, metric_table.shown("images"), f"Drawn images, {dataset.name}")
    schema = dataset.prepared.schema
    shown: dict[str, Any] = {"pictures": [], "rows": []}
    if generators:
        sources = [Source("real", None, *dataset.prepared.take(0, "test")), *generators]
        shown |= _pictures(schema, sources) if isinstance(schema.x, Image) else _rows(schema, sources)
    extractor = next((e.facts["extractor"] for e in dataset.evaluations if "extractor" in e.facts), None)
    return {"dataset": dataset.name, "fidelity": fidelity, "images": images, "extractor": extractor, **shown}


def markdown(content: Content) -> list[str]:
    """Return the table of drawn images, with the extractor that its scores depend on; none for other events."""
    scores, extractor = content["images"], content["extractor"]
    if not scores.rows or extractor is None:
        return []
    rows = [[escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows]
    floor = [["real images", "", *(e.plain for e in scores.floor)]] if scores.floor else []
    accuracy = extractor.get("accuracy")  # none of a network that was not fitted here
    fitted = "" if accuracy is None else f", accuracy {formatting.score(accuracy)} on validation images"
    told = (
        f"{extractor['images']} images, in the features of {extractor['name']} "
        f"(SHA-256 {extractor['sha256'][:16]}…{fitted})."
    )
    return [*table(["model", "family", *scores.headers], [*rows, *floor]), told, ""]


def _pictures(schema: Schema, sources: Sequence[Source]) -> dict[str, Any]:
    """Draw the images of each source and class as (data address, alternative text)."""
    shown = schema.classes[:MOST_CLASSES]
    found = []
    for source in sources:
        images = []
        for k, name in enumerate(shown):
            chosen = source.of_class(k)
            address = data_uri(sheet(to_bytes(chosen, schema.levels))) if len(chosen) else None
            of_class = f"of class {name}" if source.has_classes else "without a class"
            images.append((address, f"{len(chosen)} {source.name} samples {of_class}"))
        found.append((source.name if source.has_classes else f"{source.name} (draws no classes)", source.cell, images))
    width = schema.shape[1] * max(1, 40 // schema.shape[1])
    return {"classes": shown, "pictures": found, "width": width, "more": schema.n_classes - len(shown)}


def _rows(schema: Schema, sources: Sequence[Source]) -> dict[str, Any]:
    """Pick a few samples of each source, as (source, values, label)."""
    names = drawn.columns(schema)
    found = []
    for source in sources:
        # Spread over the rows, so that sorted labels show more than one class.
        places = np.linspace(0, len(source.events) - 1, min(ROWS_A_SOURCE, len(source.events))).astype(np.int64)
        for i in places:
            values = drawn.values(source.events[i], schema)[:MOST_COLUMNS]
            label = drawn.label(source.labels[i], schema) if source.labels is not None else ""
            found.append((source.name, [formatting.shorten(v, MOST_CHARACTERS) for v in values], label))
    return {"columns": names[:MOST_COLUMNS], "rows": found, "more": max(len(names) - MOST_COLUMNS, 0)}
