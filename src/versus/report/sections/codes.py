"""What codes of events are good for: gaps filled, noise taken out, features for a classifier; and pictures of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.spaces import Image
from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table
from versus.report.figures.pixels import data_uri, sheet, to_bytes
from versus.report.section import Content, escaped, table

NAME, TITLE = "codes", "Codes and what is rebuilt from them"
WIDEST = 340  # pixels of a figure of a gallery
CAPTIONS = {
    "rebuilt": "test images, and below each what is rebuilt from its code",
    "denoised": "test images with noise, and below each what is rebuilt from its code",
    "translated": "test images, below each its translation, and below that the true one where it is known",
    "interpolations": "from one test image to another, in a straight line between their codes",
    "traversals": "one entry of a code varies in each row, the one that varies most first",
}


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a table of the scores and the pictures of each model; None where there are neither."""
    scores = score_table(dataset, dataset.evaluations, shown("codes"), f"Codes, {dataset.name}")
    galleries = []
    for evaluation in dataset.evaluations if isinstance(dataset.prepared.schema.x, Image) else ():
        pictures = []
        for name, images in evaluation.pictures.items():
            drawn = picture(images, dataset.prepared.schema.levels)
            width = drawn.shape[1] * max(1, WIDEST // drawn.shape[1])
            pictures.append((data_uri(drawn), width, CAPTIONS.get(name, name)))
        if pictures:
            galleries.append((evaluation.cell, pictures))
    return {"table": scores, "galleries": galleries} if scores.rows or galleries else None


def picture(images: NDArray[Any], levels: int | None) -> NDArray[np.uint8]:
    """Draw images (rows, columns, *event) on one sheet."""
    return sheet(to_bytes(images.reshape(-1, *images.shape[2:]), levels), images.shape[1])


def markdown(content: Content) -> list[str]:
    """Return the table."""
    scores = content["table"]
    header = ["model", "family", *map(escaped, scores.headers)]
    rows = ([escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows)
    return table(header, rows) if scores.rows else []
