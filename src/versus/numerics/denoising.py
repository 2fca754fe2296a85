r"""Samplers and likelihoods of diffusion models, for any denoiser :math:`D(x, s) = E[x_0 \mid x_0 + s\varepsilon = x]`.

.. math:: \nabla_x \log p_s(x) = \frac{D(x, s) - x}{s^2}, \qquad \frac{dx}{ds} = \frac{x - D(x, s)}{s}

The score is Tweedie's formula, the differential equation the probability flow, along which x keeps the marginals of the
noisy events: Song et al., "Score-based generative modeling through stochastic differential equations" (2021). A level s
is the deviation of the noise (see `versus.numerics.noise_levels`). Events have a variance of about 1, and events with
the highest noise are taken for N(0, 1 + s²).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]  # noisy events (N, *event), their levels (N,) -> means (N, *event)
Draw = Callable[[], Tensor]  # standard normal noise of the events' shape
CONTROLLED_BELOW = 0.5  # levels at which most of the noise is beyond any prediction; see `evidence_bound`


class Sampler(Protocol):
    """One step from a level of noise to a lower one."""

    def step(self, denoise: Denoiser, x: Tensor, level: Tensor, lower: Tensor, draw: Draw) -> Tensor:
        """Move events (N, *event) from ``level`` () to ``lower`` (), which is 0 in the last step."""


@dataclass(frozen=True)
class Ancestral:
    r"""Draw from :math:`q(x_{lower} \mid x, x_0 = D(x, s))`, or take its mean with as much of the old noise.

    Args:
        eta: 1 is DDPM (Ho et al. 2020); 0 is DDIM, which draws nothing (Song, Meng and Ermon, "Denoising diffusion
            implicit models", 2021); between them, their interpolation.
    """

    eta: float = 1.0

    def step(self, denoise: Denoiser, x: Tensor, level: Tensor, lower: Tensor, draw: Draw) -> Tensor:  # noqa: D102
        clean = denoise(x, level.expand(len(x)))
        fresh = self.eta * lower * (1 - (lower / level) ** 2).sqrt()
        moved = clean + (lower**2 - fresh**2).sqrt() / level * (x - clean)
        return moved + fresh * draw() if fresh > 0 else moved


@dataclass(frozen=True)
class Heun:
    r"""Integrate the probability flow by Heun's method, of second order (Karras et al. 2022, algorithm 1).

    .. math:: \frac{du}{d\varphi} = \frac{\cos\varphi\, u - D}{\sin\varphi}, \qquad
        u = x \cos\varphi, \quad s = \tan\varphi

    The angle takes the place of the level: along it, events of variance 1 do not move at all, so that the error is that
    of what sets them apart (Salimans and Ho, "Progressive distillation", 2022). Without it, 18 steps widen a standard
    normal by a twelfth.
    """

    def step(self, denoise: Denoiser, x: Tensor, level: Tensor, lower: Tensor, draw: Draw) -> Tensor:  # noqa: D102
        def slope(u: Tensor, at: Tensor) -> Tensor:
            return (at.cos() * u - denoise(u / at.cos(), at.tan().expand(len(u)))) / at.sin()

        angle, next_angle = level.atan(), lower.atan()
        u, apart = x * angle.cos(), next_angle - angle
        first = slope(u, angle)
        ahead = u + apart * first
        if lower == 0:
            return ahead
        return (u + apart * 0.5 * (first + slope(ahead, next_angle))) / next_angle.cos()


@dataclass(frozen=True)
class Langevin:
    """Walk along the score with noise at each level, from where the level before ended (Song and Ermon 2019).

    The last step denoises (Jolicoeur-Martineau et al., "Adversarial score matching", 2021).

    Args:
        moves: number of moves at each level.
        rate: size of a move, in squares of the level.
    """

    moves: int = 5
    rate: float = 0.5

    def step(self, denoise: Denoiser, x: Tensor, level: Tensor, lower: Tensor, draw: Draw) -> Tensor:  # noqa: D102
        for _ in range(self.moves):
            x = x + self.rate * (denoise(x, level.expand(len(x))) - x) + math.sqrt(2 * self.rate) * level * draw()
        return x if lower > 0 else denoise(x, level.expand(len(x)))


def draw_events(sampler: Sampler, denoise: Denoiser, levels: Tensor, draw: Draw) -> Tensor:
    """Draw events (N, *event) of the shape that ``draw`` gives.

    Args:
        sampler: the step from level to level.
        denoise: the model.
        levels: falling, (steps + 1,), the last one 0 (see `versus.numerics.noise_levels.ladder`).
        draw: source of standard normal noise.
    """
    start = draw()
    levels = levels.to(start)
    x = start * (1 + levels[0] ** 2).sqrt()
    for level, lower in pairwise(levels):
        x = sampler.step(denoise, x, level, lower, draw)
    return x


def evidence_bound(
    denoise: Denoiser, x: Tensor, noise: Tensor, ends: tuple[float, float], steps: int, n_numbers: int
) -> Tensor:
    r"""Estimate the evidence lower bound of ancestral sampling in ``steps`` steps, without bias.

    .. math:: \log p(x) \ge \mathbb{E} \log p(x \mid x_0) - \mathrm{KL}(q(x_T \mid x) \,\|\, N(0, 1 + s_T^2))
        - \sum_{i=1}^T \tfrac12 \left(s_{i-1}^{-2} - s_i^{-2}\right) \mathbb{E} \|x - D(x + s_i \varepsilon, s_i)\|^2

    The levels are evenly spaced in their logarithm. A stratified draw of M steps stands for all of them; of an even
    number the first half has the strata of the other one, so that draws of opposite noise cancel what is odd in it.
    From each square, a share of :math:`\|\varepsilon\|^2 - F` is taken: its mean is 0, and at low levels it varies with
    the square.
    Ho et al. (2020), equation 5; Kingma, Salimans, Poole and Ho, "Variational diffusion models" (2021).

    Args:
        denoise: the model.
        x: (N, *event) of F coordinates: first numbers, whose density given x_0 is N(x_0, s_0²), then codes as corners
            so far apart that x_0 tells them without error. The denoiser gets 0 where one is missing, NaN, and the
            bound is that of the others. (N · M, *event) where each draw has events of its own.
        noise: (N, M, F + 1) standard normal: for each draw the noise and, last, what the step is chosen by.
        ends: the lowest and the highest level, s_0 and s_T.
        steps: T.
        n_numbers: coordinates that are numbers; the first ones.

    Returns:
        (N,) nats.
    """
    (lowest, highest), (n, draws, _) = ends, noise.shape
    x = x.repeat_interleave(draws, dim=0) if len(x) == n else x
    known = ~torch.isnan(x)
    x = torch.where(known, x, 0.0)
    reach = math.log(highest / lowest) / steps
    strata = draws // 2 if draws % 2 == 0 else draws
    place = (torch.arange(draws, device=x.device) % strata + torch.special.ndtr(noise[:, :, -1])) / strata
    number = (place * steps).floor().clamp(max=steps - 1) + 1
    level = lowest * torch.exp(reach * number).flatten()  # (N · M,)
    errors = _controlled_errors(denoise, x, known, noise[:, :, :-1], level)
    path = 0.5 * math.expm1(2 * reach) * steps * errors
    variance = 1 + highest**2
    divergence = 0.5 * (x.square() / variance - 1 / variance + math.log(variance / highest**2))
    at_the_end = torch.where(known, divergence, 0.0).flatten(1).sum(dim=1)
    numbers = known.flatten(1)[:, :n_numbers].sum(dim=1)
    spread = 0.5 * numbers * (1 + math.log(2 * math.pi * lowest**2))
    return -torch.mean((path + at_the_end + spread).view(n, draws), dim=1)


def _controlled_errors(denoise: Denoiser, x: Tensor, known: Tensor, noise: Tensor, level: Tensor) -> Tensor:
    """Squared errors in units of the level, less what they share with the noise's length, -> (N · M,)."""
    epsilon = noise.reshape(x.shape) * known
    spread = level.view(-1, *[1] * (x.ndim - 1))
    errors = (x - denoise(x + spread * epsilon, level)) / spread * known
    beyond = 1 / (1 + (level / CONTROLLED_BELOW) ** 2)
    excess = epsilon.square().flatten(1).sum(dim=1) - known.flatten(1).sum(dim=1)
    return errors.square().flatten(1).sum(dim=1) - beyond * excess


def flow_log_density(
    denoise: Denoiser, x: Tensor, ends: tuple[float, float], steps: int, probe: Tensor | None = None
) -> Tensor:
    r"""Log-density of events that the probability flow ends in, by the change of variables along it.

    .. math:: \log p(x) = \log N(x_T; 0, 1 + s_T^2) + \int \operatorname{tr} \frac{\partial}{\partial x}
        (x_s - D(x_s, s))\, d\log s

    The integral is by the classical Runge-Kutta method over the logarithm of the level. Chen et al., "Neural ordinary
    differential equations" (2018); Grathwohl et al., "FFJORD" (2019) for the estimate of the trace by Hutchinson.

    Args:
        denoise: the model.
        x: (N, *event), taken for events with the lowest noise.
        ends: the lowest and the highest level.
        steps: of the integration.
        probe: (N, *event) of 1 and -1, with which the trace is estimated; None computes it, a gradient a coordinate.

    Returns:
        (N,) nats.
    """
    lowest, highest = ends
    size = math.log(highest / lowest) / steps
    gained = x.new_zeros(len(x))
    for step in range(steps):
        place = math.log(lowest) + step * size
        first, a = _flow(denoise, x, place, probe)
        second, b = _flow(denoise, x + size / 2 * first, place + size / 2, probe)
        third, c = _flow(denoise, x + size / 2 * second, place + size / 2, probe)
        fourth, d = _flow(denoise, x + size * third, place + size, probe)
        x = x + size / 6 * (first + 2 * second + 2 * third + fourth)
        gained = gained + size / 6 * (a + 2 * b + 2 * c + d)
    variance = 1 + highest**2
    of_end = -0.5 * (x.square() / variance + math.log(2 * math.pi * variance)).flatten(1).sum(dim=1)
    return of_end + gained


def _flow(denoise: Denoiser, x: Tensor, log_level: float, probe: Tensor | None) -> tuple[Tensor, Tensor]:
    """Slope of x in the logarithm of the level (N, *event), and its divergence (N,)."""
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        clean = denoise(at, at.new_full((len(at),), math.exp(log_level)))
        if probe is None:
            trace = _exact_trace(clean, at)
        else:
            (along,) = torch.autograd.grad((clean * probe).sum(), at)
            trace = (along * probe).flatten(1).sum(dim=1)
    return x - clean.detach(), x[0].numel() - trace


def _exact_trace(outputs: Tensor, inputs: Tensor) -> Tensor:
    """Trace of the Jacobian of each row, (N, *event), (N, *event) -> (N,)."""
    columns = outputs.flatten(1)
    total = outputs.new_zeros(len(outputs))
    for place in range(columns.shape[1]):
        (along,) = torch.autograd.grad(columns[:, place].sum(), inputs, retain_graph=True)
        total = total + along.flatten(1)[:, place]
    return total
