r"""The corrected resampled t-test: paired differences over repeated random splits of the same data.

Splits of one data set share most of their rows, so their differences :math:`d_1 \dots d_J` are correlated and the
ordinary t-test finds far too many "significant" ones. The variance of the mean is taken as

.. math:: \left(\frac{1}{J} + \frac{n_\text{test}}{n_\text{train}}\right) S^2_d

with :math:`J - 1` degrees of freedom. Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52
(2003). The same Student distribution, read as a posterior, is the Bayesian correlated t-test of Corani & Benavoli,
"A Bayesian approach for comparing cross-validated algorithms on multiple data sets", Machine Learning 100 (2015).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from versus.statistics.equivalence import Rope


@dataclass(frozen=True)
class CorrectedMean:
    """A mean over correlated repeats: a Student distribution with this location, scale and degrees of freedom."""

    estimand: ClassVar[str] = "mean over repeats, each with training and test rows of its own"

    mean: float
    standard_error: float
    degrees_of_freedom: int

    def shifted(self, by: float, least: float = 0.0) -> Self:
        """Move the mean by an amount; the standard error stays, or becomes ``least`` if that is more."""
        return replace(self, mean=self.mean + by, standard_error=max(self.standard_error, least))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval of the given confidence (0 … 1), in the unit of the scores."""
        reach = float(stdtrit(self.degrees_of_freedom, (1 + confidence) / 2)) * self.standard_error
        return self.mean - reach, self.mean + reach

    def p_value(self) -> float:
        """Two-sided p of the hypothesis that the true mean is 0; 1 where every repeat is exactly 0."""
        if self.standard_error == 0:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * stdtr(self.degrees_of_freedom, -abs(self.mean) / self.standard_error))

    def rope(self, halfwidth: float) -> Rope:
        """Posterior probabilities that the true mean lies below, within and above ±``halfwidth``."""
        below, above = self._mass_below(-halfwidth), 1 - self._mass_below(halfwidth)
        return Rope(below, 1 - below - above, above)

    def _mass_below(self, threshold: float) -> float:
        if self.standard_error == 0:
            return float(self.mean < threshold) + 0.5 * float(self.mean == threshold)
        return float(stdtr(self.degrees_of_freedom, (threshold - self.mean) / self.standard_error))


def corrected_mean(
    repeats: NDArray[np.float64], n_train: int | None, n_test: int, resolution: float = 0.0
) -> CorrectedMean:
    """The mean of scores, or of paired differences, over repeated random splits of the same data.

    Args:
        repeats: (J,), one value for each split, J >= 2.
        n_train: rows that the models were fitted on; None where every repeat has rows of its own, so that the values
            are independent, and the ordinary t-test is right.
        n_test: rows that they were scored on.
        resolution: the step in which a score can move (1 / n_test for an accuracy). The standard deviation is taken
            to be at least that of rounding to such steps, resolution / √12, so that repeats which agree by
            coincidence do not pass for certainty.

    Raises:
        ValueError: if there are fewer than two repeats, a value is not finite, or a size is not positive.
    """
    if repeats.ndim != 1 or len(repeats) < 2:
        raise ValueError(f"repeats has shape {repeats.shape}; needs (J,) with J >= 2, one value for each split")
    if not np.isfinite(repeats).all():
        raise ValueError(f"repeats holds values that are not finite: {repeats.tolist()}")
    if (n_train is not None and n_train < 1) or n_test < 1:
        raise ValueError(f"n_train={n_train} and n_test={n_test}; both must be at least 1")
    deviation = max(float(np.std(repeats, ddof=1)), resolution / np.sqrt(12))
    if np.ptp(repeats) == 0 and resolution == 0:
        deviation = 0.0  # not the rounding noise of a mean of equal floats
    inflation = 1 / len(repeats) + (n_test / n_train if n_train else 0.0)
    return CorrectedMean(float(np.mean(repeats)), deviation * float(np.sqrt(inflation)), len(repeats) - 1)
