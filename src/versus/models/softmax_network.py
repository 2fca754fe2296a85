"""Base of networks that classify: a softmax over their outputs, trained on the cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array, Labels
from versus.models.checks import classification_data
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.training.batches import Batch


@dataclass(eq=False, kw_only=True)
class SoftmaxNetwork(DescendingModel):
    """A network whose outputs are a classifier's, trained on the cross-entropy.

    Args:
        class_weight: "balanced" weighs each row by N / (K · members of its class), so that all classes count alike.
    """

    class_weight: Literal["balanced"] | None = None

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K)."""
        probabilities: Array = torch.softmax(torch.from_numpy(self._outputs(X)), dim=1).numpy()
        return probabilities

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self._outputs(X).argmax(axis=1), dtype=np.int64)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._encoded(X), classification_data(type(self).__name__, self.schema_, X, y)[1]

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        if self.class_weight == "balanced":
            labels = classification_data(type(self).__name__, self.schema_, X, y)[1]
            members = np.bincount(labels, weights, minlength=self.schema_.n_classes)
            balance = members.sum() / (np.count_nonzero(members) * np.where(members > 0, members, 1))
            self.network_.register_buffer("class_weights", torch.from_numpy(balance), persistent=False)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (x, y), weights = self._apart(batch)
        scores = network(x)
        if self.class_weight is None and weights is None:
            return {"loss": functional.cross_entropy(scores, y)}
        of_class = None if self.class_weight is None else self.network_.get_buffer("class_weights").to(scores)
        if weights is None:
            return {"loss": functional.cross_entropy(scores, y, of_class, reduction="sum") / len(x)}
        return {"loss": weighted_mean(functional.cross_entropy(scores, y, of_class, reduction="none"), weights)}
