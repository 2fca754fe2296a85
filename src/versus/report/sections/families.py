"""The two sides beside each other: accuracy, time, memory, sampling, and their differences over all data sets.

Each side is represented by its best model on each data set. Differences and ratios are means over the data sets with a
t interval: the data sets are taken as a sample of those that a reader may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit  # not scipy.stats, which takes a second to import

from versus.metrics import table as metric_table
from versus.report import costs, formatting
from versus.report.contrasts import Contrast
from versus.report.evaluation import Evaluation
from versus.report.results import Results
from versus.report.section import Content, table

NAME, TITLE = "families", "The two sides"
SIDES = ("discriminative", "generative")


@dataclass(frozen=True)
class Row:
    """A property of the two sides, and their difference or ratio with its interval, as text.

    ``is_cost`` marks what differs from run to run.
    """

    name: str
    values: tuple[str, str]
    apart: str
    is_cost: bool


def content(results: Results) -> dict[str, Any] | None:
    """Return the rows, where two data sets or more have models of both sides that a share of rows decides."""
    found = [v.contrast for v in results.verdicts if v.contrast is not None]
    shares = [c for c in found if metric_table.is_share(c.dataset.primary)]
    if len(shares) < 2:
        return None
    confidence = results.comparison.confidence
    rows = [
        _accuracy(shares, confidence),
        _cost("training time of a fit", found, costs.training_seconds, formatting.duration, confidence),
        _cost("inference of one row", found, costs.latency, _milliseconds, confidence),
        _cost("memory while training", found, costs.COSTS[2].of, _megabytes, confidence),
        Row("can generate new data", (_sampling(_side(found, 0)), _sampling(_side(found, 1))), "", False),
    ]
    names = [c.dataset.name for c in shares]
    return {"rows": [row for row in rows if row is not None], "datasets": names, "n": len(found)}


def _side(contrasts: Iterable[Contrast], side: int) -> list[Evaluation]:
    return [(c.discriminative, c.generative)[side] for c in contrasts]


def _accuracy(contrasts: Sequence[Contrast], confidence: float) -> Row:
    means = [
        float(np.mean([e.mean(c.dataset.primary) for e, c in zip(_side(contrasts, s), contrasts, strict=True)]))
        for s in (0, 1)
    ]
    center, low, high = t_interval([c.mean for c in contrasts], confidence)
    apart = f"{formatting.points(center)} points ({formatting.points(low)} to {formatting.points(high)})"
    return Row("accuracy, mean", (formatting.percent(means[0]), formatting.percent(means[1])), apart, False)


def _cost(
    name: str,
    contrasts: Sequence[Contrast],
    of: Callable[[Evaluation], costs.Measured | None],
    write: Callable[[float], str],
    confidence: float,
) -> Row | None:
    """Medians of both sides, and the geometric mean of generative / discriminative."""
    both = [(of(c.discriminative), of(c.generative)) for c in contrasts]
    known = [(a.value, b.value) for a, b in both if a is not None and b is not None and min(a.value, b.value) > 0]
    if len(known) < 2:
        return None
    medians = np.median(known, axis=0)
    center, low, high = np.exp(t_interval([float(np.log(b / a)) for a, b in known], confidence))
    apart = f"{formatting.times(center)} ({formatting.times(low)} to {formatting.times(high)})"
    return Row(f"{name}, median", (write(float(medians[0])), write(float(medians[1]))), apart, True)


def t_interval(values: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """Mean of n values, and the ends of its t interval."""
    n, mean = len(values), float(np.mean(values))
    half = float(stdtrit(n - 1, (1 + confidence) / 2) * np.std(values, ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def _milliseconds(value: float) -> str:
    return f"{formatting.two_digits(value)} ms"


def _megabytes(value: float) -> str:
    return f"{formatting.megabytes(value)} MB"


def _sampling(evaluations: Sequence[Evaluation]) -> str:
    able = sum(e.can_sample for e in evaluations)
    return "yes" if able == len(evaluations) else "no" if not able else f"{able} of {len(evaluations)}"


def markdown(content: Content) -> list[str]:
    """Return the rows without costs, which differ from run to run."""
    rows = [[row.name, *row.values, row.apart] for row in content["rows"] if not row.is_cost]
    return table(["", *SIDES, "difference"], rows)
