"""Likelihoods: exact values and bounds in separate tables, one for each measure."""

from __future__ import annotations

from typing import Any

from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import ScoreTable, score_table

NAME, TITLE = "likelihoods", "Likelihoods"

MEANING = {
    "continuous": "densities of continuous values",
    "discrete": "probabilities of discrete values",
    "mixed": "densities of the numeric columns times probabilities of the categorical ones",
    "binarised": "probabilities of pixels made black or white",
    "multinomial": "probabilities of counts, given their sum",
}


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the tables; None where there are none."""
    tables = likelihoods(dataset)
    return {"tables": tables} if tables else None


def likelihoods(dataset: DatasetResults) -> list[ScoreTable]:
    """Return for each measure a table of exact values and one of bounds, where models have them."""
    measures = sorted({str(e.facts.get("measure")) for e in dataset.evaluations if e.facts.get("measure")})
    found = []
    for measure in measures:
        of_measure = [e for e in dataset.evaluations if e.facts.get("measure") == measure]
        for place, what in (("density", "Exact"), ("bound", "Lower bounds")):
            title = f"{what}: {MEANING.get(measure, measure)}, {dataset.name}"
            found.append(score_table(dataset, of_measure, shown(place), title))
    return [table for table in found if table.rows]
