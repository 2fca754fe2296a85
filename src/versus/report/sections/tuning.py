"""Tuning: scores with default and with chosen arguments, the budget used, and choices at the edge of their range."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation, TriedArguments
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "tuning", "Tuning"
NOTE = (
    "Scores are of test rows, which no choice has seen: of the same model with the arguments of params.yaml, and with "
    "those chosen in each repeat; the gain is turned so that more is better, with an interval paired over the rows. "
    "Losses are of validation rows, means over repeats: −log p of the true class or tag in nats, squared errors, or "
    "−log p(x) of densities that predict nothing. The chosen arguments have the least loss of all trials in their "
    "repeat, so that their loss flatters them. Beyond a choice at the edge of its range may lie a better one."
)
LIKELIHOODS = ("mean_log_likelihood", "mean_elbo")  # what densities that predict nothing are compared by
JUDGED_BY = {"predict_proba", "predict", "predict_marginals", "log_prob", "elbo"}


@dataclass(frozen=True)
class Tuned:
    """One tuned cell, in the words and numbers of the table.

    Args:
        cell: the cell.
        score: name of the score of test rows.
        default, tuned: its mean with the arguments of params.yaml, and with those chosen; NaN without a value.
        gain: difference turned so that more is better, with its interval, as text.
        default_loss, chosen_loss: mean validation loss of both.
        trials: of one repeat, the default included; the fewest and the most where repeats differ.
        failed: number of trials that failed, of all repeats.
        seconds: of all trials of all repeats; None where that was not kept.
        arguments: what was chosen, over the repeats.
        edges: arguments at an end of their range, and in how many repeats.
    """

    cell: Cell
    score: str
    default: float
    tuned: float
    gain: str
    default_loss: float
    chosen_loss: float
    trials: str
    failed: int
    seconds: float | None
    arguments: str
    edges: str


def content(results: Results) -> dict[str, Any] | None:
    """Return a row for each tuned cell, and the others with the reason; None where nothing was tuned."""
    models = [(dataset, e) for dataset in results.datasets for e in dataset.evaluations]
    rows = [_tuned(dataset, e) for dataset, e in models if e.trials]
    untuned = [f"{e.cell.name} ({_reason(e)})" for _, e in models if not e.trials and not e.cell.is_baseline]
    return {"rows": rows, "untuned": untuned, "note": NOTE} if rows else None


def _reason(evaluation: Evaluation) -> str:
    if not JUDGED_BY & evaluation.capabilities:
        return "it neither predicts nor has a likelihood, by which validation rows could choose"
    return "it has no search space"


def _tuned(dataset: DatasetResults, evaluation: Evaluation) -> Tuned:
    by_repeat = list(evaluation.trials.values())
    chosen = [next(trial for trial in trials if trial.chosen) for trials in by_repeat]
    counts = sorted({len(trials) for trials in by_repeat})
    seconds = [fit.get("tuning_seconds") for fit in evaluation.training.get("repeats", ())]
    edges = Counter(f"{name} at its {edge} edge" for trial in chosen for name, edge in trial.edges.items())
    score, default, gain = _on_test_rows(dataset, evaluation)
    return Tuned(
        cell=evaluation.cell,
        score=score,
        default=default,
        tuned=evaluation.mean(score),
        gain=gain,
        default_loss=float(np.mean([trials[0].loss for trials in by_repeat])),
        chosen_loss=float(np.mean([trial.loss for trial in chosen])),
        trials=" to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))),
        failed=sum(bool(trial.failed) for trials in by_repeat for trial in trials),
        seconds=None if None in seconds or not seconds else float(sum(s for s in seconds if s is not None)),
        arguments=_in_words(chosen),
        edges=", ".join(f"{edge} in {n} of {len(chosen)}" for edge, n in sorted(edges.items())),
    )


def _on_test_rows(dataset: DatasetResults, evaluation: Evaluation) -> tuple[str, float, str]:
    """Return the score, its mean with default arguments, and what is gained by the chosen ones."""
    names = (dataset.primary, *(m for m in evaluation.scores if metric_table.known(m).name in LIKELIHOODS))
    score = next((name for name in names if name in evaluation.scores), dataset.primary)
    default = evaluation.default
    if default is None:  # it was chosen in every repeat
        return score, evaluation.mean(score), "0: the default was chosen"
    apart = dataset.difference(evaluation, default, score)
    sign = -1.0 if metric_table.lower_is_better(score) else 1.0
    gain = formatting.signed(sign * (evaluation.mean(score) - default.mean(score)))
    if apart is None:
        return score, default.mean(score), gain
    low, high = sorted(sign * end for end in apart.interval(dataset.comparison.confidence))
    return score, default.mean(score), f"{gain} ({formatting.signed(low)} to {formatting.signed(high)})"


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
    header = ["data set", "model", "trials", "score", "default", "tuned", "gain", "default loss", "chosen loss"]
    rows = (
        [
            escaped(r.cell.dataset),
            escaped(r.cell.model),
            r.trials + (f", {r.failed} failed" if r.failed else ""),
            escaped(metric_table.label(r.score)),
            formatting.score(r.default),
            formatting.score(r.tuned),
            r.gain,
            formatting.score(r.default_loss),
            formatting.score(r.chosen_loss),
            escaped(r.arguments),
            escaped(r.edges or formatting.NONE),
        ]
        for r in content["rows"]
    )
    untuned = [f"Not tuned: {escaped('; '.join(content['untuned']))}.", ""] if content["untuned"] else []
    return [content["note"], "", *table([*header, "chosen arguments", "at an edge"], rows), *untuned]
