r"""A bidirectional LSTM over the tokens of a document: the partner of class-conditional language models.

.. math:: h_t = [\overrightarrow{h}_t; \overleftarrow{h}_t], \qquad
          p(y \mid x) = \operatorname{softmax}\bigl(W \max_t h_t + b\bigr)_y

Graves and Schmidhuber, "Framewise phoneme classification with bidirectional LSTM" (2005); Conneau and others,
"Supervised learning of universal sentence representations from natural language inference data" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from versus.arrays import Array, Ragged
from versus.models.arguments import Between, Count, Positive, SearchSpace, Share
from versus.models.deep_model import DescendingModel
from versus.models.softmax_network import SoftmaxNetwork
from versus.models.token_networks import PAD, TokenNetwork, embedding, padded, recurred, trimmed

__all__ = ["BidirectionalLSTMClassifier"]


class BidirectionalLSTM(nn.Module):
    """Layers of two LSTMs, one of which reads each sequence from its own end.

    Args:
        n_inputs: length of a token's vector.
        width: number of cells of each LSTM.
        n_layers: number of layers.
        dropout: share of the inputs of each layer that is dropped in training.
    """

    def __init__(self, n_inputs: int, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        sizes = [n_inputs, *[2 * width] * (n_layers - 1)]
        self.ahead, self.back = (
            nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes) for _ in range(2)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map vectors (N, T, E) of sequences of given lengths (N,) to (N, T, 2 width)."""
        place = torch.arange(x.shape[1], device=x.device)
        turned = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)[:, :, None]
        for ahead, back in zip(self.ahead, self.back, strict=True):
            x = self.dropout(x)
            behind = recurred(back, x.gather(1, turned.expand_as(x)))[0]
            x = torch.cat([recurred(ahead, x)[0], behind.gather(1, turned.expand_as(behind))], dim=2)
        found: Tensor = self.dropout(x)
        return found


class DocumentNetwork(nn.Module):
    """Rows of codes (N, T) -> scores of the classes (N, K): the maximum over a document's tokens, then a linear map.

    Args:
        n_codes: number of codes.
        width: length of a token's vector.
        n_classes: K.
        layers: vectors of tokens -> vectors of tokens in their context.
        hidden: length of the latter.
    """

    def __init__(self, n_codes: int, width: int, n_classes: int, layers: BidirectionalLSTM, hidden: int) -> None:
        super().__init__()
        self.embedding, self.layers = embedding(n_codes, width), layers
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, codes: Tensor) -> Tensor:
        """Scores of the classes, (N, T) codes and PAD -> (N, K)."""
        codes = trimmed(codes).long()
        inside = codes != PAD
        found = self.layers(self.embedding(codes.clamp(min=0)), inside.sum(dim=1))
        largest = found.masked_fill(~inside[:, :, None], -torch.inf).amax(dim=1)
        scores: Tensor = self.head(torch.where(inside.any(dim=1)[:, None], largest, 0.0))
        return scores


@dataclass(eq=False, kw_only=True)
class BidirectionalModel(DescendingModel):
    """Arguments of models with a bidirectional LSTM."""

    search_space: ClassVar[SearchSpace] = {
        "hidden": (32, 64, 128),
        "dropout": (0.1, 0.3, 0.5),
        "learning_rate": Between(1e-3, 1e-2),
    }

    embedding_size: Count = 64
    hidden: Count = 64
    n_layers: Count = 1
    dropout: Share = 0.3
    epochs: Count = 20
    batch_size: Count = 32
    learning_rate: Positive = 4e-3
    patience: Count | None = 4

    def _layers(self) -> BidirectionalLSTM:
        return BidirectionalLSTM(self.embedding_size, self.hidden, self.n_layers, self.dropout)


@dataclass(eq=False, kw_only=True)
class BidirectionalLSTMClassifier(BidirectionalModel, SoftmaxNetwork, TokenNetwork):
    """A bidirectional LSTM over the tokens of a document, trained on the cross-entropy of its class.

    Args, besides those of `DescendingModel`:
        embedding_size: length of a token's vector.
        hidden: number of cells in each direction.
        n_layers: number of layers.
        dropout: share of the inputs and outputs of the layers that is dropped in training.
        max_length: number of tokens of a document that are read.
        min_df: a token is known if at least this many training documents have it.
        max_features: maximum number of known tokens, the most frequent; None for no limit.
    """

    max_length: Count = 300

    def _build(self) -> nn.Module:
        return DocumentNetwork(
            self.n_codes, self.embedding_size, self.schema_.n_classes, self._layers(), 2 * self.hidden
        )

    def _encoded(self, X: Ragged) -> Array:  # type: ignore[override]
        return padded(self.coded(X), min(self.max_length, max(1, int(X.lengths.max(initial=1)))))
