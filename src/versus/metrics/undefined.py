"""What a metric raises where it has no value, so that a gap carries its reason rather than a NaN."""

from __future__ import annotations


class UndefinedMetricError(ValueError):
    """The metric has no value on these arrays; the message says why in plain words."""
