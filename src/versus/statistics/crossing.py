r"""Learning curves by size of the training set, and the size at which one model overtakes another.

The score of a row depends on the row and on the rows that were learned from, so both are resampled: test rows by their
unit, the same ones in all parts that contain them, and training sets over all repeats (the pigeonhole bootstrap: Owen,
"The pigeonhole bootstrap", *Annals of Applied Statistics* 1, 2007; it errs on the wide side). All models and all sizes
are resampled alike, so differences stay paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class CurveBootstrap:
    """B resamples of the units of test rows and of the training sets, made once for all curves.

    Args:
        units: of each repeat (n,), unit of each test row.
        draws: nested sequences of training sets in each repeat.
        resamples: B.
        random_state: seed.
    """

    def __init__(
        self, units: Sequence[NDArray[np.int64]], draws: int, resamples: int = 1000, random_state: int = 0
    ) -> None:
        rng = np.random.default_rng(random_state)
        known, joined = np.unique(np.concatenate(units), return_inverse=True)
        sets = len(units) * draws
        rows = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), size=resamples)
        fits = rng.multinomial(sets, np.full(sets, 1 / sets), size=resamples)
        # Resample 0 is the sample itself.
        rows, fits = (np.vstack([np.ones(drawn.shape[1], np.int64), drawn]) for drawn in (rows, fits))
        ends = np.cumsum([len(of) for of in units])[:-1]
        self._rows = [rows[:, part].astype(np.float32) for part in np.split(joined, ends)]  # of each repeat (B + 1, n)
        self._fits = fits.reshape(len(fits), len(units), draws).astype(np.float64)

    def curve(self, scores: Sequence[NDArray[np.floating]]) -> Floats:
        """Average scores of rows, of each repeat (S, draws, n), by size: (B + 1, S), the sample itself first.

        A resample without any row is NaN.
        """
        total, weight = 0.0, np.zeros(len(self._fits))
        for repeat, (of, rows) in enumerate(zip(scores, self._rows, strict=True)):
            sums = np.tensordot(of.astype(np.float32), rows, axes=(2, 1)).astype(np.float64)  # (S, draws, B + 1)
            total = total + np.einsum("sdb,bd->bs", sums, self._fits[:, repeat])
            weight += rows.sum(axis=1, dtype=np.float64) * self._fits[:, repeat].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = total / weight[:, None]
        return found


def interval(curve: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Percentile interval at each size: resamples (B, S) -> ends (S,), (S,)."""
    tail = (1 - confidence) / 2
    known = np.isfinite(curve).any(axis=0)
    ends = np.full((2, curve.shape[1]), np.nan)
    ends[:, known] = np.nanquantile(curve[:, known], [tail, 1 - tail], axis=0)
    return ends[0], ends[1]


@dataclass(frozen=True)
class Crossing:
    """Training-set size at which the side that is ahead at last comes ahead to stay.

    Args:
        first: sign of the difference below it.
        at: the size, by linear interpolation over the logarithm of the size.
        low, high: ends of its percentile interval; 0 below the smallest size, infinite beyond the largest one.
    """

    first: int
    at: float
    low: float
    high: float


def crossing(sizes: Sequence[int], differences: Floats, confidence: float) -> Crossing | None:
    """Find the crossing of two curves; None where the side that is ahead at last is ahead at every size.

    Args:
        sizes: (S,) ascending.
        differences: (B + 1, S), the curve first and its resamples below.
        confidence: of the interval.
    """
    last = int(np.sign(differences[0, -1]))
    at = _crossing(np.log(sizes), differences[0] * last)
    if last == 0 or not np.isfinite(at):
        return None
    found = [_crossing(np.log(sizes), drawn * last) for drawn in differences[1:] if np.isfinite(drawn).all()]
    tail = (1 - confidence) / 2
    # By order statistics: between infinite ends nothing can be interpolated.
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")
    return Crossing(-last, float(np.exp(at)), float(np.exp(low)), float(np.exp(high)))


def _crossing(x: Floats, difference: Floats) -> float:
    """Where a difference becomes positive for good; -inf if it always is, inf if it is not at the end."""
    behind = np.flatnonzero(difference <= 0)
    if not len(behind):
        return -np.inf
    i = int(behind[-1])
    if i == len(x) - 1:
        return np.inf
    share = -difference[i] / (difference[i + 1] - difference[i])
    return float(x[i] + share * (x[i + 1] - x[i]))
