"""Intervals, paired tests, practical equality, ranks and Pareto fronts: pure functions of arrays.

Three kinds of uncertain mean share one set of questions (`Uncertain`): `paired_rows.PairedRows`, where each row is
tested once in every block of folds, `bootstrap.BootstrapMean`, where there is one test set, and
`corrected_resampled.CorrectedMean` for what only whole repeats have.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

from versus.statistics.equivalence import Rope


class Uncertain(Protocol):
    """A mean (of a score, or of a paired difference of scores) and its uncertainty.

    Attributes:
        estimand: the quantity that the mean estimates, in words.
    """

    estimand: ClassVar[str]

    @property
    def mean(self) -> float:
        """The point estimate."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval that holds the true mean with probability ``confidence`` (0 … 1)."""

    def p_value(self) -> float:
        """Two-sided p of the hypothesis that the true mean is 0."""

    def rope(self, halfwidth: float) -> Rope:
        """Probabilities that the true mean lies below, within and above ±``halfwidth``."""

    def shifted(self, by: float, least: float = 0.0) -> Self:
        """Move the mean by an amount; the standard error stays, or becomes ``least`` if that is more."""
