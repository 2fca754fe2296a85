r"""Hill climbing over directed acyclic graphs by a score that is a sum over columns and their parents.

.. math:: \text{BIC} = \sum_d \Bigl[\ell_d - \tfrac{\log N}{2}\, q_d (C_d - 1)\Bigr], \qquad
    \text{BDeu} = \sum_d \sum_j \Bigl[\log\frac{\Gamma(s/q_d)}{\Gamma(s/q_d + n_{dj})}
    + \sum_c \log\frac{\Gamma(s/q_d C_d + n_{djc})}{\Gamma(s/q_d C_d)}\Bigr]

with q the number of combinations of a column's parents. Schwarz (1978); Heckerman, Geiger and Chickering, "Learning
Bayesian networks: the combination of knowledge and statistical data" (1995).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, prod

import numpy as np
from scipy.special import gammaln, xlogy

from versus.arrays import Array

Parents = tuple[int, ...]
Score = Callable[[Array, int], float]  # counts (q, C) of a column by the combination of its parents, and N, to nats


def bic(counts: Array, rows: int) -> float:
    """Log-likelihood of one column given its parents, less half of log N for each free parameter."""
    likelihood = xlogy(counts, counts).sum() - xlogy(counts.sum(axis=1), counts.sum(axis=1)).sum()
    return float(likelihood - 0.5 * log(max(rows, 2)) * counts.shape[0] * (counts.shape[1] - 1))


def bdeu(equivalent_sample_size: float) -> Score:
    """Log-probability of one column given its parents under a Dirichlet prior worth so many rows."""

    def score(counts: Array, rows: int) -> float:
        of_cell = equivalent_sample_size / counts.size
        of_parents = equivalent_sample_size / counts.shape[0]
        cells = gammaln(of_cell + counts).sum() - counts.size * gammaln(of_cell)
        return float(cells + counts.shape[0] * gammaln(of_parents) - gammaln(of_parents + counts.sum(axis=1)).sum())

    return score


def family_counts(codes: Array, sizes: Sequence[int], column: int, parents: Parents) -> Array:
    """Count a column's categories by its parents', (N, D) with NaN -> (product of parents' sizes, C).

    Rows that lack one of them are left out, and the rest is scaled to N rows, so that scores compare.
    """
    members = [*parents, column]
    chosen = codes[:, members]
    known = ~np.isnan(chosen).any(axis=1)
    shape = tuple(sizes[m] for m in members)
    cells = np.ravel_multi_index(tuple(chosen[known].astype(np.int64).T), shape)
    counts = np.bincount(cells, minlength=prod(shape)).reshape(-1, sizes[column])
    return counts * (len(codes) / max(int(known.sum()), 1))


def topological_order(parents: Sequence[Parents]) -> list[int]:
    """Order columns, each after its parents."""
    order: list[int] = []
    while len(order) < len(parents):
        ready = [d for d, own in enumerate(parents) if d not in order and set(own) <= set(order)]
        if not ready:
            raise ValueError(f"the parents {list(parents)} go round in a circle")
        order += ready
    return order


class HillClimbing:
    """Greedy search for the parents of D columns; an arc is added, removed or turned as long as the score rises.

    Args:
        codes: (N, D) categories, NaN where missing.
        sizes: number of categories of each column.
        score: score of one column's counts.
        max_parents: of a column.
        roots: columns that get no parents.
    """

    def __init__(
        self, codes: Array, sizes: Sequence[int], score: Score, max_parents: int, roots: Sequence[int] = ()
    ) -> None:
        self.codes, self.sizes, self.score, self.max_parents = codes, tuple(sizes), score, max_parents
        self.roots = frozenset(roots)
        self.parents: list[Parents] = [() for _ in sizes]
        self._scores: dict[tuple[int, Parents], float] = {}

    def of_family(self, column: int, parents: Parents) -> float:
        """Score of one column with these parents, computed once."""
        key = column, tuple(sorted(parents))
        if key not in self._scores:
            self._scores[key] = self.score(family_counts(self.codes, self.sizes, *key), len(self.codes))
        return self._scores[key]

    @property
    def total(self) -> float:
        """Score of the graph."""
        return sum(self.of_family(d, parents) for d, parents in enumerate(self.parents))

    def climb(self) -> list[Parents]:
        """Search to a local maximum; returns the parents of each column, ascending."""
        while (step := self._best_step()) is not None:
            for column, parents in step.items():
                self.parents[column] = parents
        return self.parents

    def _best_step(self) -> dict[int, Parents] | None:
        """Change of parents that raises the score most; None where none raises it."""
        reaches = self._reachable()
        best, gain = None, 1e-9 * max(1.0, abs(self.total))
        for child in range(len(self.sizes)):
            for other in range(len(self.sizes)):
                for step in self._steps(other, child, reaches):
                    gained = sum(self.of_family(d, p) - self.of_family(d, self.parents[d]) for d, p in step.items())
                    if gained > gain:
                        best, gain = step, gained
        return best

    def _steps(self, parent: int, child: int, reaches: Array) -> list[dict[int, Parents]]:
        """List the changes of the arc from ``parent`` to ``child`` that keep the graph acyclic."""
        own = self.parents[child]
        if parent == child or child in self.roots:
            return []
        if parent not in own:
            fits = len(own) < self.max_parents and not reaches[child, parent]
            return [{child: tuple(sorted((*own, parent)))}] if fits else []
        without = tuple(p for p in own if p != parent)
        steps = [{child: without}]
        others = [c for c in range(len(self.sizes)) if parent in self.parents[c] and c != child]
        turns = len(self.parents[parent]) < self.max_parents and parent not in self.roots
        if turns and not any(reaches[c, child] for c in others):
            steps.append({child: without, parent: tuple(sorted((*self.parents[parent], child)))})
        return steps

    def _reachable(self) -> Array:
        """Entry [a, b] is True where arcs lead from a to b, or a is b."""
        reaches = np.eye(len(self.sizes), dtype=bool)
        for column, parents in enumerate(self.parents):
            reaches[list(parents), column] = True
        for _ in range(len(self.sizes).bit_length()):
            reaches = (reaches.astype(np.float32) @ reaches.astype(np.float32)) > 0
        return reaches
