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
# With many units the bias is small, and fewer resamples tell it as well: what is drawn in all is bounded, and so is
# what is held at a time.
RESAMPLES, FEWEST_RESAMPLES, MOST_DRAWN, MOST_AT_ONCE = 400, 50, 40_000_000, 4_000_000


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


def select(
    first: Floats,
    second: Floats,
    units: NDArray[np.int64] | None = None,
    random_state: int = 0,
    spread: float = 1.0,
) -> Selection:
    """Estimate the bias of a difference between the best models of two sides.

    Args:
        first: (n, A) out-of-fold scores of the first side's A models, higher is better, averaged over blocks.
        second: (n, B) the same for the second side.
        units: (n,) unit of each row; rows of one unit are drawn together. Each row is its own by default.
        random_state: seed of the bootstrap.
        spread: standard error of a mean as a multiple of what the rows show; the optimism grows with it. Folds share
            training rows, so for them it is more than 1 (`versus.statistics.paired_rows`).

    Raises:
        ValueError: where the numbers of rows differ or a side has no model.
    """
    if len(first) != len(second) or not first.shape[1] or not second.shape[1]:
        raise ValueError(f"first {first.shape} and second {second.shape} must have the same rows, and a model each")
    owners = np.arange(len(first)) if units is None else np.unique(units, return_inverse=True)[1]
    m = int(owners.max()) + 1
    rows = np.hstack([np.ones((len(first), 1)), first, second])
    # Of each unit: its rows, then the scores of all models.
    sums = rows if units is None else np.stack([np.bincount(owners, column, m) for column in rows.T], axis=1)
    resamples = int(np.clip(MOST_DRAWN // m, FEWEST_RESAMPLES, RESAMPLES))
    at_once = int(np.clip(MOST_AT_ONCE // m, 1, resamples))
    rng = np.random.default_rng(random_state)
    everywhere, sides = sums.sum(axis=0), (slice(1, 1 + first.shape[1]), slice(1 + first.shape[1], None))
    best = np.array([_best(everywhere[side] / everywhere[0]) for side in sides])
    picks, lost = np.zeros((resamples, 2), np.int64), np.full(resamples, np.nan)
    for start in range(0, resamples, at_once):
        chunk = slice(start, min(start + at_once, resamples))
        times = [np.bincount(rng.integers(0, m, m), minlength=m) for _ in range(resamples)[chunk]]
        drawn = np.stack(times).astype(np.float64)
        inside, outside = drawn @ sums, (drawn == 0).astype(np.float64) @ sums
        for k, (side, sign) in enumerate(zip(sides, (1, -1), strict=True)):
            picks[chunk, k] = _best(inside[:, side] / inside[:, :1])
            with np.errstate(invalid="ignore"):
                means = outside[:, side] / outside[:, :1]  # NaN where no unit is left out
            # Against the model that is best over all rows, on the same rows: 0 where the same one is picked.
            gap = sign * (means[:, best[k]] - np.take_along_axis(means, picks[chunk, k, None], axis=1)[:, 0])
            lost[chunk] = gap if k == 0 else lost[chunk] + gap
    often = tuple(np.bincount(picks[:, k], minlength=n.shape[1]) / resamples for k, n in enumerate((first, second)))
    return Selection(
        optimism=spread * float(np.nanmean(lost)) if np.isfinite(lost).any() else 0.0,
        stability=float(np.mean((picks == best).all(axis=1))),
        often=(often[0], often[1]),
    )


def _best(means: Floats) -> NDArray[np.int64]:
    """The highest, (..., M) -> indices (...); the first of those that tie."""
    found: NDArray[np.int64] = np.round(means, DIGITS).argmax(axis=-1)
    return found
