"""What the table of metrics says of a name in scores.csv, which may be one that it no longer has."""

from __future__ import annotations

from versus.metrics import table
from versus.metrics.metric import INF, Metric


def known(metric: str) -> Metric:
    """Return the metric behind a name in scores.csv; for one that the table does not have what its name tells."""
    try:
        return table.named(metric)
    except KeyError:
        return Metric(metric, metric.replace("_", " "), "", "", "higher", -INF, INF, "")


def label(metric: str) -> str:
    """Return the metric's name, to be read."""
    return known(metric).label


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value is the better one."""
    return known(metric).lower_is_better


def is_share(metric: str) -> bool:
    """Whether the score is a share of rows, or else lies within 0 … 1 like one."""
    return known(metric).is_share
