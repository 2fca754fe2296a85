"""Base of networks over sequences of tokens: codes for the tokens that training knows, and one for all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Ragged
from versus.data.schema import Schema
from versus.models.arguments import Count
from versus.models.checks import restored_schema, tokens_of
from versus.models.counts import KnownTokens, TokenCounts
from versus.models.deep_model import DescendingModel
from versus.training.devices import threads_for
from versus.training.loop import Training
from versus.training.state import under, with_prefix

PAD = -1  # in a row of codes, beyond the end of its sequence


@dataclass(eq=False, kw_only=True)
class TokenNetwork(KnownTokens, DescendingModel):
    """A network over the codes 0 … F of tokens: F known ones, and F for every other.

    Learned besides: ``counts_``, which knows the tokens.

    Args:
        min_df: a token is known if at least this many training sequences have it; tokens that only one has teach the
            network what to expect of others that it has never seen.
    """

    min_df: Count = 2

    @property
    def n_codes(self) -> int:
        """Number F + 1 of codes."""
        return self.counts_.n_columns + 1

    def _start(self, X: Any, y: Any, validation: tuple[Array, ...] | None, weights: Array | None) -> Training:
        schema = self.schema or Schema.of(X, y)
        tokens_of(schema)
        self.counts_ = TokenCounts(schema, self.min_df, self.max_features).fit(X)
        return super()._start(X, y, validation, weights)

    def get_arrays(self) -> dict[str, Array]:
        """The learned state as flat named arrays; `set_arrays` takes them back."""
        return super().get_arrays() | with_prefix("tokens", self.counts_.get_arrays())

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Restore a learned state, on this machine's device; the vocabulary may have grown at its end.

        Raises:
            ValueError: if the model was made without a schema, or an array is missing, unknown or of another shape.
        """
        counts = TokenCounts(restored_schema(self.schema), self.min_df, self.max_features)
        self.counts_ = counts.set_arrays(under("tokens", arrays))
        super().set_arrays(arrays)

    def _threads(self) -> int:
        return threads_of_sequences(self.threads)

    def code_of(self) -> Array:
        """Code of each token of the vocabulary, (V,)."""
        codes = np.full(self.counts_.schema.n_features, self.n_codes - 1)
        codes[self.counts_.known_] = np.arange(self.n_codes - 1)
        return codes

    def coded(self, X: Ragged) -> Ragged:
        """Replace the tokens of sequences by their codes."""
        tokens_of(self.schema_).check(X)
        return Ragged(self.code_of()[X.values], X.starts)


def padded(X: Ragged, length: int) -> Array:
    """Lay sequences out as rows, without what is beyond ``length``: (N sequences) -> (N, length) int32, PAD at ends."""
    place = np.arange(len(X.values)) - np.repeat(X.starts[:-1], X.lengths)
    rows = np.full((len(X), length), PAD, np.int32)
    rows[np.arange(length) < X.lengths[:, None]] = X.values[place < length]
    return rows


def trimmed(rows: Tensor) -> Tensor:
    """Cut the columns that are PAD in all rows; not on a GPU, which would wait until their number is known."""
    if rows.device.type != "cpu":
        return rows
    return rows[:, : max(1, int((rows != PAD).sum(dim=1).max()))]


def alike(lengths: Array, most: int, tokens: int) -> Iterator[Array]:
    """Yield the indices of sequences of like length, the longest first.

    Args:
        lengths: (N,) of the sequences.
        most: number of tokens of a sequence that are worked on at a time.
        tokens: number of tokens of all sequences that are worked on at a time.
    """
    order, at = np.argsort(-lengths, kind="stable"), 0
    while at < len(order):
        longest = min(max(1, int(lengths[order[at]])), most)
        rows = order[at : at + max(1, tokens // longest)]
        at += len(rows)
        yield rows


def threads_of_sequences(threads: int | None) -> int:
    """Number of CPU threads: one unless asked, whatever the vocabulary; a step of a sequence is a small product."""
    return threads_for(threads, 1)


def recurred(layers: nn.Module, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
    """Apply an LSTM in single precision on a CPU, where many have none in bfloat16, and as mixed elsewhere."""
    if x.device.type != "cpu":
        found: tuple[Tensor, Any] = layers(x, state)
        return found
    with torch.autocast("cpu", enabled=False):
        found = layers(x.to(layers.get_parameter("weight_ih_l0").dtype), state)
    return found


def embedding(n_codes: int, width: int) -> nn.Embedding:
    """Build a table of vectors of length about 1."""
    table = nn.Embedding(n_codes, width)
    nn.init.normal_(table.weight, std=width**-0.5)
    return table
