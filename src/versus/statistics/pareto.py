"""The models that no other model beats on both counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(cost: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the points on the front, (n,), (n,) -> (n,): no other costs at most as much and gains at least as much,
    with one of the two better. Equal points are on it together; a point with a NaN is never on it.
    """
    finite = np.isfinite(cost) & np.isfinite(gain)
    no_worse = (cost[:, None] <= cost) & (gain[:, None] >= gain)  # (n, n): i is at least as good as j
    better = (cost[:, None] < cost) | (gain[:, None] > gain)
    dominated = (no_worse & better & finite[:, None]).any(axis=0)
    front: NDArray[np.bool_] = finite & ~dominated
    return front
