r"""How far to shrink a sample correlation matrix towards no correlation.

.. math:: \lambda^* = \min\left(1,
          \frac{\sum_n \lVert z_n z_n^\top - S \rVert_F^2}{n^2 \, \lVert S - mI \rVert_F^2}\right)

for rows z with sample covariance S of mean variance m. Ledoit and Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices" (2004).
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array


def ledoit_wolf(n: int, scatter: Array, fourth: float) -> float:
    """The shrinkage in [0, 1] for ``n`` rows z (D,) of mean 0.

    Args:
        n: how many rows.
        scatter: sum of the rows' outer products (D, D).
        fourth: sum of the rows' norms to the fourth power.
    """
    covariance = scatter / n
    n_columns = len(covariance)
    squares = float((covariance**2).sum())
    distance = squares - float(np.trace(covariance)) ** 2 / n_columns
    noise = (fourth / n - squares) / n
    return 1.0 if distance <= noise else max(noise / distance, 0.0)


def shrunk(covariance: Array, amount: float) -> Array:
    """(D, D) with its correlations multiplied by ``1 - amount``; variances stay."""
    mixed: Array = (1 - amount) * covariance + amount * np.diag(np.diagonal(covariance))
    return mixed
