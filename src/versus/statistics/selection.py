"""Compare the best of two sides without the winner's curse: bootstrap bias-corrected cross-validation.

Rows are drawn with replacement; each side's best is picked on the drawn rows and scored on those left out. The mean of
the difference is free of the bias that comes from picking and scoring on the same rows, and needs no further fit.
Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and accurate
cross-validation", Machine Learning 107 (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIGITS = 9  # means that agree to so many decimals are tied: what differs beyond is rounding
RESAMPLES = 400


@dataclass(frozen=True)
class Selection:
    """The best model of each of two sides.

    Args:
        optimism: amount that picking and scoring on the same rows adds to the difference first − second, in the unit of
            the scores; negative where the second side gains more by it.
        stability: share of the resamples in which the pair is picked that is best over all rows.
        often: of each side, the share of the resamples in which each of its models is picked; each sums to 1.
    """

    optimism: float
    stability: float
    often: tuple[Floats, Floats]


def select(first: Floats, second: Floats, units: NDArray[np.int64] | None = None, random_state: int = 0) -> Selection:
    """Estimate the bias of a difference between the best models of two sides.

    Args:
        first: (n, A) out-of-fold scores of the first side's A models, higher is better, averaged over blocks.
        second: (n, B) the same for the second side.
        units: (n,) unit of each row; rows of one unit are drawn together. Each row is its own by default.
        random_state: seed of the bootstrap.

    Raises:
        ValueError: where the numbers of rows differ or a side has no model.
    """
    if len(first) != len(second) or not first.shape[1] or not second.shape[1]:
        raise ValueError(f"first {first.shape} and second {second.shape} must have the same rows, and a model each")
    owners = np.arange(len(first)) if units is None else np.unique(units, return_inverse=True)[1]
    m = int(owners.max()) + 1
    rng = np.random.default_rng(random_state)
    both = first, second
    best = [_best(scores.mean(axis=0)) for scores in both]
    picks, lost = np.zeros((RESAMPLES, 2), np.int64), np.full(RESAMPLES, np.nan)
    for b in range(RESAMPLES):
        drawn = np.bincount(rng.integers(0, m, m), minlength=m)[owners].astype(np.float64)
        picks[b] = [_best(drawn @ scores / drawn.sum()) for scores in both]
        left_out = drawn == 0
        if left_out.any():
            means = [scores[left_out].mean(axis=0) for scores in both]
            # Against the pair that is best over all rows, on the same rows: 0 where the same pair is picked.
            lost[b] = sum(sign * (means[k][best[k]] - means[k][picks[b, k]]) for k, sign in ((0, 1), (1, -1)))
    often = tuple(np.bincount(picks[:, k], minlength=scores.shape[1]) / RESAMPLES for k, scores in enumerate(both))
    return Selection(
        optimism=float(np.nanmean(lost)) if np.isfinite(lost).any() else 0.0,
        stability=float(np.mean((picks == best).all(axis=1))),
        often=(often[0], often[1]),
    )


def _best(means: Floats) -> int:
    """The highest, (M,) -> index; the first of those that tie."""
    return int(np.round(means, DIGITS).argmax())
