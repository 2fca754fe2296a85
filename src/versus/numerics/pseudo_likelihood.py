r"""Pairwise log-linear models of categories, fitted by pseudo-likelihood.

.. math:: p(x) \propto \exp\Bigl(\sum_i b_{i x_i} + \sum_{i<j} W_{i x_i, j x_j}\Bigr), \qquad
    \sum_n \sum_i \log p(x_{ni} \mid x_{n, -i}) \to \max

Besag, "Statistical analysis of non-lattice data" (1975). With indicators H of all categories side by side, (N, S), the
conditional of every variable is a softmax of its block of H W + b: one matrix product for all variables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from versus.arrays import Array
from versus.numerics.dependence import one_hot
from versus.numerics.elimination import Factor


class PairwiseModel:
    """Biases (S,) and weights (S, S), symmetric, 0 outside the blocks of the edges.

    Args:
        sizes: number of values of each variable; S is their sum.
        edges: pairs of variables, the smaller one first.
    """

    def __init__(self, sizes: Sequence[int], edges: Sequence[tuple[int, int]]) -> None:
        self.sizes, self.edges = tuple(sizes), tuple(edges)
        self.starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        total = int(sum(sizes))
        self.upper = np.zeros((total, total), dtype=bool)
        for i, j in edges:
            self.upper[self.block(i), self.block(j)] = True
        self.biases, self.weights = np.zeros(total), np.zeros((total, total))

    def block(self, variable: int) -> slice:
        """Places of a variable's values."""
        return slice(int(self.starts[variable]), int(self.starts[variable]) + self.sizes[variable])

    def fit(self, codes: Array, penalty: float, max_iter: int) -> PairwiseModel:
        """Maximise the pseudo-likelihood of codes (N, D) less ``penalty`` / 2 times the squared weights, by L-BFGS.

        A missing value (NaN) has no conditional, and no part in those of others.
        """
        indicators = one_hot(codes, self.sizes, np.float64)
        shares = indicators.mean(axis=0)
        start = np.concatenate([np.log(np.maximum(shares, 1e-3)), np.zeros(int(self.upper.sum()))])
        rows = max(len(codes), 1)

        def objective(parameters: Array) -> tuple[float, Array]:
            loss, gradient = self.loss(parameters, indicators, penalty)
            return loss / rows, gradient / rows

        found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": max_iter})
        self._set(found.x)
        return self

    def _set(self, parameters: Array) -> None:
        total = len(self.biases)
        self.biases = parameters[:total]
        self.weights = np.zeros((total, total))
        self.weights[self.upper] = parameters[total:]
        self.weights += self.weights.T

    def loss(self, parameters: Array, indicators: Array, penalty: float) -> tuple[float, Array]:
        """Negative pseudo-log-likelihood of indicators (N, S) with its penalty, nats, and its gradient.

        Args:
            parameters: biases, then the weights of all edges in the order of the matrix.
            indicators: (N, S), no 1 in the block of a missing value.
            penalty: of the squared weights; biases go free but for a millionth, since only their differences count.
        """
        self._set(parameters)
        seen = np.add.reduceat(indicators, self.starts, axis=1)  # (N, D)
        logs = self.log_conditionals(indicators)
        excess = np.exp(logs) * np.repeat(seen, self.sizes, axis=1) - indicators
        slopes = indicators.T @ excess
        weights, biases = parameters[len(self.biases) :], self.biases
        loss = -(logs * indicators).sum() + 0.5 * penalty * (weights @ weights + 1e-6 * (biases @ biases))
        gradient = np.concatenate([excess.sum(axis=0) + 1e-6 * penalty * biases, (slopes + slopes.T)[self.upper]])
        gradient[len(biases) :] += penalty * weights
        return float(loss), gradient

    def log_conditionals(self, indicators: Array) -> Array:
        """Log p(every value of a variable | the other variables), (N, S) -> (N, S) nats."""
        return self.normalised(self.fields(indicators))

    def fields(self, indicators: Array) -> Array:
        """Sum of the bias of each value and its weights to the other variables' values, (N, S) -> (N, S)."""
        found: Array = indicators @ self.weights + self.biases
        return found

    def normalised(self, fields: Array) -> Array:
        """Log-softmax within each variable's block, (N, S) -> (N, S)."""
        highest = np.repeat(np.maximum.reduceat(fields, self.starts, axis=1), self.sizes, axis=1)
        sums = np.add.reduceat(np.exp(fields - highest), self.starts, axis=1)
        found: Array = fields - highest - np.repeat(np.log(sums), self.sizes, axis=1)
        return found

    def factors(self) -> list[Factor]:
        """Log-tables of the variables and of the edges."""
        single = [Factor((i,), self.biases[self.block(i)]) for i in range(len(self.sizes))]
        return single + [Factor((i, j), self.weights[self.block(i), self.block(j)]) for i, j in self.edges]
