"""One data set with all measurements on it, and the uncertainty of each mean and each difference."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from versus.data.findings import Findings
from versus.data.prepared import Prepared
from versus.metrics import table
from versus.metrics import table as metric_table
from versus.report.evaluation import Evaluation
from versus.settings import Comparison
from versus.statistics import Uncertain
from versus.statistics.bootstrap import BootstrapMean, TwoLevelBootstrap
from versus.statistics.corrected_resampled import corrected_mean
from versus.statistics.holm import holm
from versus.statistics.proportion import wilson_interval

Interval = tuple[float, float]
Mark = Literal["best", "tied"]


@dataclass(frozen=True, eq=False)
class DatasetResults:
    """A prepared data set, its evaluated cells, and the rules of comparison.

    Where each repeat has its own random test rows, intervals and tests use the corrected resampled method. Where all
    repeats share one test set (an official one, or a single repeat), its rows are bootstrapped instead.
    """

    name: str
    prepared: Prepared
    evaluations: tuple[Evaluation, ...]
    comparison: Comparison
    findings: Findings = field(default_factory=Findings)
    _resampled: dict[tuple[str, str], BootstrapMean | None] = field(default_factory=dict, repr=False)

    @property
    def task(self) -> str:
        """Kind of prediction: "classification" or "regression"."""
        return self.prepared.schema.y.task

    @property
    def primary(self) -> str:
        """Name of the deciding score."""
        return table.primary(self.comparison.primary, self.task, self.name)

    @cached_property
    def test_rows(self) -> list[NDArray[np.int64]]:
        """Row indices of the test rows of each repeat, in the order of the predictions."""
        return [self.prepared.rows(r, "test") for r in range(self.prepared.repeats)]

    @cached_property
    def targets(self) -> list[NDArray[Any]] | None:
        """True values of the test rows of each repeat; None where a row does not have exactly one, as with tags."""
        y = self.prepared.y
        return [y[rows] for rows in self.test_rows] if isinstance(y, np.ndarray) else None

    @property
    def n_test(self) -> int:
        """Mean number of test rows of a repeat, rounded."""
        return round(float(np.mean([len(rows) for rows in self.test_rows])))

    @cached_property
    def has_one_test_set(self) -> bool:
        """True where all repeats are tested on the same rows."""
        return all(np.array_equal(rows, self.test_rows[0]) for rows in self.test_rows)

    @property
    def has_relative_rope(self) -> bool:
        """True where the region of practical equality is given in standard deviations of the target."""
        return metric_table.known(self.primary).in_unit_of_target

    @cached_property
    def rope(self) -> float:
        """Half the width of the region of practical equality, in the unit of the deciding score."""
        if self.has_relative_rope:
            return self.comparison.rope * float(np.std(self.prepared.y))
        return self.comparison.rope

    def best(self, *families: str, sampling: bool = False) -> Evaluation | None:
        """Return the model of these families with the best mean of the deciding score; baselines are not considered."""
        found = [
            e
            for e in self.evaluations
            if e.cell.family in families
            and not e.cell.is_baseline
            and np.isfinite(e.mean(self.primary))
            and (e.can_sample or not sampling)
        ]
        return self.ordered(found, self.primary)[0] if found else None

    def ordered(self, evaluations: list[Evaluation], metric: str) -> list[Evaluation]:
        """Sort by the mean, best first; ties keep their order, and evaluations without the metric come last."""

        def key(evaluation: Evaluation) -> float:
            mean = evaluation.mean(metric)
            return metric_table.known(metric).distance_from_best(mean) if np.isfinite(mean) else float("inf")

        return sorted(evaluations, key=key)

    def interval(self, evaluation: Evaluation, metric: str) -> Interval | None:
        """Return the interval of a mean score, within the range of the metric; None where it cannot be computed."""
        known = metric_table.known(metric)
        if self.has_one_test_set and self.prepared.repeats == 1 and known.is_proportion and self._units is None:
            right = round(evaluation.mean(metric) * self.n_test)
            return wilson_interval(right, self.n_test, self.comparison.confidence)
        found = self._uncertain(evaluation, metric)
        if found is None:
            return None
        return known.within(*found.interval(self.comparison.confidence))

    def difference(self, first: Evaluation, second: Evaluation, metric: str) -> Uncertain | None:
        """Return the paired difference first − second of a score; None where it cannot be judged."""
        if self.has_one_test_set:
            a, b = self._drawn_again(first, metric), self._drawn_again(second, metric)
            return a.minus(b) if a is not None and b is not None else None
        if metric not in first.scores or metric not in second.scores:
            return None
        apart = first.scores[metric] - second.scores[metric]
        return self._corrected(apart, metric, self._n_train)

    def leaders(self, metric: str) -> dict[str, Mark]:
        """Return cell name -> mark for the cells that lead in a metric; empty where the differences cannot be judged.

        The model with the best mean is compared with every other one, with Holm's adjustment. Those not shown to be
        worse are tied with it; where there are none, it is the best.
        """
        scored = [e for e in self.evaluations if np.isfinite(e.mean(metric))]
        if len(scored) < 2:
            return {}
        top, *others = self.ordered(scored, metric)
        differences = [self.difference(top, other, metric) for other in others]
        if any(d is None for d in differences):
            return {}
        p = holm([d.p_value() for d in differences if d is not None])
        alpha = 1 - self.comparison.confidence
        tied = [other.cell.name for other, adjusted in zip(others, p, strict=True) if adjusted >= alpha]
        return dict.fromkeys([top.cell.name, *tied], "tied" if tied else "best")

    def _uncertain(self, evaluation: Evaluation, metric: str) -> Uncertain | None:
        if self.has_one_test_set:
            return self._drawn_again(evaluation, metric)
        if metric not in evaluation.scores:
            return None
        return self._corrected(evaluation.scores[metric], metric, self._n_train)

    def _corrected(self, repeats: NDArray[np.float64], metric: str, n_train: int) -> Uncertain | None:
        repeats = repeats[np.isfinite(repeats)]
        if len(repeats) < 2:
            return None
        tested = self.n_test if self._units is None else len(np.unique(self._units))  # a score moves by whole units
        resolution = 1 / tested if metric_table.known(metric).is_proportion else 0.0
        return corrected_mean(repeats, n_train, self.n_test, resolution)

    @cached_property
    def _n_train(self) -> int:
        """Number of rows that were seen for fitting, early stopping included."""
        return round(float(sum(np.mean(self.prepared.sizes(part)) for part in ("train", "validation"))))

    @cached_property
    def _bootstrap(self) -> TwoLevelBootstrap:
        return TwoLevelBootstrap(self.n_test, self.prepared.repeats, units=self._units)

    @property
    def _units(self) -> NDArray[np.int64] | None:
        """Units of the test rows of the first repeat, (n_test,); None where each row is its own."""
        units = self.prepared.units
        found = None if units is None else units[self.test_rows[0]]
        return None if found is None or len(np.unique(found)) == len(found) else found

    def _drawn_again(self, evaluation: Evaluation, metric: str) -> BootstrapMean | None:
        key = evaluation.cell.name, metric
        if key not in self._resampled:
            self._resampled[key] = self._draw_again(evaluation, metric)
        return self._resampled[key]

    def _draw_again(self, evaluation: Evaluation, metric: str) -> BootstrapMean | None:
        scorers = evaluation.scorers(metric, self.targets) if np.isfinite(evaluation.mean(metric)) else None
        drawn = self._bootstrap.mean(scorers) if scorers is not None else None
        if drawn is None:
            return None
        # The score itself comes from the evaluation; the rows only show how it would vary.
        shift = evaluation.mean(metric) - drawn.mean
        return BootstrapMean(evaluation.mean(metric), drawn.resamples + shift)
