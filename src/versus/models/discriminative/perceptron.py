r"""Multilayer perceptrons.

.. math:: f(x) = W_L\,h_{L-1} + b_L, \qquad h_l = \max(0, W_l h_{l-1} + b_l), \qquad h_0 = x

Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors" (1986); dropout after Srivastava
et al. (2014). Classifiers put a softmax on f, regressors take it as the standardised target's mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array
from versus.data.spaces import Image
from versus.models.arguments import Between, Count, Positive, SearchSpace, Share
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.models.pixel_scaling import PixelScaling
from versus.models.preprocessing import StandardisedTarget
from versus.models.softmax_network import SoftmaxNetwork
from versus.training.batches import Batch

__all__ = ["MLPClassifier", "MLPRegressor"]


def _perceptron(first: nn.Module, n_inputs: int, hidden: Sequence[int], n_outputs: int, dropout: float) -> nn.Module:
    """Build ``first``, then the layers; ``hidden`` may be empty, which leaves a linear map."""
    layers: list[nn.Module] = [first, nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        n_inputs = width
    return nn.Sequential(*layers, nn.Linear(n_inputs, n_outputs))


@dataclass(eq=False, kw_only=True)
class _Perceptron(DescendingModel):
    search_space: ClassVar[SearchSpace] = {
        "hidden_layer_sizes": ([32], [64, 64], [128, 64], [256, 128]),
        "dropout": (0.0, 0.1, 0.3, 0.5),
        "learning_rate": Between(3e-4, 3e-2),
        "weight_decay": Between(1e-4, 1.0),
    }

    hidden_layer_sizes: Sequence[Count] = (128, 64)
    dropout: Share = 0.1

    def _build(self) -> nn.Module:
        n_outputs = self.schema_.n_classes or 1
        if isinstance(self.schema_.x, Image):
            return _perceptron(
                PixelScaling(), self.schema_.n_features, self.hidden_layer_sizes, n_outputs, self.dropout
            )
        return _perceptron(
            nn.Identity(), self.preprocessor_.n_columns, self.hidden_layer_sizes, n_outputs, self.dropout
        )

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)
        first = next(self.network_.children())
        if isinstance(first, PixelScaling):
            first.learn(X)


@dataclass(eq=False, kw_only=True)
class MLPClassifier(_Perceptron, SoftmaxNetwork):
    """A perceptron with a softmax, trained on the cross-entropy.

    Numeric columns are standardised, categorical ones one-hot, missing values replaced by the mean and marked; images
    are scaled and flattened.

    Args, besides those of `DescendingModel`:
        hidden_layer_sizes: widths of the hidden layers; none leaves multinomial logistic regression.
        dropout: share of hidden units dropped in training.
    """

    learning_rate: Positive = 3e-3


@dataclass(eq=False, kw_only=True)
class MLPRegressor(StandardisedTarget, _Perceptron):
    """A perceptron trained on the squared error of the standardised target.

    Takes inputs and arguments as `MLPClassifier` does; losses are in units of the target's variance.
    """

    hidden_layer_sizes: Sequence[Count] = (64,)
    dropout: Share = 0.2
    learning_rate: Positive = 1e-3

    def predict(self, X: Array) -> Array:
        """The expected target, (N, *event) -> (N,), in the target's units."""
        return self._to_raw(self._outputs(X)[:, 0])

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        super()._learn_statistics(X, y, weights)
        self._learn_target(_targets(X, y), weights)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._encoded(X), self._to_deviations(_targets(X, y))

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (x, y), weights = self._apart(batch)
        return {"loss": weighted_mean(functional.mse_loss(network(x)[:, 0], y, reduction="none"), weights)}


def _targets(X: Array, y: Array | None) -> Array:
    if y is None or np.shape(y) != (len(X),):
        found = "None" if y is None else f"of shape {np.shape(y)}"
        raise ValueError(f"MLPRegressor.fit: X has {len(X)} rows and y is {found}; one number a row is needed")
    return np.asarray(y, dtype=np.float64)
