r"""Language models by a recurrent network with gates, the LSTM.

.. math:: c_t = \sigma(f_t) \odot c_{t-1} + \sigma(i_t) \odot \tanh(g_t), \qquad h_t = \sigma(o_t) \odot \tanh(c_t)

with f, i, g, o linear in x and h of the step before. Hochreiter and Schmidhuber, "Long short-term memory" (1997); gates
that keep what they have at first: Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
architectures" (2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from versus.models.arguments import Between, Count, SearchSpace
from versus.models.deep_generative.language_model import (
    ConditionalLanguageModel,
    LanguageModel,
    UnconditionalLanguageModel,
)
from versus.models.token_networks import recurred

__all__ = ["LSTM", "ConditionalLSTM"]

State = tuple[Tensor, Tensor]


class RecurrentTrunk(nn.Module):
    """Layers of an LSTM.

    Args:
        n_inputs: length of a token's vector.
        width: number of cells of a layer.
        n_layers: number of layers.
        dropout: share of a layer's outputs that the next one does not see in training.
    """

    def __init__(self, n_inputs: int, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        between = dropout if n_layers > 1 else 0.0
        self.layers = nn.LSTM(n_inputs, width, n_layers, batch_first=True, dropout=between)
        open_forget_gates(self.layers)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Map vectors (N, T, E) of length about 1 to outputs (N, T, width), from a state of (layers, N, width) each.

        The layers see entries of size about 1: on ones of 1 / √E they learn little more than how frequent each token is
        for the first hundreds of steps.
        """
        return recurred(self.layers, x * self.layers.input_size**0.5, state)


def open_forget_gates(layers: nn.LSTM) -> None:
    """Set the biases of the forget gates to 1 in all."""
    with torch.no_grad():
        for name, values in layers.named_parameters():
            if name.startswith("bias"):
                values[layers.hidden_size : 2 * layers.hidden_size] = 1.0 if name.startswith("bias_ih") else 0.0


@dataclass(eq=False, kw_only=True)
class _Recurrent(LanguageModel):
    search_space: ClassVar[SearchSpace] = {
        "hidden": Between(32, 512),
        "dropout": (0.0, 0.1, 0.3, 0.5),
        "learning_rate": Between(1e-3, 2e-2),
    }

    hidden: Count = 128
    n_layers: Count = 1

    def _trunk(self) -> nn.Module:
        return RecurrentTrunk(self.embedding_size, self.hidden, self.n_layers, self.dropout)


@dataclass(eq=False, kw_only=True)
class LSTM(_Recurrent, UnconditionalLanguageModel):
    """A recurrent language model of texts without classes.

    Args, besides those of `DescendingModel`:
        hidden: number of cells of a layer.
        n_layers: number of layers.
        embedding_size: length of a token's vector.
        dropout: share of the inputs and outputs of each layer that is dropped in training.
        window: number of tokens that are trained on at a time.
        min_df: a token is known if at least this many training texts have it.
        max_features: maximum number of known tokens, the most frequent; None for no limit.
    """


@dataclass(eq=False, kw_only=True)
class ConditionalLSTM(_Recurrent, ConditionalLanguageModel):
    """A recurrent language model of texts of each class, and so a generative classifier; takes the arguments of `LSTM`.

    What the classes share is learned once: the class has a vector beside that of each token, and a bias for each token.
    """
