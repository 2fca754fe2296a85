r"""Ranks over several data sets: Friedman's test, Nemenyi's critical difference.

With k models on N data sets and mean ranks :math:`R_j`,

.. math:: \chi^2_F = \frac{12 N}{k(k+1)} \Bigl(\sum_j R_j^2 - \frac{k(k+1)^2}{4}\Bigr), \qquad
          F_F = \frac{(N-1)\,\chi^2_F}{N(k-1) - \chi^2_F}, \qquad
          CD = q_\alpha \sqrt{\frac{k(k+1)}{6N}}

Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006). :math:`F_F` is Iman and
Davenport's correction (1980), less conservative than :math:`\chi^2_F`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Friedman:
    """Mean ranks, (k,), and the tests that all k models rank alike."""

    mean_ranks: Floats
    chi_square: float
    f_statistic: float
    p_value: float  # of the F statistic
    n_datasets: int


def rank_rows(scores: Floats, higher_is_better: bool = True) -> Floats:
    """Rank models within each data set, (N, k) -> (N, k): 1 is best, ties share their mean rank."""
    signed = -scores if higher_is_better else scores
    smaller = (signed[:, None, :] < signed[:, :, None]).sum(axis=2)
    equal = (signed[:, None, :] == signed[:, :, None]).sum(axis=2)
    ranks: Floats = smaller + (equal + 1) / 2
    return ranks


def win_rates(scores: Floats, higher_is_better: bool = True) -> tuple[Floats, NDArray[np.int64]]:
    """Share of data sets on which each model beats each other one.

    Args:
        scores: (N, k), NaN where a model did not run.
        higher_is_better: False where the lower score wins.

    Returns:
        (k, k) shares of the row's model against the column's, a tie counts half, NaN where both never ran on one data
        set and for a model against itself; and (k, k) the number of data sets that both ran on.
    """
    apart = scores[:, :, None] - scores[:, None, :]  # (N, k, k)
    both = np.isfinite(apart)
    won = (apart > 0 if higher_is_better else apart < 0) + 0.5 * (apart == 0)
    met: NDArray[np.int64] = both.sum(axis=0)
    rates = np.divide(np.where(both, won, 0.0).sum(axis=0), met, out=np.full(met.shape, np.nan), where=met > 0)
    np.fill_diagonal(rates, np.nan)
    return rates, met


def friedman(ranks: Floats) -> Friedman:
    """Friedman's test with Iman and Davenport's F, on ranks (N, k) from `rank_rows`.

    Raises:
        ValueError: with fewer than two data sets or two models.
    """
    n, k = ranks.shape
    if n < 2 or k < 2:
        raise ValueError(f"ranks has shape {ranks.shape}; needs at least 2 data sets and 2 models")
    mean_ranks: Floats = ranks.mean(axis=0)
    chi_square = 12 * n / (k * (k + 1)) * (float(np.sum(mean_ranks**2)) - k * (k + 1) ** 2 / 4)
    room = n * (k - 1) - chi_square
    # At the largest possible chi-square every data set ranks alike and F is infinite.
    f_statistic = (n - 1) * chi_square / room if room > 1e-9 else float("inf")
    p = float(fdtrc(k - 1, (k - 1) * (n - 1), f_statistic)) if np.isfinite(f_statistic) else 0.0
    return Friedman(mean_ranks, chi_square, f_statistic, p, n)


def critical_difference(n_models: int, n_datasets: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks: two models further apart than this differ at level ``alpha``."""
    # Inside the function, since scipy.stats takes a second to import and only this quantile needs it.
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, n_models, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(n_models * (n_models + 1) / (6 * n_datasets)))


def indistinct_groups(mean_ranks: Floats, difference: float) -> list[tuple[int, ...]]:
    """The largest sets of models, as indices in order of rank, whose mean ranks all lie within ``difference``.

    Only sets of two or more: the bars of a critical-difference diagram.
    """
    order = [int(i) for i in np.argsort(mean_ranks, kind="stable")]
    groups: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and mean_ranks[order[stop]] - mean_ranks[order[start]] <= difference:
            stop += 1
        if stop - start > 1 and stop > reached:
            groups.append(tuple(order[start:stop]))
            reached = stop
    return groups
