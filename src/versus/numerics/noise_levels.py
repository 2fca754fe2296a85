r"""Noise schedules: the levels of noise that a diffusion model learns at, and that a sampler passes through.

.. math:: x_t = \alpha_t x_0 + \sigma_t \varepsilon, \qquad s_t = \sigma_t / \alpha_t, \qquad
    \mathrm{SNR}_t = 1 / s_t^2

Variance-preserving processes have :math:`\alpha_t^2 + \sigma_t^2 = 1` (Ho, Jain and Abbeel, "Denoising diffusion
probabilistic models", 2020), variance-exploding ones :math:`\alpha_t = 1` (Song and Ermon, "Generative modeling by
estimating gradients of the data distribution", 2019). Divided by :math:`\alpha_t`, both are x_0 + s_t ε, so that a
schedule is its level s_t alone, a function of the time t from 0 to 1 (Karras, Aittala, Aila and Laine, "Elucidating the
design space of diffusion-based generative models", 2022). Events have a variance of about 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

FIRST = 1e-3  # the first of a thousand steps, as time


class Schedule(Protocol):
    """Level of noise as a function of time."""

    def __call__(self, t: Tensor) -> Tensor:
        """Levels s at times t from 0 to 1, of any shape; they rise with t, and are above 0."""


@dataclass(frozen=True)
class LinearBeta:
    r"""Rate of variance-preserving noise that rises linearly with time (Ho et al. 2020; Song et al. 2021).

    .. math:: s_t^2 = \exp\left(\int_0^\tau \beta\right) - 1, \quad \beta(\tau) = \beta_0 + \tau (\beta_1 - \beta_0)

    Time 0 is the first of their thousand steps, and time 1 the last.

    Args:
        start, end: rates at the first and the last moment, a thousand times those of one of Ho's steps.
    """

    start: float = 0.1
    end: float = 20.0

    def __call__(self, t: Tensor) -> Tensor:
        """Levels at times t."""
        time = FIRST + (1 - FIRST) * t
        return torch.expm1(self.start * time + 0.5 * (self.end - self.start) * time**2).sqrt()


@dataclass(frozen=True)
class Cosine:
    """Variance-preserving noise with α_t the cosine of an angle (Nichol and Dhariwal 2021), between two levels.

    Args:
        lowest: level at time 0; theirs, by an offset of 0.008.
        highest: level at time 1; theirs is cut off there, too.
    """

    lowest: float = 0.0125
    highest: float = 100.0

    def __call__(self, t: Tensor) -> Tensor:
        """Levels at times t."""
        first, last = math.atan(self.lowest), math.atan(self.highest)
        return torch.tan(first + t * (last - first))


@dataclass(frozen=True)
class Geometric:
    """Variance-exploding noise whose levels form a geometric sequence (Song and Ermon 2019).

    Args:
        lowest, highest: levels at times 0 and 1.
    """

    lowest: float = 0.01
    highest: float = 50.0

    def __call__(self, t: Tensor) -> Tensor:
        """Levels at times t."""
        return self.lowest * (self.highest / self.lowest) ** t


def ends(schedule: Schedule) -> tuple[float, float]:
    """Levels at times 0 and 1."""
    lowest, highest = schedule(torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist()
    return lowest, highest


def flow_levels(schedule: Schedule) -> Geometric:
    """Levels between which a sampler of the probability flow has its few steps, within those of a schedule.

    Events of variance 1 are drowned long before the highest level of a `LinearBeta`, 150; below 0.02 they are clean.
    """
    lowest, highest = ends(schedule)
    return Geometric(max(lowest, 0.02), min(highest, 40.0))


def ladder(schedule: Schedule, n: int) -> Tensor:
    """Levels of ``n`` steps from time 1 down to no noise at all, (n + 1,) float64."""
    if n < 1:
        raise ValueError(f"{n} steps; at least 1 is needed")
    times = torch.linspace(1, 0, n, dtype=torch.float64)
    return torch.cat([schedule(times), torch.zeros(1, dtype=torch.float64)])


def variance_preserving(level: Tensor) -> tuple[Tensor, Tensor]:
    """Coefficients (α, σ) of signal and noise with α² + σ² = 1 and σ / α the level."""
    alpha = (1 + level**2).rsqrt()
    return alpha, level * alpha
