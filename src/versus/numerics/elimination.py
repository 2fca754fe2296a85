r"""Sums over the unobserved variables of a product of tables, by variable elimination.

.. math:: \log \sum_{x_M} \prod_f \phi_f(x_f), \qquad M \text{ the variables that a row lacks}

Zhang and Poole, "Exploiting causal independence in Bayesian network inference" (1996); Koller and Friedman,
*Probabilistic Graphical Models* (2009), chapter 9. All rows are summed at once: what a row observes enters as a table
of 0 and 1, so that rows of different gaps share one order of elimination, greedily the one of smallest tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from versus.arrays import Array

LARGEST = 2**22  # cells of a table, beyond which an elimination is refused
_CELLS = 2**21  # of one table for all the rows that are summed at once
_PATTERNS = 16  # of gaps that are summed one by one


class TreeWidthError(ValueError):
    """Error for a model whose exact sums need too large tables."""


@dataclass(frozen=True)
class Factor:
    """Log of a table over variables, ascending; axis i of the table belongs to ``variables[i]``."""

    variables: tuple[int, ...]
    log_table: Array


def elimination_order(
    scopes: Iterable[Iterable[int]], hidden: Iterable[int], sizes: Sequence[int]
) -> tuple[list[int], int]:
    """Order the hidden variables, each time the one of the smallest table; also returns the cells of the largest one.

    Args:
        scopes: variables of each factor.
        hidden: variables to sum over.
        sizes: number of values of every variable.
    """
    left = set(hidden)
    live = [set(scope) & left for scope in scopes]
    order, largest = [], 1
    while left:
        unions = {v: set().union({v}, *(scope for scope in live if v in scope)) for v in left}
        cells = {v: prod(sizes[u] for u in union) for v, union in unions.items()}
        best = min(left, key=lambda v: (cells[v], v))
        order.append(best)
        largest = max(largest, cells[best])
        left.remove(best)
        live = [scope for scope in live if best not in scope] + [unions[best] - {best}]
    return order, largest


def log_sums(factors: Sequence[Factor], codes: Array, sizes: Sequence[int]) -> Array:
    """Log of the product of the factors, summed over what each row lacks, (N, D) -> (N,) nats.

    Args:
        factors: log-tables.
        codes: (N, D) values of the variables, NaN where missing.
        sizes: number of values of every variable, (D,).

    Raises:
        TreeWidthError: where a table would have more than `LARGEST` cells.
    """
    missing = np.isnan(codes)
    whole = np.where(missing, -1, codes).astype(np.int64)
    keys = missing @ np.random.default_rng(0).random(missing.shape[1])  # a pattern's own; equal ones would do no harm
    patterns, of_row = np.unique(keys, return_inverse=True)
    if len(patterns) > _PATTERNS:
        of_row = (keys > 0).astype(np.int64)
    total = np.empty(len(codes))
    for group in np.unique(of_row).tolist():
        rows = np.flatnonzero(of_row == group)
        hidden = np.flatnonzero(missing[rows].any(axis=0)).tolist()
        order, largest = elimination_order([f.variables for f in factors], hidden, sizes)
        _expect_small(largest)
        step = max(1, _CELLS // largest)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            total[part] = _summed(factors, whole[part], order, sizes)
    return total


def _expect_small(largest: int) -> None:
    if largest > LARGEST:
        raise TreeWidthError(f"an exact sum needs a table of {largest:.3g} cells; at most {LARGEST:.3g} are summed")


def draw(factors: Sequence[Factor], n: int, sizes: Sequence[int], rng: np.random.Generator) -> Array:
    """Draw n rows (n, D) with probabilities proportional to the product, from the last eliminated variable back.

    Raises:
        TreeWidthError: as `log_sums`.
    """
    order, largest = elimination_order([f.variables for f in factors], range(len(sizes)), sizes)
    _expect_small(largest)
    kept: list[tuple[int, tuple[int, ...], Array]] = []
    _summed(factors, np.full((1, len(sizes)), -1), order, sizes, kept)
    rows = np.zeros((n, len(sizes)), dtype=np.int64)
    for variable, scope, table in reversed(kept):
        axis = scope.index(variable)
        others = tuple(rows[:, v] for v in scope if v != variable)
        chosen = np.moveaxis(table[0], axis, -1)[others] if others else np.broadcast_to(table[0], (n, sizes[variable]))
        rows[:, variable] = choose(chosen, rng)
    return rows


def choose(weights: Array, rng: np.random.Generator) -> Array:
    """Draw a column of each row with probabilities proportional to the row, (n, C) -> (n,)."""
    below = np.cumsum(weights, axis=1)
    point = rng.random((len(weights), 1)) * below[:, -1:]
    chosen: Array = np.minimum((point >= below).sum(axis=1), weights.shape[1] - 1)
    return chosen


def _summed(
    factors: Sequence[Factor],
    codes: Array,
    order: Sequence[int],
    sizes: Sequence[int],
    kept: list[tuple[int, tuple[int, ...], Array]] | None = None,
) -> Array:
    """Sum over ``order`` for codes (n, D), -1 where missing; ``kept`` gets each eliminated variable's whole table."""
    hidden, total = set(order), np.zeros(len(codes))
    live: list[tuple[tuple[int, ...], Array]] = []
    for factor in factors:
        scope = tuple(v for v in factor.variables if v in hidden)
        table = _sliced(factor, codes, hidden)
        if not scope:
            total += table
            continue
        highest = table.reshape(len(table), -1).max(axis=1)
        total += highest
        live.append((scope, np.exp(table - highest.reshape(-1, *[1] * len(scope)))))
    for v in order:
        column = codes[:, v : v + 1]
        if (column >= 0).any():
            live.append(((v,), np.where(column < 0, 1.0, column == np.arange(sizes[v]))))
    for v in order:
        touched = [pair for pair in live if v in pair[0]]
        live = [pair for pair in live if v not in pair[0]]
        scope = tuple(sorted({v}.union(*(s for s, _ in touched))))
        product = _product(touched, scope, v, sizes)
        if kept is not None:
            kept.append((v, scope, product))
        summed = product.sum(axis=1 + scope.index(v))
        highest = summed.reshape(len(summed), -1).max(axis=1)
        with np.errstate(divide="ignore"):
            total += np.log(highest)
        rest = tuple(u for u in scope if u != v)
        if rest:
            safe = np.where(highest > 0, highest, 1.0)
            live.append((rest, summed / safe.reshape(-1, *[1] * len(rest))))
    return total


def _sliced(factor: Factor, codes: Array, hidden: set[int]) -> Array:
    """Rows of a log-table at the observed variables, (n or 1, sizes of the hidden ones)."""
    seen = [i for i, v in enumerate(factor.variables) if v not in hidden]
    if not seen:
        return factor.log_table[None]
    front = np.moveaxis(factor.log_table, seen, range(len(seen)))
    found: Array = front[tuple(codes[:, factor.variables[i]] for i in seen)]
    return found


def _product(
    tables: Sequence[tuple[tuple[int, ...], Array]], scope: tuple[int, ...], variable: int, sizes: Sequence[int]
) -> Array:
    product = np.ones((1, *(sizes[u] if u == variable else 1 for u in scope)))
    for own, table in sorted(tables, key=lambda pair: pair[1].size):
        product = product * table.reshape(len(table), *(sizes[u] if u in own else 1 for u in scope))
    return product
