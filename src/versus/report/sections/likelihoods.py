"""Likelihoods: exact values and bounds in tables of their own, one for each measure."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.entries import ScoreTable, score_table

NAME, TITLE = "likelihoods", "Likelihoods"
EXACT = ("mean_log_likelihood", "bits_per_dimension", "mean_target_log_likelihood")
BOUND = ("mean_elbo", "bits_per_dimension_bound")
NEITHER = ("mean_pseudo_log_likelihood",)

MEANING = {
    "continuous": "densities of continuous values",
    "discrete": "probabilities of discrete values",
    "mixed": "densities of the numeric columns times probabilities of the categorical ones",
    "binarised": "probabilities of pixels made black or white",
    "multinomial": "probabilities of counts, given their sum",
}


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """The tables of what there is."""
    tables = likelihoods(dataset)
    return {"tables": tables} if tables else None


def likelihoods(dataset: DatasetResults) -> list[ScoreTable]:
    """For each measure a table of exact values and one of bounds, where there are models with them."""
    measures = sorted({str(e.facts.get("measure")) for e in dataset.evaluations if e.facts.get("measure")})
    found = []
    for measure in measures:
        of_measure = [e for e in dataset.evaluations if e.facts.get("measure") == measure]
        for names, what in ((EXACT, "exact"), (BOUND, "lower bounds"), (NEITHER, "neither exact nor bounds")):
            title = f"{what.capitalize()}: {MEANING.get(measure, measure)}, {dataset.name}"
            found.append(score_table(dataset, of_measure, names, title))
    return [table for table in found if table.rows]
