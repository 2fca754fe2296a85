"""One data set with all measurements on it, and the uncertainty of each mean and each difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.findings import Findings
from versus.data.prepared import Prepared
from versus.metrics import table
from versus.report.evaluation import Evaluation
from versus.report.tested_rows import TestedRows
from versus.settings import Comparison
from versus.statistics import Uncertain
from versus.statistics.bootstrap import MOST_ROWS, MOST_ROWS_TO_DECIDE, BootstrapMean, Scorer, TwoLevelBootstrap
from versus.statistics.corrected_resampled import corrected_mean
from versus.statistics.paired_rows import VARIANCE_FACTOR, paired_rows
from versus.statistics.proportion import wilson_interval
from versus.statistics.selection import Selection, select

Interval = tuple[float, float]
MOST_BYTES = 2**26  # of scores of rows that are kept for the next question
TIES = 9  # decimals: means that agree to so many are equal, what differs beyond is rounding


@dataclass(frozen=True)
class FromBest:
    """Difference of a mean score from the best one of its data set.

    Args:
        value: model minus best; 0 for the best.
        low, high: ends of the interval; NaN for the best, and where it cannot be computed.
        is_best: True for the model that the others are compared with.
    """

    value: float
    low: float
    high: float
    is_best: bool = False


def simultaneous(confidence: float, models: int) -> float:
    """Confidence of each interval with which the intervals of all pairs of models hold at once (Bonferroni)."""
    return 1 - (1 - confidence) / max(1, models * (models - 1) // 2)


@dataclass(frozen=True, eq=False)
class DatasetResults:
    """A prepared data set, its evaluated cells, and the rules of comparison.

    Where the repeats are folds, so that each row is tested once a block, intervals and tests are those of the paired
    rows, and for scores that rows have none of (areas under curves) the corrected resampled method. Where every repeat
    was drawn anew, its scores are independent. Where all repeats share one test set (an official one, or a single
    repeat), its rows are bootstrapped: the answer is for these fits.
    """

    name: str
    prepared: Prepared
    evaluations: tuple[Evaluation, ...]
    comparison: Comparison
    findings: Findings = field(default_factory=Findings)
    _resampled: dict[tuple[Path, str], BootstrapMean | None] = field(default_factory=dict, repr=False)
    _selected: dict[tuple[object, ...], Selection | None] = field(default_factory=dict, repr=False)
    _apart: dict[str, dict[str, FromBest]] = field(default_factory=dict, repr=False)
    _bootstraps: dict[int, TwoLevelBootstrap] = field(default_factory=dict, repr=False)
    _known: dict[tuple[Path, str], NDArray[np.float64] | None] = field(default_factory=dict, repr=False)

    @property
    def task(self) -> str:
        """Kind of prediction: "classification" or "regression"."""
        return self.prepared.schema.y.task

    @property
    def primary(self) -> str:
        """Name of the deciding score."""
        return table.primary(self.comparison.primary, self.task, self.name)

    @cached_property
    def tested(self) -> TestedRows:
        """Rows that the repeats test."""
        return TestedRows(self.prepared)

    @cached_property
    def targets(self) -> list[NDArray[Any]] | None:
        """True values of the test rows of each repeat; None where a row does not have exactly one, as with tags."""
        y = self.prepared.y
        return [y[rows] for rows in self.tested.by_repeat] if isinstance(y, np.ndarray) else None

    @cached_property
    def weights(self) -> list[NDArray[np.float64]] | None:
        """Weights of the test rows of each repeat; None where all count alike."""
        weights = self.prepared.weights
        return None if weights is None else [weights[rows] for rows in self.tested.by_repeat]

    @property
    def has_relative_rope(self) -> bool:
        """True where the region of practical equality is given in standard deviations of the target."""
        return table.known(self.primary).in_unit_of_target

    def rope(self, metric: str) -> float:
        """Half the width of the region of practical equality, in the unit of a score."""
        if table.known(metric).in_unit_of_target:
            return self.comparison.rope * float(np.std(self.prepared.y))
        return self.comparison.rope

    def best(self, *families: str, sampling: bool = False) -> Evaluation | None:
        """Return the model of these families with the best mean of the deciding score; baselines are not considered."""
        found = [e for e in self.candidates(self.primary, *families) if e.can_sample or not sampling]
        return self.ordered(found, self.primary)[0] if found else None

    @property
    def baseline(self) -> Evaluation | None:
        """Return the trivial model with the best mean of the deciding score; None where none has it."""
        found = [e for e in self.evaluations if e.cell.is_baseline and np.isfinite(e.mean(self.primary))]
        return self.ordered(found, self.primary)[0] if found else None

    def candidates(self, metric: str, *families: str) -> list[Evaluation]:
        """Return the models of these families that have a score, without baselines."""
        return [
            e
            for e in self.evaluations
            if e.cell.family in families and not e.cell.is_baseline and np.isfinite(e.mean(metric))
        ]

    def ordered(self, evaluations: list[Evaluation], metric: str) -> list[Evaluation]:
        """Sort by the mean, best first; ties keep their order, and evaluations without the metric come last."""

        def key(evaluation: Evaluation) -> float:
            mean = round(evaluation.mean(metric), TIES)
            return table.known(metric).distance_from_best(mean) if np.isfinite(mean) else float("inf")

        return sorted(evaluations, key=key)

    def interval(self, evaluation: Evaluation, metric: str) -> Interval | None:
        """Return the interval of a mean score, within the range of the metric; None where it cannot be computed."""
        known = table.known(metric)
        is_proportion = known.is_proportion and self.weights is None
        if self.tested.are_one_set and self.prepared.repeats == 1 and is_proportion and self.tested.units is None:
            right = round(evaluation.mean(metric) * self.tested.n)
            return wilson_interval(right, self.tested.n, self.comparison.confidence)
        by_block = self._by_block(evaluation, metric)
        if is_proportion and by_block is not None and self.tested.units_of_block is None:
            return wilson_interval(float(by_block.mean()) * len(by_block), len(by_block), self.comparison.confidence)
        found = self._uncertain(evaluation, metric)
        if found is None:
            return None
        return known.within(*found.interval(self.comparison.confidence))

    def difference(
        self, first: Evaluation, second: Evaluation, metric: str, against: str | None = None
    ) -> Uncertain | None:
        """Return the paired difference first − second of a score; None where it cannot be judged.

        The page and the gate (`versus.gate`) ask this one question, so that they give one answer.

        Args:
            first, second: the models.
            metric: score of the first one.
            against: score of the second one, where it is another of the same unit: a bound of what ``metric`` is.
        """
        against = against or metric
        if self.tested.are_one_set:
            a, b = self._drawn_again(first, metric), self._drawn_again(second, against)
            return a.minus(b).shifted(0.0, self._step(metric)) if a is not None and b is not None else None
        if metric not in first.scores or against not in second.scores:
            return None
        one, other = self._by_block(first, metric), self._by_block(second, against)
        if one is not None and other is not None:
            return paired_rows(one - other, self.tested.units_of_block, self._resolution_of_row(metric))
        return self._corrected(first.scores[metric] - second.scores[against], metric, self.tested.n_train)

    def is_shown_better(self, first: Evaluation, second: Evaluation) -> bool:
        """Tell if the first model is shown to be better than the second one by the deciding score."""
        apart = self.difference(first, second, self.primary)
        if apart is None:
            return False
        is_better = (apart.mean < 0) == table.lower_is_better(self.primary) and apart.mean != 0
        return is_better and apart.p_value() < 1 - self.comparison.confidence

    def from_best(self, metric: str) -> dict[str, FromBest]:
        """Return cell name -> its difference from the best mean of a metric; empty where it has no direction.

        The intervals hold for all pairs of models at once (Bonferroni), and so for those with the best, which was
        picked by these scores.
        """
        if metric not in self._apart:
            self._apart[metric] = self._from_best(metric)
        return self._apart[metric]

    def _from_best(self, metric: str) -> dict[str, FromBest]:
        scored = self.ordered([e for e in self.evaluations if np.isfinite(e.mean(metric))], metric)
        if not scored or not table.known(metric).has_direction:
            return {}
        top, *others = scored
        found = {top.cell.name: FromBest(0.0, float("nan"), float("nan"), is_best=True)}
        confidence = simultaneous(self.comparison.confidence, len(scored))
        for other in others:
            apart = self.difference(other, top, metric)
            low, high = apart.interval(confidence) if apart else (float("nan"), float("nan"))
            value = round(other.mean(metric) - top.mean(metric), TIES)
            found[other.cell.name] = FromBest(value, low, high)
        return found

    def _uncertain(self, evaluation: Evaluation, metric: str) -> Uncertain | None:
        if self.tested.are_one_set:
            return self._drawn_again(evaluation, metric)
        if metric not in evaluation.scores:
            return None
        by_block = self._by_block(evaluation, metric)
        if by_block is not None:
            return paired_rows(by_block, self.tested.units_of_block, self._resolution_of_row(metric))
        return self._corrected(evaluation.scores[metric], metric, self.tested.n_train)

    def _corrected(self, repeats: NDArray[np.float64], metric: str, n_train: int) -> Uncertain | None:
        repeats = repeats[np.isfinite(repeats)]
        if len(repeats) < 2:
            return None
        return corrected_mean(repeats, None if self.prepared.is_drawn else n_train, self.tested.n, self._step(metric))

    def _step(self, metric: str) -> float:
        """Amount by which one unit of a test set moves a share; 0 for scores that move by any amount."""
        tested = self.tested.n if self.tested.units is None else len(np.unique(self.tested.units))
        return 1 / tested if table.known(metric).is_share else 0.0

    def _resolution_of_row(self, metric: str) -> float:
        """Least that a row which differs contributes to a share: equal answers on the rows seen are no certainty."""
        return 1.0 if table.known(metric).is_share else 0.0

    def _by_block(self, evaluation: Evaluation, metric: str) -> NDArray[np.float64] | None:
        """Return the score of each tested row in each block of folds, (n, R); None elsewhere, or if rows have none."""
        key = evaluation.folder, metric  # a champion may be of the same cell
        if key not in self._known:
            if len(self._known) * self.prepared.repeats * self.tested.n * 8 > MOST_BYTES:
                self._known.clear()
            self._known[key] = self._arranged(evaluation, metric)
        return self._known[key]

    def _arranged(self, evaluation: Evaluation, metric: str) -> NDArray[np.float64] | None:
        scores = evaluation.row_scores(metric, self.targets, self.weights) if self.tested.blocks else None
        return None if scores is None else self.tested.arranged(scores)

    def selection(self, first: list[Evaluation], second: list[Evaluation], metric: str) -> Selection | None:
        """Estimate what picking each side's best adds to their difference; None if rows have no such score.

        Args:
            first, second: the models of each side.
            metric: the score by which they are picked and compared.
        """
        asked = (*(tuple(e.cell.name for e in side) for side in (first, second)), metric)
        if asked not in self._selected:
            self._selected[asked] = self._select(first, second, metric)
        return self._selected[asked]

    def _select(self, first: list[Evaluation], second: list[Evaluation], metric: str) -> Selection | None:
        sides = [[self._row_scores(e, metric) for e in side] for side in (first, second)]
        if any(scores is None for side in sides for scores in side):
            return None
        sign = -1.0 if table.lower_is_better(metric) else 1.0
        a, b = (sign * np.stack([scores for scores in side if scores is not None], axis=1) for side in sides)
        units = self.tested.units if self.tested.are_one_set else self.tested.units_of_block
        found = select(a, b, units, spread=1.0 if self.tested.blocks is None else VARIANCE_FACTOR**0.5)
        return replace(found, optimism=sign * found.optimism)

    def _row_scores(self, evaluation: Evaluation, metric: str) -> NDArray[np.float64] | None:
        """Return the score of each tested row, averaged over the fits that were tested on it, (n,)."""
        by_block = self._by_block(evaluation, metric)
        if by_block is not None:
            averaged: NDArray[np.float64] = by_block.mean(axis=1)
            return averaged
        scores = evaluation.row_scores(metric, self.targets, self.weights)
        if scores is None:
            return None
        joined: NDArray[np.float64] = np.mean(scores, axis=0) if self.tested.are_one_set else np.concatenate(scores)
        return joined

    def _bootstrap(self, scored: int | None) -> TwoLevelBootstrap | None:
        """Return the resamples of the test rows, or of as many as were scored where each takes long.

        Which rows those are is not known: None where rows have weights or belong together.
        """
        n = scored or self.tested.n
        if n != self.tested.n and (self.tested.units is not None or self.weights is not None):
            return None
        if n not in self._bootstraps:
            self._bootstraps[n] = TwoLevelBootstrap(n, self.prepared.repeats, units=self.tested.units)
        return self._bootstraps[n]

    def _drawn_again(self, evaluation: Evaluation, metric: str) -> BootstrapMean | None:
        key = evaluation.folder, metric  # a champion may be of the same cell
        if key not in self._resampled:
            self._resampled[key] = None
            self._draw_again(evaluation, metric)
        return self._resampled[key]

    def _draw_again(self, evaluation: Evaluation, metric: str) -> None:
        most = MOST_ROWS_TO_DECIDE if metric == self.primary else MOST_ROWS
        bootstrap = self._bootstrap(evaluation.n_scored(metric))
        if bootstrap is None:
            return
        for e, drawn in bootstrap.means(self._scorers(evaluation, metric), most):
            if drawn is not None:
                # The score itself comes from the evaluation; the rows only show how it would vary.
                shift = e.mean(metric) - drawn.mean
                drawn = BootstrapMean(e.mean(metric), drawn.resamples + shift)
            self._resampled[e.folder, metric] = drawn

    def _scorers(self, evaluation: Evaluation, metric: str) -> Iterator[tuple[Evaluation, list[Scorer]]]:
        """Yield the scorers of a model, and if theirs are products, which all share, of all others not drawn yet."""
        n = evaluation.n_scored(metric)
        left = (e for e in self.evaluations if (e.folder, metric) not in self._resampled)
        others = (e for e in left if e.n_scored(metric) == n)
        for e in (evaluation, *others):
            scorers = e.scorers(metric, self.targets, self.weights) if np.isfinite(e.mean(metric)) else None
            if scorers is not None:
                yield e, scorers
            if e is evaluation and (scorers is None or any(of.sums is None for of in scorers)):
                return
