"""Likelihoods and sample quality: exact values and bounds in columns of their own, a table for each measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.report import metric_labels
from versus.report.cells import Cell
from versus.report.dataset import Dataset
from versus.report.headline import Entry, score_entry
from versus.report.reading import Evaluation

EXACT = ("mean_log_likelihood", "bits_per_dimension", "mean_target_log_likelihood")
BOUND = ("mean_elbo", "bits_per_dimension_bound")
NEITHER = ("mean_pseudo_log_likelihood",)
FIDELITY = ("c2st_accuracy", "tstr_balanced_accuracy", "tstr_ratio")

MEANING = {
    "continuous": "densities of continuous values",
    "discrete": "probabilities of discrete values",
    "mixed": "densities of the numeric columns times probabilities of the categorical ones",
    "binarised": "probabilities of pixels made black or white",
    "multinomial": "probabilities of counts, given their sum",
}


@dataclass(frozen=True)
class ScoreTable:
    """A table of scores: a row for each model, a column for each metric, a title that says what they share."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, tuple[Entry, ...]], ...]


def likelihoods(dataset: Dataset) -> list[ScoreTable]:
    """For each measure a table of exact values and one of bounds, where there are models with them."""
    measures = sorted({str(e.facts.get("measure")) for e in dataset.evaluations if e.facts.get("measure")})
    found = []
    for measure in measures:
        of_measure = [e for e in dataset.evaluations if e.facts.get("measure") == measure]
        for names, what in ((EXACT, "exact"), (BOUND, "lower bounds"), (NEITHER, "neither exact nor bounds")):
            title = f"{what.capitalize()}: {MEANING.get(measure, measure)}"
            found.append(_table(dataset, of_measure, names, title))
    return [table for table in found if table.rows]


def fidelity(dataset: Dataset) -> ScoreTable | None:
    """How real the samples are: the two-sample test, and training on them; None where nothing was drawn."""
    table = _table(dataset, dataset.evaluations, FIDELITY, "Samples against real data")
    return table if table.rows else None


def probabilities(dataset: Dataset) -> ScoreTable | None:
    """Scores of the classifiers' probabilities, which the headline table leaves out."""
    names = ("balanced_accuracy_score", "f1_score", "log_loss", "brier_score", "expected_calibration_error", "roc_auc")
    table = _table(dataset, dataset.evaluations, names, "All scores of the classifiers")
    return table if table.rows else None


def _table(dataset: Dataset, evaluations: Sequence[Evaluation], names: Sequence[str], title: str) -> ScoreTable:
    metrics = [m for name in names for m in _with_suffixes(evaluations, name)]
    models = (
        dataset.ordered([e for e in evaluations if any(m in e.scores for m in metrics)], metrics[0]) if metrics else []
    )
    rows = tuple((e.cell, tuple(score_entry(dataset, e, m) for m in metrics)) for e in models)
    return ScoreTable(title, tuple(metric_labels.label(m) for m in metrics), rows)


def _with_suffixes(evaluations: Sequence[Evaluation], name: str) -> list[str]:
    """The metrics of this name, with or without the suffix of a measure, that have a finite value."""
    present = dict.fromkeys(m for e in evaluations for m in e.scores if np.isfinite(e.mean(m)))
    return [m for m in present if metric_labels.plain(m) == name]
