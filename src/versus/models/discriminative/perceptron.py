r"""Multilayer perceptrons.

.. math:: f(x) = W_L\,h_{L-1} + b_L, \qquad h_l = \max(0, W_l h_{l-1} + b_l), \qquad h_0 = x

Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors" (1986); dropout after Srivastava
et al. (2014). Classifiers put a softmax on f, regressors take it as the standardised target's mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

__all__ = ["MLPClassifier", "MLPRegressor"]


def _perceptron(first: nn.Module, n_inputs: int, hidden: Sequence[int], n_outputs: int, dropout: float) -> nn.Module:
    """Build ``first``, then the layers; ``hidden`` may be empty, which leaves a linear map."""
    layers: list[nn.Module] = [first, nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        n_inputs = width
    return nn.Sequential(*layers, nn.Linear(n_inputs, n_outputs))


class _Perceptron(DeepModel):
    hidden_layer_sizes: Sequence[int]
    dropout: float

    def _build(self) -> nn.Module:
        n_outputs = self.schema_.n_classes or 1
        if isinstance(self.schema_.x, Image):
            return _perceptron(
                PixelScaling(), self.schema_.n_features, self.hidden_layer_sizes, n_outputs, self.dropout
            )
        return _perceptron(
            nn.Identity(), self.preprocessor_.n_columns, self.hidden_layer_sizes, n_outputs, self.dropout
        )

    def _learn_statistics(self, X: Array, y: Array | None) -> None:
        first = next(self.network_.children())
        if isinstance(first, PixelScaling):
            first.learn(X)

    def _outputs(self, X: Array) -> Array:
        """Outputs of the network, (N, *event) -> (N, outputs), float64."""
        return self._apply(lambda x: self.network_(x).double(), self._encoded(X))


class MLPClassifier(_Perceptron):
    """A perceptron with a softmax, trained on the cross-entropy.

    Numeric columns are standardised, categorical ones one-hot, missing values replaced by the mean and marked; images
    are scaled and flattened.

    Args:
        hidden_layer_sizes: widths of the hidden layers; none leaves multinomial logistic regression.
        dropout: share of hidden units dropped in training.
        learning_rate: base learning rate of AdamW.
        weight_decay: decoupled weight decay.
        batch_size: rows per step.
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
        hidden_layer_sizes: Sequence[int] = (128, 64),
        dropout: float = 0.1,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 64,
        epochs: int = 100,
        patience: int | None = 15,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
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
        """p(y | x), (N, *event) -> (N, K)."""
        probabilities: Array = torch.softmax(torch.from_numpy(self._outputs(X)), dim=1).numpy()
        return probabilities

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self._outputs(X).argmax(axis=1), dtype=np.int64)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._encoded(X), classification_data("MLPClassifier", self.schema_, X, y)[1]

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        x, y = batch
        return {"loss": functional.cross_entropy(network(x), y)}


class MLPRegressor(_Perceptron):
    """A perceptron trained on the squared error of the standardised target.

    Takes inputs and arguments as `MLPClassifier` does; losses are in units of the target's variance.
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64,),
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 64,
        epochs: int = 100,
        patience: int | None = 15,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
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

    def predict(self, X: Array) -> Array:
        """The expected target, (N, *event) -> (N,), in the target's units."""
        mean, scale = self._target_scaling()
        return self._outputs(X)[:, 0] * scale + mean

    def _build(self) -> nn.Module:
        network = super()._build()
        network.register_buffer("target_mean", torch.zeros(()))
        network.register_buffer("target_scale", torch.ones(()))
        return network

    def _learn_statistics(self, X: Array, y: Array | None) -> None:
        super()._learn_statistics(X, y)
        targets = _targets(X, y)
        self.network_.get_buffer("target_mean").fill_(float(targets.mean()))
        self.network_.get_buffer("target_scale").fill_(float(targets.std()) or 1.0)

    def _target_scaling(self) -> tuple[float, float]:
        return float(self.network_.get_buffer("target_mean")), float(self.network_.get_buffer("target_scale"))

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        mean, scale = self._target_scaling()
        encoded = self._encoded(X)
        return encoded, ((_targets(X, y) - mean) / scale).astype(np.float32)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        x, y = batch
        return {"loss": functional.mse_loss(network(x)[:, 0], y)}


def _targets(X: Array, y: Array | None) -> Array:
    if y is None or np.shape(y) != (len(X),):
        found = "None" if y is None else f"of shape {np.shape(y)}"
        raise ValueError(f"MLPRegressor.fit: X has {len(X)} rows and y is {found}; one number a row is needed")
    return np.asarray(y, dtype=np.float64)
