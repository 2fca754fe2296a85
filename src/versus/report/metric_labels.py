"""Properties of the metrics named in scores.csv, including names that the table of metrics no longer has."""

from __future__ import annotations

from versus.metrics import table
from versus.metrics.metric import INF, Metric


def known(metric: str) -> Metric:
    """Return the metric with a name in scores.csv; one derived from the name alone where the table does not have it."""
    try:
        return table.named(metric)
    except KeyError:
        return Metric(metric, metric.replace("_", " "), "", "", "higher", -INF, INF, "")


def label(metric: str) -> str:
    """Return the metric's name for readers."""
    return known(metric).label


def lower_is_better(metric: str) -> bool:
    """Tell if a smaller value is better."""
    return known(metric).lower_is_better


def is_share(metric: str) -> bool:
    """Tell if the score is a share of rows, or lies within 0 … 1 like one."""
    return known(metric).is_share
