"""Likelihoods: exact values and bounds in one table, a column for each measure, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from versus.metrics import table as metric_table
from versus.metrics.table import shown
from versus.report import formatting
from versus.report.dataset_results import DatasetResults, FromBest, simultaneous
from versus.report.entries import Entry, ScoreTable, difference_text, score_entry
from versus.report.evaluation import Evaluation
from versus.report.section import Content, escaped, table

NAME, TITLE = "likelihoods", "Likelihoods"

MEANING = {
    "continuous": "densities of continuous values",
    "discrete": "probabilities of discrete values",
    "mixed": "densities of the numeric columns times probabilities of the categorical ones",
    "binarised": "probabilities of pixels made black or white, or of the words that a document has",
    "dynamically_binarised": "probabilities of pixels drawn black or white by how bright they are",
    "multinomial": "probabilities of counts, given their sum",
    "sequence": "probabilities of tokens in their order, given how many there are",
}


# The exact score, its bound, and their unit.
UNITS = ("log-likelihood, nats", "bits per dimension", "log-likelihood by annealed importance sampling, nats")
COLUMNS = (
    *zip(shown("density"), shown("bound"), UNITS, strict=True),
    ("", "mean_importance_bound", "log-likelihood by 50 codes, nats"),
    ("mean_ode_log_likelihood", "", "log-likelihood estimated by the probability flow, nats"),
    ("mean_pseudo_log_likelihood", "", "pseudo-log-likelihood, nats"),
)


@dataclass(frozen=True)
class Likelihood:
    """A model's mean likelihood of the test rows, exact or a bound, and the name of that score."""

    evaluation: Evaluation
    metric: str
    is_bound: bool

    @property
    def relation(self) -> str:
        """Sign before a bound: the likelihood is at least, its bits are at most, the value shown."""
        return ("≤" if metric_table.lower_is_better(self.metric) else "≥") if self.is_bound else ""


@dataclass(frozen=True)
class Column:
    """Likelihoods of one measure in one unit, the best first."""

    header: str
    values: tuple[Likelihood, ...]


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the table, and what it decides in words; None where no model has a likelihood."""
    found = columns(dataset)
    if not found:
        return None
    models = list(dict.fromkeys(likelihood.evaluation.cell.name for column in found for likelihood in column.values))
    entries = [{v.evaluation.cell.name: _entry(dataset, column, v) for v in column.values} for column in found]
    cells = {e.cell.name: e.cell for e in dataset.evaluations}
    rows = tuple((cells[m], tuple(of.get(m, Entry(formatting.NONE)) for of in entries)) for m in models)
    decided = [sentence for column in found if (sentence := decision(dataset, column))]
    table = ScoreTable(f"Likelihoods of test rows, {dataset.name}", tuple(c.header for c in found), rows)
    below = [sentence for column in found for sentence in below_special_cases(dataset, column)]
    return {"table": table, "decided": decided, "below": below}


def columns(dataset: DatasetResults) -> list[Column]:
    """Return a column for each measure and unit that models have, exact values and bounds together."""
    measures = sorted({str(e.facts["measure"]) for e in dataset.evaluations if e.facts.get("measure")})
    found = []
    for measure in measures:
        for exact, bound, unit in COLUMNS:
            values = [
                Likelihood(e, metric, metric_table.known(metric).name == bound)
                for e in dataset.evaluations
                if e.facts.get("measure") == measure
                for metric in e.scores
                if metric_table.known(metric).name in (exact, bound) and np.isfinite(e.mean(metric))
            ]
            values.sort(key=lambda v: metric_table.known(v.metric).distance_from_best(v.evaluation.mean(v.metric)))
            if values:
                found.append(Column(f"{unit}: {MEANING.get(measure, measure)}", tuple(values)))
    return found


def decision(dataset: DatasetResults, column: Column) -> str:
    """Name the models that the first one is shown to be better than: a bound beyond an exact value decides, too."""
    top, *others = column.values
    apart = [(v, from_first(dataset, column, v)) for v in others if not v.is_bound]
    worse = [v.evaluation.cell.model for v, difference in apart if difference.high < 0]
    estimated = metric_table.known(top.metric).use not in ("density", "bound")
    if metric_table.lower_is_better(top.metric) or estimated or not worse:
        return ""
    if not top.is_bound:
        return f"The likelihood of {top.evaluation.cell.model} is higher than that of {', '.join(worse)}."
    model = top.evaluation.cell.model
    return f"Even the lower bound of {model} is above the likelihood of {', '.join(worse)}: {model} has the higher one."


def below_special_cases(dataset: DatasetResults, column: Column) -> Iterator[str]:
    """Yield a warning for each model whose exact likelihood is clearly below that of a model which it generalises."""
    exact = [v for v in column.values if not v.is_bound and not metric_table.lower_is_better(v.metric)]
    for general, special in product(exact, exact):
        one, other = general.evaluation, special.evaluation
        apart = dataset.difference(one, other, general.metric) if _generalises(one, other) else None
        if apart is not None and apart.interval(dataset.comparison.confidence)[1] < 0:
            nats, interval = formatting.score(-apart.mean), apart.interval(dataset.comparison.confidence)
            span = formatting.span(-interval[1], -interval[0])
            yield (
                f"The likelihood of {one.cell.model} is below that of {other.cell.model}, which is a special case of "
                f"it, by {nats} nats ({span}): it overfits, or its regularisation or its start does not suit the data."
            )


def _generalises(general: Evaluation, special: Evaluation) -> bool:
    return any(
        special.facts.get("class") == name and all(special.cell.args.get(a) == value for a, value in args.items())
        for name, args in general.facts.get("special_cases", ())
    )


def from_first(dataset: DatasetResults, column: Column, one: Likelihood) -> FromBest:
    """Return the difference from the first value of a column, with an interval that holds for all pairs at once."""
    top = column.values[0]
    apart = dataset.difference(one.evaluation, top.evaluation, one.metric, top.metric)
    confidence = simultaneous(dataset.comparison.confidence, len(column.values))
    low, high = apart.interval(confidence) if apart else (float("nan"), float("nan"))
    return FromBest(one.evaluation.mean(one.metric) - top.evaluation.mean(top.metric), low, high)


def _entry(dataset: DatasetResults, column: Column, one: Likelihood) -> Entry:
    """Return the entry of a likelihood, a bound after its sign, with the difference from the best of its column."""
    top = column.values[0]
    entry = score_entry(dataset, one.evaluation, one.metric)
    # That a bound is below another bound says nothing about the likelihoods.
    unknown = one is top or (one.is_bound and top.is_bound)
    relation = one.relation or {"≥": "≤", "≤": "≥", "": ""}[top.relation]
    apart = "" if unknown else f"{relation} {difference_text(from_first(dataset, column, one))}".strip()
    return replace(entry, text=f"{one.relation} {entry.text}".strip(), apart=apart, is_best=one is top)


def markdown(content: Content) -> list[str]:
    """Return the table, and what it decides."""
    scores = content["table"]
    rows = ([escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows)
    warnings = [f"- **warning**: {escaped(sentence)}" for sentence in content["below"]]
    return [*table(["model", "family", *scores.headers], rows), *map(escaped, content["decided"]), "", *warnings, ""]
