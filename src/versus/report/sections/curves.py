"""Learning curves of what trains by steps."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.figures.learning_curves import learning_curves

NAME, TITLE = "curves", "Learning curves"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """A picture for each such cell."""
    drawn = [(e.cell, figure) for e in dataset.evaluations if (figure := learning_curves(e)) is not None]
    return {"curves": drawn} if drawn else None
