"""Discriminative minus generative: the best model of each side on every data set, paired, tested and judged.

Each data set is a question of its own: its verdict does not depend on the data sets beside it. The best models are
chosen by the scores that are compared, which favours the side with more candidates; where rows have scores, the
difference is corrected for that (`versus.statistics.selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from versus.metrics import table as metric_table
from versus.report import costs
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.settings import FAMILIES
from versus.statistics.equivalence import Judgement, Rope, judge
from versus.statistics.paired_rows import PairedRows

GENERATIVE = tuple(family for family in FAMILIES if family != "discriminative")
PROBABLE = 0.75  # three to one
STABLE = 0.5  # below, the pair that is compared is picked in less than half of the resamples
NAN = float("nan")


@dataclass(frozen=True)
class Contrast:
    """Comparison of the best discriminative model with the best generative one of some families, on one data set.

    Args:
        metric: the score, by which each side's best was picked, too.
        mean, low, high: difference discriminative − generative of the score, corrected for the selection; NaN
            where it cannot be judged.
        p: two-sided.
        rope: probability below, within and above the region of practical equality.
        judgement: of the difference; "higher" means that the discriminative model's score is the higher one.
        worst: one-sided limits of the difference, the lowest and the highest.
        optimism: amount by which selection flattered the difference; NaN where it is unknown.
        stability: share of resamples that pick the same pair; NaN where it is unknown.
        rows_to_decide: estimated number of rows that would decide; None where it is decided, or cannot be said.
        training_ratio, latency_ratio: generative / discriminative, of fit seconds and of milliseconds for one row.
    """

    dataset: DatasetResults
    metric: str
    discriminative: Evaluation
    generative: Evaluation
    mean: float
    low: float
    high: float
    p: float
    rope: Rope
    judgement: Judgement
    worst: tuple[float, float]
    optimism: float
    stability: float
    rows_to_decide: int | None
    training_ratio: float | None
    latency_ratio: float | None

    @property
    def margin(self) -> float:
        """Half the width of the region of practical equality."""
        return self.dataset.rope(self.metric)

    @property
    def winner(self) -> Evaluation | None:
        """Model that the judgement favours; None where both are equal or the judgement is open."""
        if self.judgement not in ("higher", "lower"):
            return None
        first = (self.judgement == "lower") == metric_table.lower_is_better(self.metric)
        return self.discriminative if first else self.generative

    @property
    def use(self) -> Evaluation:
        """Model to use: the winner; where there is none, the one with the better mean."""
        return self.winner or self.dataset.ordered([self.discriminative, self.generative], self.metric)[0]

    @property
    def outcome(self) -> str:
        """Judgement in two or three words."""
        if self.judgement == "equal":
            return "practically equal"
        if self.winner is not None:
            return "discriminative ahead" if self.winner is self.discriminative else "generative ahead"
        return f"{self.not_behind} not behind" if self.not_behind else "open"

    @property
    def not_behind(self) -> str:
        """Side that is shown not to be behind by more than the rope, where nothing more is decided; may be empty."""
        if self.judgement != "undecided" or not np.isfinite(self.worst).all():
            return ""
        lower = metric_table.lower_is_better(self.metric)
        least, most = (-self.worst[1], -self.worst[0]) if lower else self.worst
        shown = {"discriminative": least > -self.margin, "generative": most < self.margin}
        return next((side for side, holds in shown.items() if holds), "")

    @property
    def probably(self) -> str:
        """Result at least three times as probable as all others where nothing is decided; empty otherwise."""
        if self.judgement != "undecided":
            return ""
        first, second = self.better_by_more_than_rope
        named = (("discriminative ahead", first), ("generative ahead", second), ("equal", self.rope.within))
        return next((name for name, probability in named if probability >= PROBABLE), "")

    @property
    def words(self) -> str:
        """Outcome, with the probable result where it is open."""
        return f"{self.outcome}, probably {self.probably}" if self.probably else self.outcome

    @property
    def is_stable(self) -> bool:
        """False where other data of the same kind would often have picked another pair."""
        return not self.stability < STABLE

    @property
    def better_by_more_than_rope(self) -> tuple[float, float]:
        """Probabilities that the discriminative, and that the generative, model is better by more than the rope."""
        lower = metric_table.lower_is_better(self.metric)
        return (self.rope.below, self.rope.above) if lower else (self.rope.above, self.rope.below)


def contrasts(datasets: Sequence[DatasetResults]) -> list[Contrast]:
    """Return the comparison with each generative family, in the order of the data sets."""
    found = (contrast(dataset, family) for dataset in datasets for family in GENERATIVE)
    return [one for one in found if one is not None]


def contrast(dataset: DatasetResults, *families: str, by: str | None = None) -> Contrast | None:
    """Compare the best discriminative model with the best one of some generative families; None without either.

    Args:
        dataset: the data set.
        families: the generative families.
        by: the score, the deciding one by default.
    """
    metric = by or dataset.primary
    candidates = dataset.candidates(metric, "discriminative"), dataset.candidates(metric, *families)
    if not all(candidates):
        return None
    first, second = (dataset.ordered(side, metric)[0] for side in candidates)
    apart = dataset.difference(first, second, metric)
    selection = dataset.selection(*candidates, metric) if apart is not None else None
    if apart is not None and selection is not None:
        # The correction is an estimate, at least as uncertain as it is large: it takes a finding away, and makes none.
        apart = apart.shifted(-selection.optimism, least=abs(selection.optimism))
    confidence = dataset.comparison.confidence
    low, high = apart.interval(confidence) if apart else (NAN, NAN)
    rope = apart.rope(dataset.rope(metric)) if apart else Rope(NAN, NAN, NAN)
    mean = apart.mean if apart else first.mean(metric) - second.mean(metric)
    judgement = judge(rope, apart.p_value(), mean, confidence) if apart else "undecided"
    paired = apart if isinstance(apart, PairedRows) and judgement == "undecided" else None
    return Contrast(
        dataset=dataset,
        metric=metric,
        discriminative=first,
        generative=second,
        mean=mean,
        low=low,
        high=high,
        p=apart.p_value() if apart else NAN,
        rope=rope,
        judgement=judgement,
        worst=apart.interval(2 * confidence - 1) if apart else (NAN, NAN),
        optimism=selection.optimism if selection else NAN,
        stability=selection.stability if selection else NAN,
        rows_to_decide=paired.rows_to_decide(dataset.rope(metric), confidence) if paired else None,
        training_ratio=costs.ratio(costs.training_seconds(second), costs.training_seconds(first)),
        latency_ratio=costs.ratio(costs.latency(second), costs.latency(first)),
    )


def main_contrast(dataset: DatasetResults) -> Contrast | None:
    """Return the comparison that decides a data set: with the best of all generative models."""
    return contrast(dataset, *GENERATIVE)


def second_contrast(dataset: DatasetResults) -> Contrast | None:
    """Return the same comparison by the score that stands beside the deciding one, with each side's best by it."""
    metric = metric_table.beside(dataset.primary, dataset.task)
    return contrast(dataset, *GENERATIVE, by=metric) if metric else None
