"""Tuning: default and chosen arguments on validation rows, the budget used, and choices at the edge of their range."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.report import formatting
from versus.report.evaluation import Evaluation, TriedArguments
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "tuning", "Tuning"
NOTE = (
    "Losses of validation rows, means over repeats: −log p of the true class or tag in nats, squared errors, or "
    "−log p(x) of densities that predict nothing. The chosen arguments have the least loss of all trials in their "
    "repeat, so that their loss flatters them; scores of test rows are in the other tables. A choice at the edge of "
    "its range may mean that a better one lies beyond."
)


@dataclass(frozen=True)
class Tuned:
    """One tuned cell, in the words and numbers of the table.

    Args:
        cell: the cell.
        default, chosen: mean validation loss of the arguments of params.yaml, and of those chosen.
        trials: of one repeat, the default included; the fewest and the most where repeats differ.
        failed: number of trials that failed, of all repeats.
        seconds: of all trials of all repeats; None where that was not kept.
        arguments: what was chosen, over the repeats.
        edges: arguments at an end of their range, and in how many repeats.
    """

    cell: Cell
    default: float
    chosen: float
    trials: str
    failed: int
    seconds: float | None
    arguments: str
    edges: str


def content(results: Results) -> dict[str, Any] | None:
    """Return a row for each tuned cell, and the names of the others; None where nothing was tuned."""
    evaluations = [e for dataset in results.datasets for e in dataset.evaluations]
    rows = [_tuned(e) for e in evaluations if e.trials]
    untuned = [e.cell.name for e in evaluations if not e.trials and not e.cell.is_baseline]
    return {"rows": rows, "untuned": untuned, "note": NOTE} if rows else None


def _tuned(evaluation: Evaluation) -> Tuned:
    by_repeat = list(evaluation.trials.values())
    chosen = [next(trial for trial in trials if trial.chosen) for trials in by_repeat]
    counts = sorted({len(trials) for trials in by_repeat})
    seconds = [fit.get("tuning_seconds") for fit in evaluation.training.get("repeats", ())]
    edges = Counter(f"{name} at its {edge} edge" for trial in chosen for name, edge in trial.edges.items())
    return Tuned(
        evaluation.cell,
        float(np.mean([trials[0].loss for trials in by_repeat])),
        float(np.mean([trial.loss for trial in chosen])),
        " to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))),
        sum(bool(trial.failed) for trials in by_repeat for trial in trials),
        None if None in seconds or not seconds else float(sum(s for s in seconds if s is not None)),
        _in_words(chosen),
        ", ".join(f"{edge} in {n} of {len(chosen)}" for edge, n in sorted(edges.items())),
    )


def _in_words(chosen: list[TriedArguments]) -> str:
    """Describe the choices of all repeats: the median of numbers and their range, the most frequent of other values."""
    defaults = sum(not trial.arguments for trial in chosen)
    told = [f"default in {defaults} of {len(chosen)}"] if defaults else []
    for name in sorted({name for trial in chosen for name in trial.arguments}):
        values = [trial.arguments[name] for trial in chosen if name in trial.arguments]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            low, middle, high = (formatting.compact(float(q)) for q in np.quantile(values, (0, 0.5, 1), method="lower"))
            told.append(f"{name} {middle}" + (f" ({low} to {high})" if low != high else ""))
        else:
            (value, n), *_ = Counter(map(str, values)).most_common(1)
            told.append(f"{name} {value}" + (f" ({n} of {len(values)})" if n < len(values) else ""))
    return "; ".join(told)


def markdown(content: Content) -> list[str]:
    """Return the table without the seconds, which differ from run to run."""
    header = ["data set", "model", "trials", "default loss", "chosen loss", "chosen arguments", "at an edge"]
    rows = (
        [
            escaped(r.cell.dataset),
            escaped(r.cell.model),
            r.trials + (f", {r.failed} failed" if r.failed else ""),
            formatting.score(r.default),
            formatting.score(r.chosen),
            escaped(r.arguments),
            escaped(r.edges or formatting.NONE),
        ]
        for r in content["rows"]
    )
    untuned = [f"Not tuned: {escaped(', '.join(content['untuned']))}.", ""] if content["untuned"] else []
    return [content["note"], "", *table(header, rows), *untuned]
