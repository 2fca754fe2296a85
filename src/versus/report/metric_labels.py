"""What the table of metrics says of a name in scores.csv: how it is read, which way it points, what it cannot leave."""

from __future__ import annotations

from math import inf

from versus.metrics import table


def known(metric: str) -> table.Metric | None:
    """What the table of metrics says of a name in scores.csv; None for one that it does not have."""
    try:
        return table.named(metric)
    except KeyError:
        return None


def plain(metric: str) -> str:
    """The metric without the suffix that says what a density is a density of."""
    found = known(metric)
    return found.name if found is not None else metric


def label(metric: str) -> str:
    """The metric's name, to be read."""
    found = known(metric)
    return found.label if found is not None else metric.replace("_", " ")


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value is the better one."""
    found = known(metric)
    return found is not None and found.better == "lower"


def distance_from_best(metric: str, value: float) -> float:
    """What to sort by so that the best comes first, be it the highest, the lowest or the nearest to a nominal value."""
    found = known(metric)
    if found is not None and found.better == "nominal" and found.nominal is not None:
        return abs(value - found.nominal)
    return value if lower_is_better(metric) else -value


def is_nominal(metric: str) -> bool:
    """Whether there is a value to be met, above and below which it is worse."""
    found = known(metric)
    return found is not None and found.better == "nominal"


def has_unit_of_target(metric: str) -> bool:
    """Whether the score is measured in the unit of the target, as an error is."""
    found = known(metric)
    return found is not None and found.unit == "of the target"


def is_share(metric: str) -> bool:
    """Whether the score is a share of rows, or else lies within 0 … 1 like one."""
    return limits(metric) == (0.0, 1.0)


def limits(metric: str) -> tuple[float, float]:
    """The range that a mean of the metric cannot leave."""
    found = known(metric)
    return (found.low, found.high) if found is not None else (-inf, inf)
