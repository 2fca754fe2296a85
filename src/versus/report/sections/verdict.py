"""First section: one sentence on all data sets, a line for each, and the conclusions in plain words below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.both import both
from versus.report.contrasts import Contrast
from versus.report.dataset_results import DatasetResults
from versus.report.entries import Entry, cost_entry, score_entry
from versus.report.evaluation import Evaluation
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.report.verdicts import Verdict
from versus.settings import FAMILIES, Cell

NAME, TITLE = "verdict", "Verdict"
DECIDED = {
    "discriminative ahead": "the discriminative side is ahead on",
    "generative ahead": "the generative side is ahead on",
    "practically equal": "both are practically equal on",
}
# What a model can do besides its main answer: method -> words.
COSTS = costs.HEADLINE[:2]  # seconds of a fit, milliseconds of an answer
USES = {"sample": "samples", "log_prob": "density", "elbo": "bound", "impute": "gaps filled"}


@dataclass(frozen=True)
class Line:
    """Line of the table for one data set: the model to use, and why.

    ``next_best`` is the best of all other models, with its difference. ``scores`` are those of the best discriminative
    and the best generative model, (cell, entry); ``both`` are the score of the two together, its gain over the better
    one, and the interval of the gain.
    """

    verdict: Verdict
    use: Cell | None
    next_best: str
    can: str
    metric: str
    scores: tuple[tuple[Cell, Entry], ...]
    difference: str
    both: tuple[str, str, str]
    costs: tuple[Entry, ...]


def content(results: Results) -> dict[str, Any]:
    """Return the sentences, the lines, and the number of cells without an evaluation."""
    found = results.verdicts
    lines = [_line(dataset, verdict) for dataset, verdict in zip(results.datasets, found, strict=True)]
    return {
        "sentence": counted(found),
        "overall": results.overall.sentence if results.overall else "",
        "tuning": results.tuning,
        "lines": lines,
        "cost_headers": [cost.label for cost in COSTS],
        "verdicts": found,
        "n_absent": len(results.missing) + len(results.failed),
        "n_cells": len(results.cells),
    }


def counted(verdicts: Sequence[Verdict]) -> str:
    """Count the outcomes in one sentence, with the names of the data sets."""
    compared = [verdict for verdict in verdicts if verdict.contrast is not None]
    if not compared:
        return "No data set has models of both sides."
    parts = []
    for outcome, words in DECIDED.items():
        if named := [verdict.dataset for verdict in compared if verdict.outcome == outcome]:
            parts.append(f"{words} {len(named)} ({', '.join(named)})")
    left = [verdict for verdict in compared if verdict.outcome not in DECIDED]
    if left:
        said = ", ".join(f"{verdict.dataset}: {verdict.words}" for verdict in left)
        parts.append(f"{len(left)} {'is' if len(left) == 1 else 'are'} not decided ({said})")
    return f"Of {len(compared)} data set{'s' if len(compared) != 1 else ''}, {'; '.join(parts)}."


def _line(dataset: DatasetResults, verdict: Verdict) -> Line:
    contrast = verdict.contrast
    label = metric_table.label(dataset.primary)
    if contrast is None:
        return Line(verdict, None, "", "", label, (), "", (formatting.NONE, "", ""), ())
    pair = (contrast.discriminative, contrast.generative)
    scores = tuple((e.cell, score_entry(dataset, e, dataset.primary)) for e in pair)
    used = tuple(cost_entry(contrast.use, cost) for cost in COSTS)
    about = (_next_best(dataset, contrast.use), _can(contrast.use), label)
    return Line(verdict, contrast.use.cell, *about, scores, difference(contrast), _both(contrast), used)


def _next_best(dataset: DatasetResults, use: Evaluation) -> str:
    """Name the best model but for one, with its difference from it; empty where there is none."""
    others = [e for e in dataset.candidates(dataset.primary, *FAMILIES) if e is not use]
    if not others:
        return ""
    second = dataset.ordered(others, dataset.primary)[0]
    gap = second.mean(dataset.primary) - use.mean(dataset.primary)
    share = metric_table.is_share(dataset.primary)
    return f"{second.cell.model} {f'{formatting.points(gap)} points' if share else formatting.signed(gap)}"


def _can(evaluation: Evaluation) -> str:
    return ", ".join(words for method, words in USES.items() if method in evaluation.capabilities)


def _both(contrast: Contrast) -> tuple[str, str, str]:
    found = both(contrast)
    if found is None:
        return formatting.NONE, "", ""
    write = formatting.points if metric_table.is_share(contrast.dataset.primary) else formatting.signed
    span = f"{write(found.low)} to {write(found.high)}" if found.low == found.low else formatting.NONE
    return formatting.score(found.evaluation.mean(contrast.dataset.primary)), write(found.gain), span


def difference(contrast: Contrast) -> str:
    """Format the difference with its interval, ``+2.2 (+1.3 to +3.1)``, in points where the score is a share."""
    write = formatting.points if metric_table.is_share(contrast.dataset.primary) else formatting.signed
    if contrast.low != contrast.low:
        return write(contrast.mean)
    return f"{write(contrast.mean)} ({write(contrast.low)} to {write(contrast.high)})"


def markdown(content: Content) -> list[str]:
    """Return the sentences, the table and a line for each data set, without costs, which differ from run to run."""
    header = ["data set", "use", "outcome", "score", "discriminative", "generative", "difference", "both together"]
    rows = [
        [
            escaped(line.verdict.dataset),
            escaped(line.use.model) if line.use else formatting.NONE,
            line.verdict.words,
            line.metric,
            *(f"{escaped(cell.model)} {entry.plain}" for cell, entry in line.scores or ()),
            *([formatting.NONE] * 2 if not line.scores else []),
            line.difference or formatting.NONE,
            f"{line.both[0]}{f'; gain {line.both[1]} ({line.both[2]})' if line.both[1] else ''}",
        ]
        for line in content["lines"]
    ]
    said = [f"- **{escaped(v.dataset)}**, {v.words}. {escaped(v.scores)}" for v in content["verdicts"]]
    lead = f"{content['sentence']} {content['overall']}".rstrip()
    return [escaped(lead), "", escaped(content["tuning"]), "", *table(header, rows), *said]
