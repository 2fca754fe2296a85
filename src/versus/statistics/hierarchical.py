r"""One statement over several data sets: a hierarchical model of the differences that were measured on each.

.. math:: d_i \sim \mathcal N(\delta_i, s_i^2), \qquad \delta_i \sim \mathcal N(\mu, \tau^2)

with a flat prior of the mean :math:`\mu` and a uniform one of the deviation :math:`\tau`. Given :math:`\tau`, all is
normal; :math:`\tau` is integrated on a grid (Gelman and others, *Bayesian Data Analysis*, 2013, section 5.4). What is
asked of it, the mean difference and that on a further data set of the same kind, follows Corani, Benavoli, Demšar,
Mangili and Zaffalon, "Statistical comparison of classifiers through Bayesian hierarchical modelling", Machine Learning
106 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from versus.statistics.equivalence import Rope

Floats = NDArray[np.float64]
GRID = 2000  # values of the deviation
FEWEST = 3  # data sets: with fewer, the prior of the deviation decides


@dataclass(frozen=True)
class Population:
    """Posterior of the differences in a population of data sets: a mixture of normals over the deviation's grid.

    Args:
        weights: (G,) posterior of the deviation, which sums to 1.
        centres, spreads: (G,) mean and standard deviation of the population's mean, given each deviation.
        deviations: (G,) standard deviation of the differences between data sets.
    """

    weights: Floats
    centres: Floats
    spreads: Floats
    deviations: Floats

    @property
    def mean(self) -> float:
        """Posterior mean of the population's mean difference."""
        return float(self.weights @ self.centres)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval of the mean difference, with equal tails, by bisection."""
        low, high = (self._quantile(tail) for tail in ((1 - confidence) / 2, (1 + confidence) / 2))
        return low, high

    def next_one(self, halfwidth: float) -> Rope:
        """Probabilities that the difference on a further data set lies below, within and above ±``halfwidth``."""
        spread = np.hypot(self.spreads, self.deviations)
        below = float(self.weights @ ndtr((-halfwidth - self.centres) / spread))
        above = float(self.weights @ ndtr((self.centres - halfwidth) / spread))
        return Rope(below, 1 - below - above, above)

    def _quantile(self, share: float) -> float:
        low, high = (float(f(self.centres + sign * 12 * self.spreads)) for f, sign in ((np.min, -1), (np.max, 1)))
        for _ in range(80):
            middle = (low + high) / 2
            below = float(self.weights @ ndtr((middle - self.centres) / self.spreads))
            low, high = (middle, high) if below < share else (low, middle)
        return (low + high) / 2


def population(differences: Floats, standard_errors: Floats, largest: float = 1.0) -> Population:
    """Infer the population that measured differences come from.

    Args:
        differences: (N,) of each data set, N >= 3.
        standard_errors: (N,) of each difference, positive.
        largest: upper end of the uniform prior of the deviation between data sets; 1 holds for any share.

    Raises:
        ValueError: with fewer data sets, or where a number is not finite or a standard error not positive.
    """
    d, s = np.asarray(differences, np.float64), np.asarray(standard_errors, np.float64)
    if d.shape != s.shape or d.ndim != 1 or len(d) < FEWEST:
        raise ValueError(f"differences {d.shape} and standard_errors {s.shape} must be (N,), N at least {FEWEST}")
    if not (np.isfinite(d).all() and np.isfinite(s).all() and (s > 0).all()):
        raise ValueError(f"differences and standard errors must be finite, the latter positive: {d}, {s}")
    # Middles of cells that grow with the square, since most of the posterior lies near 0.
    edges = largest * np.linspace(0, 1, GRID + 1) ** 2
    tau, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    variance = s**2 + tau[:, None] ** 2  # (G, N)
    precision = (1 / variance).sum(axis=1)
    centre = (d / variance).sum(axis=1) / precision
    log = np.log(width) - 0.5 * (np.log(precision) + (np.log(variance) + (d - centre[:, None]) ** 2 / variance).sum(1))
    weights = np.exp(log - log.max())
    return Population(weights / weights.sum(), centre, 1 / np.sqrt(precision), tau)
