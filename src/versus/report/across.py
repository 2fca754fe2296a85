"""Statements over all data sets that share a deciding score: a hierarchical posterior, and who beats whom how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.contrasts import Contrast
from versus.report.dataset_results import TIES, DatasetResults
from versus.settings import FAMILIES, Cell
from versus.statistics.equivalence import Rope
from versus.statistics.hierarchical import FEWEST, population
from versus.statistics.ranks import win_rates


@dataclass(frozen=True)
class Overall:
    """Discriminative minus generative, over data sets: posterior of the mean, and of a further data set.

    Args:
        metric: the score.
        datasets: names of the data sets.
        mean, low, high: of the mean difference; for a score in the unit of the target in its standard deviations.
        next_one: probabilities that on a further data set the difference lies below, within and above the margin.
        margin: half the width of the region of practical equality.
        confidence: of the interval.
    """

    metric: str
    datasets: tuple[str, ...]
    mean: float
    low: float
    high: float
    next_one: Rope
    margin: float
    confidence: float

    @property
    def sentence(self) -> str:
        """The statement in words."""
        share = metric_table.is_share(self.metric)
        write = formatting.points if share else formatting.signed
        margin = f"{100 * self.margin:g}" if share else formatting.two_digits(self.margin)
        unit = f" point{'' if margin == '1' else 's'}" if share else ""
        ahead = (self.next_one.below, self.next_one.above)
        discriminative, generative = ahead if metric_table.lower_is_better(self.metric) else ahead[::-1]
        confidence = formatting.percent(self.confidence, 0)
        return (
            f"Over {len(self.datasets)} data sets, discriminative minus generative {metric_table.label(self.metric)} "
            f"is {write(self.mean)}{' points' if share else ''} on average "
            f"({confidence} interval {write(self.low)} to {write(self.high)}). "
            f"On a further data set of their kind, the probability is {discriminative:.2f} that the discriminative "
            f"side is ahead by more than {margin}{unit}, {generative:.2f} that the generative side is, "
            f"and {self.next_one.within:.2f} that they are practically equal."
        )


def overall(contrasts: Sequence[Contrast], confidence: float) -> Overall | None:
    """Combine the comparisons that decide data sets by the most common score; None with fewer than three of them."""
    known = [c for c in contrasts if np.isfinite(c.low) and c.high > c.low]
    if not known:
        return None
    metric, _ = Counter(c.metric for c in known).most_common(1)[0]
    found = [c for c in known if c.metric == metric]
    if len(found) < FEWEST:
        return None
    # A score in the unit of the target is compared between data sets in standard deviations of the target.
    relative = metric_table.known(metric).in_unit_of_target
    scale = np.array([float(np.std(c.dataset.prepared.y)) if relative else 1.0 for c in found])
    differences = np.array([c.mean for c in found]) / scale
    errors = np.array([(c.high - c.low) / 2 for c in found]) / scale / float(ndtri((1 + confidence) / 2))
    posterior = population(differences, errors, max(1.0, 10 * float(np.max(np.abs(differences) + errors))))
    margin = found[0].dataset.comparison.rope
    names = tuple(c.dataset.name for c in found)
    interval = posterior.interval(confidence)
    return Overall(metric, names, posterior.mean, *interval, posterior.next_one(margin), margin, confidence)


@dataclass(frozen=True)
class WinRates:
    """Share of data sets on which the row's model beats the column's.

    Args:
        models: a cell for each model; only its name and family matter. The one that wins most is first.
        rates: (k, k) shares, a tie counts half; NaN where two models never met.
        met: (k, k) number of data sets that both ran on.
    """

    models: tuple[Cell, ...]
    rates: NDArray[np.float64]
    met: NDArray[np.int64]


def wins(datasets: Sequence[DatasetResults], metric: str) -> WinRates | None:
    """Compare all pairs of models that ran on at least two data sets decided by ``metric``; None with one or none."""
    counted = [d for d in datasets if d.primary == metric]
    ran = Counter(e.cell.model for d in counted for e in d.candidates(metric, *FAMILIES))
    names = [name for name, times in ran.items() if times > 1]
    if len(names) < 2:
        return None
    cells = {e.cell.model: e.cell for d in counted for e in d.evaluations}
    means = np.array([_means(d, names, metric) for d in counted])
    rates, met = win_rates(means, not metric_table.lower_is_better(metric))
    won = np.nansum(rates * met, axis=1) / np.maximum(1, met.sum(axis=1) - np.diag(met))
    order = np.argsort(-won, kind="stable")
    return WinRates(tuple(cells[names[i]] for i in order), rates[np.ix_(order, order)], met[np.ix_(order, order)])


def _means(dataset: DatasetResults, names: Sequence[str], metric: str) -> list[float]:
    """Mean score of each model, NaN where it did not run; what differs beyond nine decimals is tied."""
    of = {e.cell.model: round(e.mean(metric), TIES) for e in dataset.evaluations if not e.cell.is_baseline}
    return [of.get(name, float("nan")) for name in names]
