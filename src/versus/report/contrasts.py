"""Discriminative minus generative: the best model of each side on every data set, paired, tested and judged.

Holm's adjustment is over all rows of the table. The best model of a family is chosen by the same test scores that are
compared, which makes both sides look slightly better than they are; the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from versus.metrics import table as metric_table
from versus.report import costs
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.settings import FAMILIES
from versus.statistics.equivalence import Judgement, Rope, judge
from versus.statistics.holm import holm

GENERATIVE = tuple(family for family in FAMILIES if family != "discriminative")
PROBABLE = 0.75  # three to one


@dataclass(frozen=True)
class Contrast:
    """Comparison of the best discriminative model with the best of one generative family, on one data set.

    Args:
        mean, low, high: difference discriminative − generative of the deciding score; NaN where it cannot be judged.
        p, adjusted_p: two-sided p, before and after Holm's adjustment.
        rope: probability below, within and above the region of practical equality.
        judgement: of the difference; "higher" means that the discriminative model's score is the higher one.
        training_ratio, latency_ratio: generative / discriminative, of fit seconds and of milliseconds for one row.
    """

    dataset: DatasetResults
    discriminative: Evaluation
    generative: Evaluation
    mean: float
    low: float
    high: float
    p: float
    adjusted_p: float
    rope: Rope
    judgement: Judgement
    training_ratio: float | None
    latency_ratio: float | None

    @property
    def winner(self) -> Evaluation | None:
        """Model that the judgement favours; None where both are equal or the judgement is open."""
        if self.judgement not in ("higher", "lower"):
            return None
        first = (self.judgement == "lower") == metric_table.lower_is_better(self.dataset.primary)
        return self.discriminative if first else self.generative

    @property
    def outcome(self) -> str:
        """Judgement in two or three words."""
        if self.judgement == "equal":
            return "practically equal"
        if self.winner is None:
            return "no clear difference"
        return "discriminative ahead" if self.winner is self.discriminative else "generative ahead"

    @property
    def probably(self) -> str:
        """Result at least three times as probable as all others where no difference is clear; empty otherwise."""
        if self.outcome != "no clear difference":
            return ""
        first, second = self.better_by_more_than_rope
        named = (("discriminative ahead", first), ("generative ahead", second), ("equal", self.rope.within))
        return next((name for name, probability in named if probability >= PROBABLE), "")

    @property
    def words(self) -> str:
        """Outcome, with the probable result where it is open."""
        return f"{self.outcome}, probably {self.probably}" if self.probably else self.outcome

    @property
    def better_by_more_than_rope(self) -> tuple[float, float]:
        """Probabilities that the discriminative, and that the generative, model is better by more than the rope."""
        lower = metric_table.lower_is_better(self.dataset.primary)
        return (self.rope.below, self.rope.above) if lower else (self.rope.above, self.rope.below)


def contrasts(datasets: Sequence[DatasetResults]) -> list[Contrast]:
    """Return all comparisons of the report, in the order of the data sets, judged together."""
    found = [
        _contrast(dataset, first, second)
        for dataset in datasets
        for family in GENERATIVE
        if (first := dataset.best("discriminative")) and (second := dataset.best(family))
    ]
    return _adjusted(found)


def _contrast(dataset: DatasetResults, first: Evaluation, second: Evaluation) -> Contrast:
    apart = dataset.difference(first, second, dataset.primary)
    nan = float("nan")
    low, high = apart.interval(dataset.comparison.confidence) if apart else (nan, nan)
    return Contrast(
        dataset=dataset,
        discriminative=first,
        generative=second,
        mean=apart.mean if apart else first.mean(dataset.primary) - second.mean(dataset.primary),
        low=low,
        high=high,
        p=apart.p_value() if apart else nan,
        adjusted_p=nan,
        rope=apart.rope(dataset.rope) if apart else Rope(nan, nan, nan),
        judgement="undecided",
        training_ratio=costs.ratio(costs.training_seconds(second), costs.training_seconds(first)),
        latency_ratio=costs.ratio(costs.latency(second), costs.latency(first)),
    )


def _adjusted(found: list[Contrast]) -> list[Contrast]:
    judged = [c for c in found if np.isfinite(c.p)]
    adjusted = dict(zip(map(id, judged), holm([c.p for c in judged]), strict=True))
    return [
        replace(
            c,
            adjusted_p=float(adjusted[id(c)]),
            judgement=judge(c.rope, float(adjusted[id(c)]), c.mean, c.dataset.comparison.confidence),
        )
        if id(c) in adjusted
        else c
        for c in found
    ]


def main_contrast(dataset: DatasetResults, found: Sequence[Contrast]) -> Contrast | None:
    """Return the comparison with the better of the two generative families on one data set."""
    here = [c for c in found if c.dataset is dataset]
    if not here:
        return None
    best = dataset.ordered([c.generative for c in here], dataset.primary)[0]
    return next(c for c in here if c.generative is best)
