"""Samples by epoch: what models drew at fixed noise while the fit of the first repeat went on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.spaces import Image, Tokens
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.pixels import data_uri, sheet, to_bytes
from versus.settings import Cell

NAME, TITLE = "progression", "Samples by epoch"
WIDEST = 640  # pixels of the page


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return of each model its epochs and what it drew after each; None where no model drew on the way.

    Images stand in a row for each epoch, as (cell, epochs, address, size); texts as (cell, their lines).
    """
    x = dataset.prepared.schema.x
    drawn = [e for e in dataset.evaluations if e.progression]
    images = [_picture(e, x.levels) for e in drawn] if isinstance(x, Image) else []
    texts = [(e.cell, lines(e, x)) for e in drawn] if isinstance(x, Tokens) else []
    return {"shown": images, "texts": texts} if images or texts else None


def lines(evaluation: Evaluation, space: Tokens) -> list[tuple[int, str]]:
    """Epochs with each of the texts that were drawn after it."""
    found = evaluation.progression
    return [
        (epoch, space.text(text))
        for epoch, of in zip(found["epochs"].tolist(), found["texts"], strict=True)
        for text in of
    ]


def _picture(evaluation: Evaluation, levels: int | None) -> tuple[Cell, list[int], str, tuple[int, int]]:
    epochs, picture = rows(evaluation, levels)
    scale = max(1, WIDEST // picture.shape[1])
    return evaluation.cell, epochs, data_uri(picture), (picture.shape[1] * scale, picture.shape[0] * scale)


def rows(evaluation: Evaluation, levels: int | None) -> tuple[list[int], NDArray[np.uint8]]:
    """Epochs, and a sheet with a row of images for each."""
    epochs, images = evaluation.progression["epochs"], evaluation.progression["images"]
    drawn = to_bytes(images.reshape(-1, *images.shape[2:]), levels)
    return epochs.tolist(), sheet(drawn, images.shape[1])
