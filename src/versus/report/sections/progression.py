"""Images by epoch: what models drew at fixed noise while the fit of the first repeat went on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.spaces import Image
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.pixels import data_uri, sheet, to_bytes

NAME, TITLE = "progression", "Images by epoch"
WIDEST = 640  # pixels of the page


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return of each model its epochs and their images, one row an epoch; None where no model drew on the way."""
    schema = dataset.prepared.schema
    if not isinstance(schema.x, Image):
        return None
    shown = []
    for evaluation in dataset.evaluations:
        if evaluation.progression:
            epochs, picture = rows(evaluation, schema.levels)
            scale = max(1, WIDEST // picture.shape[1])
            size = picture.shape[1] * scale, picture.shape[0] * scale
            shown.append((evaluation.cell, epochs, data_uri(picture), size))
    return {"shown": shown} if shown else None


def rows(evaluation: Evaluation, levels: int | None) -> tuple[list[int], NDArray[np.uint8]]:
    """Epochs, and a sheet with a row of images for each."""
    epochs, images = evaluation.progression["epochs"], evaluation.progression["images"]
    drawn = to_bytes(images.reshape(-1, *images.shape[2:]), levels)
    return epochs.tolist(), sheet(drawn, images.shape[1])
