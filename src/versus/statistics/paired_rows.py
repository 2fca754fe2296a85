r"""Paired rows: the difference of two models over rows that are each tested once in every block of cross-validation.

A block is one whole partition into folds, so every row has one out-of-fold score a block. With :math:`e_{ir}` the score
of one model minus that of the other on row i in block r,

.. math:: m = \overline{e}, \quad s^2 = \overline{\operatorname{var}_i(e_{ir})}, \quad SE^2 = \lambda\, s^2 / n

and :math:`m/SE` is taken as Student's with n - 1 degrees of freedom. With :math:`\lambda = 1` this is the test of
Bayle, Bayle, Janson and Mackey, "Cross-validation confidence intervals for test error" (2020), exact for many rows and
stable learners; for 0/1 scores it is McNemar's. The folds share most of their training rows, so what another training
set would have changed does not average out: for small samples and unstable learners (trees, nearest neighbours) the
plain test finds differences where there are none more often than it says. The factor :math:`\lambda = 3/2` is a
heuristic, as Nadeau and Bengio's term is; ``python -m benchmarks.levels`` measures the level and power that it gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from versus.statistics.equivalence import Rope

Floats = NDArray[np.float64]

VARIANCE_FACTOR = 1.5
FEWEST_ROWS_THAT_DIFFER = 10  # below, Student's approximation is poor and signs are flipped exactly
POWER = 0.8


@dataclass(frozen=True)
class PairedRows:
    """A mean over rows, of one model's scores or of the difference of two, and its uncertainty.

    Args:
        mean: in the unit of the score.
        standard_error: of the mean.
        rows: n, the number of units where rows depend on each other.
        splitting_share: of the variance of one block, the share that further blocks remove (0 … 1); 0 for one block,
            which cannot tell.
        flips: the values other than 0 where they are too few for Student's distribution; empty otherwise.
    """

    estimand: ClassVar[str] = "mean over rows that each block of folds tests once"

    mean: float
    standard_error: float
    rows: int
    splitting_share: float = 0.0
    flips: tuple[float, ...] = ()

    def shifted(self, by: float, least: float = 0.0) -> Self:
        """Move the mean by an amount; the standard error stays, or becomes ``least`` if that is more."""
        return replace(self, mean=self.mean + by, standard_error=max(self.standard_error, least))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval of the given confidence (0 … 1), in the unit of the scores."""
        reach = float(stdtrit(self.rows - 1, (1 + confidence) / 2)) * self.standard_error
        return self.mean - reach, self.mean + reach

    def p_value(self) -> float:
        """Two-sided p of the hypothesis that the true mean is 0; where few rows differ, over all flips of signs."""
        by_student = (
            float(2 * stdtr(self.rows - 1, -abs(self.mean) / self.standard_error)) if self.standard_error else 0.0
        )
        if not self.flips:
            return by_student if self.mean else 1.0
        signs = np.array(list(product((-1.0, 1.0), repeat=len(self.flips))))
        by_flips = float(np.mean(np.abs(signs @ np.array(self.flips)) >= abs(sum(self.flips)) - 1e-9))
        return max(by_student, by_flips)

    def rope(self, halfwidth: float) -> Rope:
        """Probabilities that the true mean lies below, within and above ±``halfwidth``."""
        if not self.standard_error:
            below, above = float(self.mean < -halfwidth), float(self.mean > halfwidth)
        else:
            below, above = (
                float(stdtr(self.rows - 1, (-halfwidth + sign * self.mean) / self.standard_error)) for sign in (-1, 1)
            )
        return Rope(below, 1 - below - above, above)

    def rows_to_decide(self, margin: float, confidence: float) -> int | None:
        """Estimate the number of rows that would decide with a power of 80 %, were the true difference this one.

        To decide is to show that one is ahead or, where the difference is within ``margin``, that both are practically
        equal.

        Returns:
            None where the difference lies on the margin.
        """
        gap = abs(self.mean) if abs(self.mean) > margin else margin - abs(self.mean)
        if gap <= 1e-12:
            return None
        reach = float(ndtri((1 + confidence) / 2) + ndtri(POWER))
        return int(np.ceil(self.rows * (reach * self.standard_error / gap) ** 2))


def paired_rows(scores: Floats, units: NDArray[np.int64] | None = None, resolution: float = 0.0) -> PairedRows:
    """Compute the mean of scores, or of differences of two models' scores, over cross-validated rows.

    Args:
        scores: (n, R) for each row and block; n >= 2.
        units: (n,) unit of each row, where rows depend on each other (groups, copies); each row is its own by default.
        resolution: the least that one row can contribute (1 where it is right or wrong): the standard error is taken to
            be at least that of a single row that differs, so that identical answers do not pass for certainty.

    Raises:
        ValueError: for another shape, fewer than two units, or a value that is not finite.
    """
    if scores.ndim != 2 or scores.shape[0] < 2 or scores.shape[1] < 1:
        raise ValueError(f"scores has shape {scores.shape}; needs (n, R) with n >= 2 rows and R >= 1 blocks")
    if not np.isfinite(scores).all():
        raise ValueError("scores holds values that are not finite")
    n, blocks = scores.shape
    mean = float(scores.mean())
    if units is not None:
        # Sums of deviations, scaled so that their mean over units is the mean over rows (a ratio estimate).
        owners = np.unique(units, return_inverse=True)[1]
        m = int(owners.max()) + 1
        if m < 2:
            raise ValueError("all rows are of one unit; needs 2 or more")
        scores = mean + np.stack([np.bincount(owners, of - mean, m) for of in scores.T], axis=1) * (m / n)
        n = m
    averaged, single = float(np.var(scores.mean(axis=1), ddof=1)), float(np.var(scores, axis=0, ddof=1).mean())
    splitting = 0.0 if blocks == 1 else blocks / (blocks - 1) * max(0.0, single - averaged)
    values = scores.mean(axis=1)
    values = values[np.abs(values) > 1e-12]
    return PairedRows(
        mean=mean,
        standard_error=max(float(np.sqrt(VARIANCE_FACTOR * single / n)), resolution / n),
        rows=n,
        splitting_share=splitting / single if single > 0 else 0.0,
        flips=tuple(map(float, values)) if len(values) < FEWEST_ROWS_THAT_DIFFER else (),
    )
