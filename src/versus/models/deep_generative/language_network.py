"""The network of a neural language model: scores of the next token, probabilities of sequences, and draws."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array
from versus.models.token_networks import PAD, embedding

CHUNK = 256  # tokens of a sequence that are scored at a time, from the state that those before have left


class Trunk(Protocol):
    """A causal network over vectors of tokens."""

    width: int

    def __call__(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Map vectors (N, T, E) of tokens, after those that left ``state`` (None: none), to (N, T, width)."""


class LanguageNetwork(nn.Module):
    """Embeddings of tokens and of the class, a trunk, and scores of the next token.

    Args:
        trunk: see `Trunk`; a module.
        code_of: (V,) code of each token of the vocabulary, the last of M codes for all that are not known.
        n_codes: M.
        width: E, the length of a token's vector.
        n_classes: K; 0 where the model is unconditional.
        dropout: share of the inputs and outputs of the trunk that is dropped in training.
    """

    code_of: Tensor
    log_share: Tensor
    impossible: Tensor

    def __init__(self, trunk: Any, code_of: Array, n_codes: int, width: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.trunk, self.dropout = trunk, nn.Dropout(dropout)
        self.embedding = embedding(n_codes + 1, width)  # the last begins a sequence
        self.of_class = embedding(n_classes, width) if n_classes else None
        self.bias_of_class = nn.Embedding(n_classes, n_codes) if n_classes else None
        if self.bias_of_class is not None:
            nn.init.zeros_(self.bias_of_class.weight)
        self.head = nn.Linear(trunk.width, n_codes)
        unknown = int((code_of == n_codes - 1).sum())
        log_share = np.where(code_of == n_codes - 1, np.log(max(unknown, 1)), 0.0)
        impossible = np.zeros(n_codes, bool)
        impossible[-1] = unknown == 0
        for name, values in (("code_of", code_of), ("log_share", log_share), ("impossible", impossible)):
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.head.weight.device

    def forward(self, codes: Tensor, label: Tensor | None = None) -> Tensor:
        """Scores of the token after each, from the beginning of sequences: (N, T), (N,) -> (N, T, M)."""
        return self.follow(codes, label, None)[0]

    def follow(self, codes: Tensor, label: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        """Scores of the token after each, where those before have left a state: (N, T, M), and the state after them."""
        x = self.embedding(codes)
        if self.of_class is not None:
            x = x + self.of_class(label)[:, None]
        h, state = self.trunk(self.dropout(x), state)
        scores = self.head(self.dropout(h))
        if self.bias_of_class is not None:
            scores = scores + self.bias_of_class(label)[:, None]
        return scores.masked_fill(self.impossible, -torch.inf), state

    def log_prob(self, codes: Tensor, label: Tensor | None) -> Tensor:
        """Log-probability of the codes after the first of rows (N, T + 1) that end with PAD, (N,) nats, float64."""
        total, state = torch.zeros(len(codes), dtype=torch.float64, device=codes.device), None
        for at in range(0, codes.shape[1] - 1, CHUNK):
            piece = codes[:, at : at + CHUNK + 1]
            scores, state = self.follow(piece[:, :-1].clamp(min=0), label, state)
            losses = functional.cross_entropy(scores.transpose(1, 2), piece[:, 1:], ignore_index=PAD, reduction="none")
            total -= losses.sum(dim=1, dtype=torch.float64)
        return total

    def continued(
        self,
        codes: Tensor,
        n: int,
        rng: np.random.Generator,
        label: Tensor | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
    ) -> Tensor:
        """Draw the ``n`` tokens of the vocabulary that follow each row of codes (N, T), (N, n)."""
        drawn, state = torch.zeros((len(codes), n), dtype=torch.int64, device=codes.device), None
        for t in range(n):
            scores, state = self.follow(codes, label, state)
            drawn[:, t] = self._next(scores[:, -1], temperature, top_k, rng)
            codes = self.code_of[drawn[:, t : t + 1]]
        return drawn

    def _next(self, scores: Tensor, temperature: float, top_k: int | None, rng: np.random.Generator) -> Tensor:
        """Draw a token for each row of scores (N, M), by p^(1 / temperature) up to a factor: (N,)."""
        log_p = scores.double().log_softmax(dim=1)[:, self.code_of] - self.log_share
        if temperature == 0:
            return log_p.argmax(dim=1)
        if top_k is not None and top_k < log_p.shape[1]:
            log_p = log_p.masked_fill(log_p < log_p.topk(top_k).values[:, -1:], -torch.inf)
        cumulated = (log_p / temperature).softmax(dim=1).cumsum(dim=1)
        u = torch.from_numpy(rng.random((len(log_p), 1))).to(cumulated.device) * cumulated[:, -1:]
        return torch.searchsorted(cumulated, u, right=True).clamp(max=log_p.shape[1] - 1)[:, 0]
