"""Confusion matrix, reliability diagram, ROC and precision-recall curves of the best classifier of each family."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.figures.classification import confusion_matrix, curves, reliability_diagram
from versus.settings import FAMILIES

NAME, TITLE = "confusion", "Confusion, reliability, ROC and precision-recall"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the pictures; None where no model predicts classes."""
    best = [e for family in FAMILIES if (e := dataset.best(family)) is not None]
    classes = dataset.prepared.schema.classes
    confusions = [drawn for e in best if (drawn := confusion_matrix(e, classes)) is not None]
    if not confusions:
        return None
    return {
        "cells": [e.cell for e in best],
        "confusions": confusions,
        "reliability": reliability_diagram(best),
        "curves": curves(best),
        "binary": len(classes) == 2,
        "positive": classes[-1],
    }
