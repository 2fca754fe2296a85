r"""How wide the kernels of a density estimate are.

Scott's and Silverman's rules give, for n rows of D columns, the factor by which a column's standard deviation is
multiplied: :math:`n^{-1/(D+4)}` and :math:`(n (D + 2) / 4)^{-1/(D+4)}`. Cross-validation takes the factor that makes
each row most likely under the kernels of the others. Silverman, *Density Estimation* (1986), sections 3.4 and 4.3;
Scott, *Multivariate Density Estimation* (1992).
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array

RULES = ("scott", "silverman", "cross_validation")
_CANDIDATES = np.geomspace(0.05, 2.0, 25)  # multiples of Scott's factor
_LARGEST = 2000  # rows that cross-validation looks at


def factor(rule: str, rows: Array, rng: np.random.Generator) -> float:
    """The multiple of the columns' deviations that ``rule`` proposes for rows (N, D) of unit variance."""
    n, n_columns = rows.shape
    scott = float(n ** (-1.0 / (n_columns + 4)))
    if rule == "scott":
        return scott
    if rule == "silverman":
        return float((n * (n_columns + 2) / 4.0) ** (-1.0 / (n_columns + 4)))
    if n < 3:
        return scott
    if n > _LARGEST:
        rows = rows[rng.choice(n, _LARGEST, replace=False)]
    likelihoods = [left_one_out(rows, scott * c) for c in _CANDIDATES]
    return scott * float(_CANDIDATES[int(np.argmax(likelihoods))])


def left_one_out(rows: Array, width: float) -> float:
    """Mean log-density (nats) of each row (N, D) under isotropic normal kernels of ``width`` on all the others."""
    n, n_columns = rows.shape
    norms = (rows**2).sum(axis=1)
    exponent = (rows @ rows.T - 0.5 * (norms[:, None] + norms)) / width**2
    np.fill_diagonal(exponent, -np.inf)
    top = exponent.max(axis=1)
    total = np.log(np.exp(exponent - top[:, None]).sum(axis=1)) + top
    return float(total.mean() - np.log(n - 1) - 0.5 * n_columns * np.log(2 * np.pi * width**2))
