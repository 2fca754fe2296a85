r"""A small convolutional network for images.

Two blocks of a 3×3 convolution, rectifier and 2×2 maximum pooling, then a dense layer, dropout and a softmax; after
LeCun et al., "Gradient-based learning applied to document recognition" (1998).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.models.checks import classification_data
from versus.models.deep_model import DeepModel
from versus.models.pixel_scaling import PixelScaling
from versus.training.batches import Batch

__all__ = ["ConvolutionalClassifier"]


def _block(n_inputs: int, n_outputs: int) -> list[nn.Module]:
    """Convolve and halve; ceil_mode keeps at least one pixel of small images."""
    return [nn.Conv2d(n_inputs, n_outputs, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()]


class ConvolutionalClassifier(DeepModel):
    """Two convolutions, a hidden layer and a softmax, trained on the cross-entropy.

    Takes images (N, H, W) or (N, H, W, C) as stored; scales them itself.

    Args:
        channels: feature maps of the first convolution; the second has twice as many.
        hidden: width of the dense layer.
        dropout: share of the dense layer's units dropped in training.
        learning_rate: base learning rate of AdamW.
        weight_decay: decoupled weight decay.
        batch_size: images per step.
        epochs: passes through the data, at most.
        patience: epochs without a lower validation loss after which training stops; None trains all.
        device: "auto", "cpu", "cuda" or "cuda:<number>".
        precision: "auto", "32-true", "bf16-mixed" or "64-true".
        threads: CPU threads, on any machine (see `threads_for`); None chooses by the size of the events.
        schema: form of the data; inferred where None.
        random_state: seed of initialisation, shuffling and dropout.
    """

    def __init__(
        self,
        channels: int = 32,
        hidden: int = 128,
        dropout: float = 0.3,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 64,
        epochs: int = 20,
        patience: int | None = 5,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.channels = channels
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.device = device
        self.precision = precision
        self.threads = threads
        self.schema = schema
        self.random_state = random_state

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, H, W[, C]) -> (N, K)."""
        return self._apply(lambda x: torch.softmax(self.network_(x).double(), dim=1), self._encoded(X))

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, H, W[, C]) -> (N,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def _build(self) -> nn.Module:
        if not isinstance(self.schema_.x, Image):
            raise ValueError(f"ConvolutionalClassifier takes images, and the data are a {self.schema_.x.form}")
        height, width, *rest = self.schema_.shape
        n_colours = rest[0] if rest else 1
        features = 2 * self.channels * -(-height // 4) * -(-width // 4)
        network = nn.Sequential(
            PixelScaling(),
            *_block(n_colours, self.channels),
            *_block(self.channels, 2 * self.channels),
            nn.Flatten(),
            nn.Linear(features, self.hidden),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden, self.schema_.n_classes),
        )
        # Half the time of channels first on a CPU.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def _learn_statistics(self, X: Array, y: Array | None) -> None:
        scaling = next(self.network_.children())
        assert isinstance(scaling, PixelScaling)
        scaling.learn(X)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._encoded(X), classification_data("ConvolutionalClassifier", self.schema_, X, y)[1]

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        x, y = batch
        return {"loss": functional.cross_entropy(network(x), y)}
