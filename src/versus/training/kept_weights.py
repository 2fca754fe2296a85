"""Weights that a training keeps: those of its best epoch, or a moving average over its steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array
from versus.training.state import as_array, expect_shapes, load_network, network_arrays, under, with_prefix


class EarlyStopping:
    """Keep the weights of the epoch with the lowest validation loss, and stop ``patience`` epochs after it.

    Prechelt, "Early stopping, but when?" (1998).

    Args:
        patience: epochs without a new lowest loss after which training stops; None never stops, and the best weights
            are kept all the same.
    """

    def __init__(self, patience: int | None) -> None:
        if patience is not None and patience < 1:
            raise ValueError(f"patience={patience}; at least 1 epoch, or None to train all epochs")
        self.patience = patience
        self.best_loss = math.inf
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}

    def record(self, epoch: int, loss: float, network: nn.Module) -> None:
        """Note an epoch's validation loss; copies the weights if it is the lowest so far."""
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            self.best_weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def exhausted(self, epoch: int) -> bool:
        """Check whether patience has run out after ``epoch``."""
        return self.patience is not None and bool(self.best_weights) and epoch - self.best_epoch >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Put the best epoch's weights back; does nothing where no loss was recorded."""
        if self.best_weights:
            network.load_state_dict(self.best_weights)

    def arrays(self) -> dict[str, Array]:
        """Return the whole state as flat arrays."""
        weights = {name: as_array(tensor) for name, tensor in self.best_weights.items()}
        best = {"loss": np.float64(self.best_loss), "epoch": np.int64(self.best_epoch)}
        return with_prefix("weights", weights) | {name: np.asarray(value) for name, value in best.items()}

    def load(self, arrays: Mapping[str, Array], network: nn.Module) -> None:
        """The inverse of `arrays`; leaves the network as it was."""
        self.best_loss, self.best_epoch = float(arrays["loss"]), int(arrays["epoch"])
        weights = under("weights", arrays)
        if weights:
            current = network_arrays(network)
            load_network(network, weights)  # checks names and shapes, and puts the tensors on the network's device
            self.best_weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
            load_network(network, current)


class MovingAverage:
    r"""Average a network's parameters over the steps of its training; buffers stay the network's own.

    .. math:: \bar\theta_t = d_t\,\bar\theta_{t-1} + (1 - d_t)\,\theta_t, \qquad
        d_t = \min\left(d, \tfrac{1 + t}{10 + t}\right)

    Polyak & Juditsky, "Acceleration of stochastic approximation by averaging" (1992); the average is what samples are
    drawn from in Karras et al., "Progressive growing of GANs" (2018). The ramp of d forgets the initial weights soon.

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
        """Give the network the average while the block runs."""
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
