"""Interval for a proportion observed once, such as the accuracy of one fit on one official test set."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson_interval(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval, which keeps its coverage near 0 and 1, where a bootstrap's shrinks to a point.

    Wilson (1927), JASA 22; recommended by Brown, Cai & DasGupta, "Interval estimation for a binomial proportion",
    Statistical Science 16 (2001).

    Raises:
        ValueError: unless 0 <= successes <= trials and trials >= 1.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes={successes}, trials={trials}; needs 0 <= successes <= trials and trials >= 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, centre - reach), min(1.0, centre + reach)
