"""Early stopping on the validation loss, with the best epoch's weights kept (Prechelt, "Early stopping", 1998)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn

from versus.arrays import Array
from versus.training.state import as_array, load_network, network_arrays, under, with_prefix


class EarlyStopping:
    """Remembers the weights of the epoch with the lowest loss and says when that is ``patience`` epochs ago.

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
        """Whether patience has run out after ``epoch``."""
        return self.patience is not None and bool(self.best_weights) and epoch - self.best_epoch >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Put the best epoch's weights back; does nothing where no loss was recorded."""
        if self.best_weights:
            network.load_state_dict(self.best_weights)

    def arrays(self) -> dict[str, Array]:
        """The whole state as flat arrays."""
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
