"""Intervals, paired tests, practical equality, ranks and Pareto fronts: pure functions of arrays.

Two kinds of uncertain mean share one set of questions (`Uncertain`): `corrected_resampled.CorrectedMean`, where the
test rows were drawn anew for each repeat, and `bootstrap.BootstrapMean`, where there is one official test set.
"""

from __future__ import annotations

from typing import Protocol

from versus.statistics.equivalence import Rope


class Uncertain(Protocol):
    """A mean (of a score, or of a paired difference of scores) and its uncertainty."""

    @property
    def mean(self) -> float:
        """The point estimate."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval that holds the true mean with probability ``confidence`` (0 … 1)."""

    def p_value(self) -> float:
        """Two-sided p of the hypothesis that the true mean is 0."""

    def rope(self, halfwidth: float) -> Rope:
        """Probabilities that the true mean lies below, within and above ±``halfwidth``."""
