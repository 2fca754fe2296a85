r"""A moving average of a network's weights over the steps of its training.

.. math:: \bar\theta_t = d_t\,\bar\theta_{t-1} + (1 - d_t)\,\theta_t, \qquad
    d_t = \min\left(d, \tfrac{1 + t}{10 + t}\right)

Polyak & Juditsky, "Acceleration of stochastic approximation by averaging" (1992); the average is what samples are
drawn from in Karras et al., "Progressive growing of GANs" (2018). The ramp of d forgets the initial weights soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from versus.arrays import Array
from versus.training.state import as_array, expect_shapes


class MovingAverage:
    """The average of a network's parameters; buffers stay the network's own.

    Args:
        network: followed; on its device, in its precision.
        decay: d, the share of the average that a step keeps.

    Raises:
        ValueError: if the decay is not between 0 and 1.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"ema_decay={decay}; a number between 0 and 1 is needed, or None for no average")
        self.decay = decay
        self.names = [name for name, _ in network.named_parameters()]
        self.weights = [parameter.data for parameter in network.parameters()]
        self.averages = [weight.clone() for weight in self.weights]

    def follow(self, step: int) -> None:
        """Take the weights after step ``step`` (from 0) into the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.averages, self.weights, 1 - decay)

    def exchange(self) -> None:
        """Put the average into the network and keep the weights in its place; a second call undoes it."""
        for weight, average in zip(self.weights, self.averages, strict=True):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let the network have the average while the block runs."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()

    def arrays(self) -> dict[str, Array]:
        """Copies of the averages, by parameter."""
        return {name: as_array(average) for name, average in zip(self.names, self.averages, strict=True)}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `arrays`.

        Raises:
            ValueError: naming the first array that is missing, unknown or of another shape.
        """
        expect_shapes("average", {n: tuple(a.shape) for n, a in zip(self.names, self.averages, strict=True)}, arrays)
        for name, average in zip(self.names, self.averages, strict=True):
            average.copy_(torch.from_numpy(arrays[name].copy()))
