"""Verdicts: for each data set one or two sentences in plain words, with the numbers and their uncertainty.

Sentences on scores and on costs are kept separate: scores are the same in every run, costs are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from versus.data.targets import Nothing
from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.contrasts import Contrast, main_contrast, second_contrast
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation


@dataclass(frozen=True)
class Verdict:
    """Conclusion for one data set.

    Args:
        dataset: its name.
        outcome: two or three words.
        probably: the probable result where the outcome is open; may be empty.
        scores: the sentences on the scores.
        costs: the sentences on time and sampling; empty where nothing was measured.
        contrast: the comparison behind it; None without models of both sides.
        second: the comparison by the score beside the deciding one; None where a side does not have it.
    """

    dataset: str
    outcome: str
    probably: str
    scores: str
    costs: str
    contrast: Contrast | None = None
    second: Contrast | None = None

    @property
    def words(self) -> str:
        """Outcome, with the probable result where it is open."""
        return f"{self.outcome}, probably {self.probably}" if self.probably else self.outcome


def verdicts(datasets: Sequence[DatasetResults]) -> list[Verdict]:
    """Return one verdict for each data set, in order."""
    found = [(dataset, _verdict(dataset, main_contrast(dataset))) for dataset in datasets]
    return [replace(verdict, scores=verdict.scores + _leaks(dataset)) for dataset, verdict in found]


def _leaks(dataset: DatasetResults) -> str:
    """Warn of leaks that `prepare` found."""
    codes = dict.fromkeys(f.code for f in dataset.findings.shown if f.code.startswith("leak"))
    return f" Its data have warnings: {', '.join(codes)}." if codes else ""


def _verdict(dataset: DatasetResults, contrast: Contrast | None) -> Verdict:
    if contrast is None:
        return Verdict(dataset.name, "no comparison", "", _one_sided(dataset), "")
    first, other = contrast.discriminative, contrast.generative
    pair = (
        f"the best discriminative model, {_with_score(dataset, first)}, "
        f"and the best generative one, {_with_score(dataset, other)}"
    )
    margin, second = _margin(contrast), second_contrast(dataset)
    leads = {
        "practically equal": f"There is no practical difference between {pair}",
        "discriminative ahead": f"The discriminative side is ahead. Compare {pair}",
        "generative ahead": f"The generative side is ahead. Compare {pair}",
        "discriminative not behind": f"The discriminative side is not behind by more than {margin}. Compare {pair}",
        "generative not behind": f"The generative side is not behind by more than {margin}. Compare {pair}",
        "open": f"No clear difference between {pair}",
    }
    floor = _floor(dataset, [first, other])
    scores = f"{leads[contrast.outcome]}: {_difference(contrast)}.{_open(contrast)}{_beside(contrast, second)}{floor}"
    words = contrast.outcome, contrast.probably
    return Verdict(dataset.name, *words, scores, _cost_sentence(contrast), contrast=contrast, second=second)


def _beside(contrast: Contrast, second: Contrast | None) -> str:
    """Give the difference by the second score, and say where both scores disagree."""
    if second is None:
        return ""
    models = [
        f"{e.cell.model} {formatting.score(e.mean(second.metric))}" for e in (second.discriminative, second.generative)
    ]
    direction = "lower" if metric_table.lower_is_better(second.metric) else "higher"
    found = (
        f" By {metric_table.label(second.metric)} ({direction} is better), {models[0]} against {models[1]}: "
        f"difference {_signed(second)}, {second.words}."
    )
    return found + (" The two scores disagree." if disagree(contrast, second) else "")


def disagree(contrast: Contrast, second: Contrast) -> bool:
    """True where one score finds one side ahead, and the other the other side."""
    winners = {c.winner.cell.family == "discriminative" for c in (contrast, second) if c.winner is not None}
    return len(winners) == 2


def _signed(contrast: Contrast) -> str:
    """Format a difference and its interval with signs, in the unit of the score."""
    if not np.isfinite(contrast.low):
        return formatting.signed(contrast.mean)
    return (
        f"{formatting.signed(contrast.mean)} ({formatting.signed(contrast.low)} to {formatting.signed(contrast.high)})"
    )


def _open(contrast: Contrast) -> str:
    """Say what would decide, how sure the choice of the pair is, and if the answer is for these fits only."""
    parts = []
    if contrast.dataset.tested.are_one_set:
        fits = contrast.dataset.prepared.repeats
        which = "these two fitted models" if fits == 1 else f"the {fits} fits of each model"
        parts.append(f"The answer is for {which}, on one test set.")
    if contrast.rows_to_decide is not None:
        parts.append(f"About {formatting.estimate(contrast.rows_to_decide)} rows would decide it.")
    if not contrast.is_stable:
        parts.append(
            f"Other rows of this kind pick this pair in {formatting.percent(contrast.stability, 0)} of cases only: "
            "several models are about as good."
        )
    return "".join(f" {part}" for part in parts)


def _one_sided(dataset: DatasetResults) -> str:
    first = dataset.best("discriminative")
    second = dataset.best("classical_generative", "deep_generative")
    if first is None and second is None:
        return "Nothing to compare: no model of either side was evaluated."
    present, absent = (first, "generative") if first is not None else (second, "discriminative")
    assert present is not None
    if isinstance(dataset.prepared.schema.y, Nothing):
        return f"The data have no labels, so no model of P(y|x) can be fitted. Best is {_with_score(dataset, present)}."
    return (
        f"Only one side was evaluated: {_with_score(dataset, present)}; there is no {absent} model to compare it with."
    )


def _with_score(dataset: DatasetResults, evaluation: Evaluation) -> str:
    """Format a model with its score: ``logistic_regression (accuracy 97.4 %, 95.1 to 99.0)``."""
    metric = dataset.primary
    interval = dataset.interval(evaluation, metric)
    share = metric_table.is_share(metric)
    shown = formatting.percent(evaluation.mean(metric)) if share else formatting.score(evaluation.mean(metric))
    if interval is not None:
        low, high = interval
        shown += f", {formatting.fixed_span(100 * low, 100 * high, 1) if share else formatting.span(low, high)}"
    return f"{evaluation.cell.model} ({metric_table.label(metric)} {shown})"


def _difference(contrast: Contrast) -> str:
    """Describe the difference with its interval, p-value and probabilities."""
    dataset = contrast.dataset
    share = metric_table.is_share(dataset.primary)
    write = formatting.points if share else formatting.signed
    unit = " percentage points" if share else ""
    if not np.isfinite(contrast.low):
        return f"the difference is {write(contrast.mean)}{unit}, without an interval"
    confidence = formatting.percent(dataset.comparison.confidence, 0)
    return (
        f"the difference is {write(contrast.mean)}{unit} "
        f"({confidence} interval {write(contrast.low)} to {write(contrast.high)}; "
        f"p {formatting.p_value(contrast.p)}). {_probabilities(contrast)}"
    )


def _probabilities(contrast: Contrast) -> str:
    """Give the probabilities that either model is better by more than the rope, and that both are practically equal."""
    first, second = contrast.better_by_more_than_rope
    margin = _margin(contrast)
    equal = contrast.rope.within
    return (
        f"Probabilities: {first:.2f} that {contrast.discriminative.cell.model} is better by more than {margin}, "
        f"{second:.2f} that {contrast.generative.cell.model} is, {equal:.2f} that they are practically equal"
    )


def _margin(contrast: Contrast) -> str:
    if metric_table.is_share(contrast.metric):
        return f"{100 * contrast.margin:g} point{'' if contrast.margin == 0.01 else 's'}"
    return formatting.two_digits(contrast.margin)


def _floor(dataset: DatasetResults, models: list[Evaluation]) -> str:
    """Warn where neither model is shown to beat the best baseline."""
    floor = dataset.baseline
    if floor is None or dataset.is_shown_better(dataset.ordered(models, dataset.primary)[0], floor):
        return ""
    return f" Neither is shown to beat the baseline, {_with_score(dataset, floor)}."


def _cost_sentence(contrast: Contrast) -> str:
    name, other = contrast.generative.cell.model, contrast.discriminative.cell.model
    parts = []
    if contrast.training_ratio is not None:
        parts.append(f"trains in {formatting.times_the(contrast.training_ratio)} the time of {other}")
    if contrast.latency_ratio is not None:
        parts.append(f"predicts one row in {formatting.times_the(contrast.latency_ratio)} its time")
    sampling = contrast.generative.can_sample
    lead = f"The generative model, {name}, {'can also' if sampling else 'cannot'} generate new data"
    sentence = f"{lead}; it {' and '.join(parts)}." if parts else f"{lead}."
    return sentence + _alternative(contrast)


def _alternative(contrast: Contrast) -> str:
    """Name the best generative model that draws samples, where the best one overall does not."""
    dataset = contrast.dataset
    found = dataset.best("classical_generative", "deep_generative", sampling=True)
    if contrast.generative.can_sample or found is None:
        return ""
    ratio = costs.ratio(costs.training_seconds(found), costs.training_seconds(contrast.discriminative))
    time = f", at {formatting.times_the(ratio)} the training time" if ratio is not None else ""
    return f" The best generative model that can is {_with_score(dataset, found)}{time}."
