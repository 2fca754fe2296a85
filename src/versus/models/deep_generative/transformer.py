r"""Language models by a small decoder-only transformer.

.. math:: a_t = \sum_{s = t - C + 1}^{t} \operatorname{softmax}_s\Bigl(
          \tfrac{(R_t q_t)^\top R_s k_s}{\sqrt d}\Bigr) v_s

in each head of each layer: a token looks at the last C ones, itself included, and R rotates pairs of numbers by angles
in proportion to the place, so that a score depends on the distance alone and texts may be of any length. Keys and
values of tokens that were read are kept: a further token costs one step, not a pass over all before it. Vaswani and
others, "Attention is all you need" (2017); Radford and others, "Language models are unsupervised multitask learners"
(2019) for normalisation before each part; Su and others, "RoFormer" (2021) for R; Beltagy, Peters and Cohan,
"Longformer" (2020) for attention in a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.deep_generative.language_model import (
    ConditionalLanguageModel,
    LanguageModel,
    UnconditionalLanguageModel,
)

__all__ = ["ConditionalTransformer", "Transformer"]

_LONGEST_WAVE = 10_000.0  # of the rotations, in tokens, over 2 pi


@dataclass
class Room:
    """Keys and values of tokens that were read, (N, heads, places, d) each, of which the first ``used`` are taken.

    Further ones are written behind them: copying all for each would cost more than attention itself.
    """

    keys: Tensor
    values: Tensor
    used: int


Kept = tuple[Room, int]  # of a layer, and how many of its places were taken then: another text may have gone on since
State = tuple[int, list[Kept]]  # number of tokens before, and what each layer keeps of them


def taken_in(kept: Kept | None, keys: Tensor, values: Tensor, before: int) -> Kept:
    """Write keys and values (N, heads, T, d) behind those of which the last ``before`` are still looked at."""
    if kept is None:
        return Room(keys, values, keys.shape[2]), keys.shape[2]
    room, filled = kept
    end = filled + keys.shape[2]
    if end > room.keys.shape[2] or room.used != filled:
        last = slice(max(0, filled - before), filled)
        filled = last.stop - last.start
        end = filled + keys.shape[2]
        spare = (0, 0, 0, 2 * end - filled)
        room = Room(
            functional.pad(room.keys[:, :, last], spare), functional.pad(room.values[:, :, last], spare), filled
        )
    room.keys[:, :, filled:end], room.values[:, :, filled:end], room.used = keys, values, end
    return room, end


class Block(nn.Module):
    """Attention, then a dense network on each token, each added to what it was given.

    Args:
        width: length of a token's vector.
        n_heads: number of heads.
        context: C, the number of tokens that one looks at.
        dropout: share of each part's outputs that is dropped in training.
    """

    def __init__(self, width: int, n_heads: int, context: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.context = n_heads, context
        self.before_attention, self.before_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, turn: Tensor, mask: Tensor | None, kept: Kept | None) -> tuple[Tensor, Kept]:
        """Map vectors (N, T, width) of tokens; returns theirs, and the keys and values that later ones may look at.

        Args:
            x: (N, T, width).
            turn: (2, T, d / 2) cosines and sines of the rotations.
            mask: (T, P + T) True where a token looks at another; None where it looks at all up to itself.
            kept: keys and values of tokens before, of which the last P are looked at; None where there are none.
        """
        shape = (*x.shape[:2], 3, self.n_heads, -1)
        queries_keys, values = self.project(self.before_attention(x)).view(shape).permute(2, 0, 3, 1, 4).split([2, 1])
        queries, keys = rotated(queries_keys, turn)
        room, end = taken_in(kept, keys, values[0], self.context - 1)
        seen = slice(max(0, end - x.shape[1] - self.context + 1), end)
        causal = mask is None and queries.shape[2] > 1
        found = functional.scaled_dot_product_attention(
            queries, room.keys[:, :, seen], room.values[:, :, seen], mask, is_causal=causal
        )
        x = x + self.dropout(self.join(found.transpose(1, 2).flatten(2)))
        x = x + self.dropout(self.dense(self.before_dense(x)))
        return x, (room, end)


def rotated(x: Tensor, turn: Tensor) -> Tensor:
    """Rotate the pairs (i, i + d / 2) of the last axis, (…, T, d), (2, T, d / 2) -> (…, T, d)."""
    first, second = x.chunk(2, dim=-1)
    cosine, sine = turn
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class TransformerTrunk(nn.Module):
    """Blocks of attention over the last tokens.

    Args:
        width: length of a token's vector, a multiple of twice the heads.
        n_layers: number of blocks.
        n_heads: number of heads of a block.
        context: C, the number of tokens that one looks at.
        dropout: share of each part's outputs that is dropped in training.
    """

    frequencies: Tensor

    def __init__(self, width: int, n_layers: int, n_heads: int, context: int, dropout: float) -> None:
        super().__init__()
        if width % (2 * n_heads):
            raise ValueError(f"embedding_size={width}; with n_heads={n_heads} a multiple of {2 * n_heads} is needed")
        self.width, self.context = width, context
        self.blocks = nn.ModuleList(Block(width, n_heads, context, dropout) for _ in range(n_layers))
        self.after = nn.LayerNorm(width)
        half = width // n_heads // 2
        self.register_buffer("frequencies", _LONGEST_WAVE ** -(torch.arange(half) / half), persistent=False)
        for name, values in self.named_parameters():
            if name.endswith(("join.weight", "dense.2.weight")):  # what the blocks add up to keeps its size
                nn.init.normal_(values, std=(2 * n_layers * values.shape[1]) ** -0.5)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Map vectors (N, T, width), after those that left a state, to (N, T, width) and the state after them."""
        before, kept = (0, None) if state is None else state
        here = 0 if kept is None else min(kept[0][1], self.context - 1)
        turn, mask = self._turn(before, x), self._mask(here, x)
        left = []
        for number, block in enumerate(self.blocks):
            x, after = block(x, turn, mask, None if kept is None else kept[number])
            left.append(after)
        return self.after(x), (before + x.shape[1], left)

    def _turn(self, before: int, x: Tensor) -> Tensor:
        places = torch.arange(before, before + x.shape[1], device=x.device, dtype=self.frequencies.dtype)
        angles = places[:, None] * self.frequencies
        return torch.stack([angles.cos(), angles.sin()]).to(x.dtype)

    def _mask(self, here: int, x: Tensor) -> Tensor | None:
        """Mask of T tokens after ``here`` others that are kept, (T, here + T); None where it is none or causal."""
        n = x.shape[1]
        if n == 1 or (here == 0 and n <= self.context):
            return None
        behind = torch.arange(here, here + n, device=x.device)[:, None] - torch.arange(here + n, device=x.device)
        return (behind >= 0) & (behind < self.context)


@dataclass(eq=False, kw_only=True)
class _Attentive(LanguageModel):
    search_space: ClassVar[SearchSpace] = {
        "embedding_size": (64, 128, 256),
        "n_layers": (2, 4, 6),
        "dropout": (0.0, 0.1, 0.2),
        "learning_rate": Between(3e-4, 5e-3),
    }

    embedding_size: Count = 128
    n_layers: Count = 3
    n_heads: Count = 4
    context: Count = 128
    learning_rate: Positive = 2e-3

    def _trunk(self) -> nn.Module:
        return TransformerTrunk(self.embedding_size, self.n_layers, self.n_heads, self.context, self.dropout)


@dataclass(eq=False, kw_only=True)
class Transformer(_Attentive, UnconditionalLanguageModel):
    """A transformer language model of texts without classes.

    Args, besides those of `DescendingModel`:
        embedding_size: length of a token's vector.
        n_layers: number of blocks.
        n_heads: number of heads of a block.
        context: number of tokens that one looks at, itself included.
        dropout: share of each part's outputs that is dropped in training.
        window: number of tokens that are trained on at a time.
        min_df: a token is known if at least this many training texts have it.
        max_features: maximum number of known tokens, the most frequent; None for no limit.
    """


@dataclass(eq=False, kw_only=True)
class ConditionalTransformer(_Attentive, ConditionalLanguageModel):
    """A transformer language model of texts of each class, and so a generative classifier.

    Takes the arguments of `Transformer`. The class has a vector beside that of each token, and a bias for each token.
    """
