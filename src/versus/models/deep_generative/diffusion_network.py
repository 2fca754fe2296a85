r"""Network of a diffusion: what it is asked for at a noise level, its loss, and the denoiser that follows from it.

.. math:: D(x, s) = \mathrm{skip}(s)\,x + \mathrm{out}(s)\,F(x / \sqrt{1 + s^2}, \log s), \qquad
    L = \mathbb{E}\,\bigl\|F - (x_0 - \mathrm{skip}\,x) / \mathrm{out}\bigr\|^2

Karras et al., "Elucidating the design space of diffusion-based generative models" (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from versus.numerics.noise_levels import Schedule

# Of what the network is asked for -> D(x, s) = skip · x + out · F as functions of the level. With v, skip and out are
# those of Karras et al. (2022) but for a sign; Salimans and Ho, "Progressive distillation" (2022).
PREDICTIONS: Mapping[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "epsilon": lambda s: (torch.ones_like(s), -s),
    "x0": lambda s: (torch.zeros_like(s), torch.ones_like(s)),
    "v": lambda s: (1 / (1 + s**2), -s * (1 + s**2).rsqrt()),
}


class Diffusing(nn.Module):
    """View of the events and the network that denoises them.

    Args:
        view: raw events -> coordinates.
        denoiser: scaled noisy coordinates, logarithms of levels (and classes) -> what the parametrisation asks for.
        schedule: levels that it learns at.
        prediction: a name of `PREDICTIONS`.
    """

    view: Any  # `Rows`, `Pixels` or what has their methods

    def __init__(self, view: Any, denoiser: nn.Module, schedule: Schedule, prediction: str) -> None:
        super().__init__()
        self.view, self.denoiser, self.schedule = view, denoiser, schedule
        self.parametrised = PREDICTIONS[prediction]

    def forward(self, events: tuple[Tensor, ...], classes: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean squared error of what the network is asked for, at a random level for each event, -> (N,)."""
        x = self.view(*events, generator).to(next(self.parameters()).dtype)
        classes = None if classes is None else classes.to(x.dtype)
        known = ~torch.isnan(x)
        x = torch.where(known, x, 0.0)
        drawn = torch.rand((), generator=generator, dtype=x.dtype, device=x.device)
        level = self.schedule((torch.arange(len(x), device=x.device) + drawn) / len(x))  # stratified over the batch
        noisy = x + beside(level, x) * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        skip, out = (beside(factor, x) for factor in self.parametrised(level))
        noisy = noisy * known
        error = (self._outputs(noisy, level, classes) - (x - skip * noisy) / out) * known
        return error.square().flatten(1).sum(dim=1) / known.flatten(1).sum(dim=1).clamp(min=1)

    def denoise(self, noisy: Tensor, level: Tensor, classes: Tensor | None) -> Tensor:
        """D(x, s, y): the mean of the clean events, (N, *event), (N,), (N, K) -> (N, *event)."""
        skip, out = (beside(factor, noisy) for factor in self.parametrised(level))
        return skip * noisy + out * self._outputs(noisy, level, classes)

    def _outputs(self, noisy: Tensor, level: Tensor, classes: Tensor | None) -> Tensor:
        scaled = noisy * beside((1 + level**2).rsqrt(), noisy)
        return self.denoiser(scaled, level.log(), classes).to(noisy.dtype)  # type: ignore[no-any-return]


def beside(factor: Tensor, x: Tensor) -> Tensor:
    """A factor for each event, (N,) -> (N, 1, …)."""
    return factor.view(-1, *[1] * (x.ndim - 1))
