"""The way of EM in single precision, which is faster; its end is in double.

Each step of EM only needs to lead upwards, and the next one starts from wherever the last one arrived: rounding errors
do not add up, and the steps in double precision end at a maximum of the same likelihood. It is the same one unless the
path passes a fork so closely that rounding decides, as another order of summation may. This is iterative refinement in
mixed precision (Higham and Mary, "Mixed precision algorithms in numerical linear algebra", 2022), with EM as the
iteration.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from versus.arrays import Array
from versus.numerics.expectation_maximisation import Mixture, Moments, expected_moments
from versus.numerics.full import FullNormals

# Rows are rounded by 6e-8 of how far they reach: a thousandth of that reach keeps four digits of what is whitened.
_RESOLVED = 1e-3


class SinglePrecisionMoments:
    """The E-step over rows (N, D), no NaN, as float32 differences from their centre; sums are in float64."""

    def __init__(self, rows: Array) -> None:
        self.centre = rows.mean(axis=0)  # (D,)
        with np.errstate(over="ignore"):
            self.rows = (rows - self.centre).astype(np.float32)
        self.reach = np.abs(self.rows).max(axis=0).astype(np.float64)  # (D,)

    def resolve(self, mixture: Mixture) -> bool:
        """Whether each component is wide enough, in every column given those before it, to be seen in float32."""
        normals = mixture.normals
        return isinstance(normals, FullNormals) and bool((normals.deviations >= _RESOLVED * self.reach).all())

    def __call__(self, mixture: Mixture) -> Moments:
        """Nearly the sums of `expected_moments`; shifting rows and means together changes none of them."""
        return expected_moments(self.rows, replace(mixture, means=mixture.means - self.centre))
