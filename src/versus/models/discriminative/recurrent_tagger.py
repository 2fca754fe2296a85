r"""A bidirectional LSTM over the words of a sentence, with a linear-chain random field over its tags.

.. math:: p(y_1, \dots, y_T \mid x) = \frac{1}{Z(x)} \exp\Bigl(\sum_t (V h_t)_{y_t} + \sum_{t > 1} A_{y_{t-1} y_t}\Bigr)

with h_t as in `versus.models.discriminative.recurrent`, and with weights of the first and the last tag: the conditional
random field with learned features of whole sentences. Huang, Xu and Yu, "Bidirectional LSTM-CRF models for sequence
tagging" (2015), with the features of a word's spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Ragged
from versus.models.arguments import Count
from versus.models.checks import restored_schema, tagging_data, tokens_of
from versus.models.discriminative.recurrent import BidirectionalLSTM, BidirectionalModel
from versus.models.token_features import WordFeatures
from versus.models.token_networks import PAD, embedding, padded, threads_of_sequences, trimmed
from versus.numerics.chains import Chain
from versus.training.batches import Batch
from versus.training.loop import Training
from versus.training.state import under, with_prefix

__all__ = ["BidirectionalLSTMTagger"]


class TaggingNetwork(nn.Module):
    """Scores of the tags of tokens, and of their steps.

    A word's vector is the sum of those of its features, so that words which training has not are known by spelling.

    Args:
        features: sparse (V, F), of `WordFeatures`.
        width: length of a word's vector.
        n_tags: K.
        layers: vectors of words -> vectors of words in their context.
        hidden: length of the latter.
    """

    features: Tensor

    def __init__(self, features: Any, width: int, n_tags: int, layers: BidirectionalLSTM, hidden: int) -> None:
        super().__init__()
        shares = features.multiply(1 / np.sqrt(np.maximum(features.sum(axis=1), 1))[:, None]).tocoo()
        values = torch.from_numpy(shares.data.astype(np.float32))
        places = torch.from_numpy(np.stack([shares.row, shares.col]).astype(np.int64))
        table = torch.sparse_coo_tensor(places, values, shares.shape, check_invariants=False).coalesce()
        self.register_buffer("features", table, persistent=False)
        self.vectors, self.layers = embedding(shares.shape[1], width), layers
        self.head = nn.Linear(hidden, n_tags)
        self.chain = ChainLayer(n_tags)

    def scores(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of the tags (N, T, K) of tokens (N, T) of the vocabulary and PAD, and the sentences' lengths (N,)."""
        lengths = (tokens != PAD).sum(dim=1)
        vectors = self.vectors.weight
        with torch.autocast(vectors.device.type, enabled=False):  # sparse products have no gradient in bfloat16
            by_word = torch.sparse.mm(self.features.to(vectors.dtype), vectors)
        return self.head(self.layers(by_word[tokens.clamp(min=0)], lengths)), lengths

    def forward(self, tokens: Tensor, tags: Tensor) -> Tensor:
        """Log p(y | x) of all tags of each sentence, (N, T) each -> (N,) nats."""
        scores, lengths = self.scores(tokens)
        scores = scores.to(self.chain.transition.dtype)  # sums over paths need more than bfloat16
        log_weight = self.chain.log_weight(scores, tags, lengths)
        return log_weight - self.chain.log_normaliser(scores, lengths)


class ChainLayer(nn.Module):
    """Weights of a linear chain of K tags, for rows of equal length that end with padding.

    `versus.numerics.chains` has the same sums for arrays; here the gradient is autograd's.
    """

    def __init__(self, n_tags: int) -> None:
        super().__init__()
        self.initial, self.final = (nn.Parameter(torch.zeros(n_tags)) for _ in range(2))
        self.transition = nn.Parameter(torch.zeros(n_tags, n_tags))

    def log_normaliser(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """Log of the sum of the weights of all paths, (N, T, K), (N,) from 1 up -> (N,) nats."""
        log_sums = self.initial + scores[:, 0]
        for t in range(1, scores.shape[1]):
            further = torch.logsumexp(log_sums[:, :, None] + self.transition, dim=1) + scores[:, t]
            log_sums = torch.where((t < lengths)[:, None], further, log_sums)
        return torch.logsumexp(log_sums + self.final, dim=1)

    def log_weight(self, scores: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Log weight of one path, (N, T, K), (N, T), (N,) -> (N,) nats."""
        inside, tags = tags != PAD, tags.clamp(min=0)
        of_tags = scores.gather(2, tags[:, :, None])[:, :, 0]
        of_steps = self.transition[tags[:, :-1], tags[:, 1:]]
        last = tags.gather(1, lengths[:, None] - 1)[:, 0]
        ends = self.initial[tags[:, 0]] + self.final[last]
        return (of_tags * inside).sum(dim=1) + (of_steps * inside[:, 1:]).sum(dim=1) + ends

    def arrays(self) -> Chain:
        """Return the weights as a chain over arrays."""
        parts = (self.initial, self.transition, self.final)
        return Chain(*(part.detach().double().cpu().numpy() for part in parts))


@dataclass(eq=False, kw_only=True)
class BidirectionalLSTMTagger(BidirectionalModel):
    """A bidirectional LSTM over the words of a sentence with a conditional random field over its tags.

    Words are known by form, affixes and shape, as to `ConditionalRandomField`. Learned: ``features_``.

    Args, besides those of `DescendingModel`:
        embedding_size: length of a word's vector.
        hidden: number of cells in each direction.
        n_layers: number of layers.
        dropout: share of the inputs and outputs of the layers that is dropped in training.
        affixes: the longest prefix and suffix that are features.
        min_df: number of training tokens that must have a feature.
    """

    network_: TaggingNetwork = field(init=False, repr=False)

    affixes: int = 4
    min_df: Count = 2

    def predict(self, X: Ragged) -> Ragged:
        """The most probable tags of each sentence, (total,) tokens -> (total,) int64."""
        return self.network_.chain.arrays().viterbi(self._scores(X))[0]

    def predict_marginals(self, X: Ragged) -> Ragged:
        """p(tag | whole sentence) of each token, (total,) -> (total, K)."""
        return self.network_.chain.arrays().posterior(self._scores(X)).marginals

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of all tags of a sentence, (N sequences) each -> (N,) nats."""
        chain, scores = self.network_.chain.arrays(), self._scores(X)
        log_prob: Array = chain.log_weight(scores, y) - chain.log_normaliser(scores)
        return log_prob

    def get_arrays(self) -> dict[str, Array]:
        """The learned state as flat named arrays; `set_arrays` takes them back."""
        return super().get_arrays() | with_prefix("features", self.features_.get_arrays())

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Restore a learned state, on this machine's device; the vocabulary may have grown at its end.

        Raises:
            ValueError: if the model was made without a schema, or an array is missing, unknown or of another shape.
        """
        vocabulary = tokens_of(restored_schema(self.schema)).vocabulary
        self.features_ = WordFeatures.restored(under("features", arrays), vocabulary, self.affixes, radius=0)
        super().set_arrays(arrays)

    def _threads(self) -> int:
        return threads_of_sequences(self.threads)

    def _scores(self, X: Ragged) -> Ragged:
        """Scores of the tags of each token, (total,) -> (total, K) float64."""
        tokens_of(self.schema_).check(X)

        def of_batch(tokens: Tensor) -> Tensor:
            tokens = trimmed(tokens).long()
            scores, _ = self.network_.scores(tokens)
            return scores[tokens != PAD].double()

        return Ragged(self._apply(of_batch, padded(X, int(X.lengths.max(initial=1)))), X.starts)

    def _start(self, X: Any, y: Any, validation: tuple[Array, ...] | None, weights: Array | None) -> Training:
        schema, _ = tagging_data(type(self).__name__, self.schema, X, y)
        vocabulary = tokens_of(schema).vocabulary
        self.features_ = WordFeatures.learn(X, vocabulary, self.affixes, radius=0, min_df=self.min_df)
        return super()._start(X, y, validation, weights)

    def _build(self) -> nn.Module:
        features = self.features_.matrix[:-1]  # the last is the word beyond a sentence's ends
        k = self.schema_.n_classes
        return TaggingNetwork(features, self.embedding_size, k, self._layers(), 2 * self.hidden)

    def _rows(self, X: Ragged, y: Ragged | None) -> tuple[Array, ...]:  # type: ignore[override]
        _, tags = tagging_data(type(self).__name__, self.schema_, X, y)
        length = int(X.lengths.max())
        return padded(X, length), padded(tags, length)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (tokens, tags), weights = self._apart(batch)
        tokens, tags = trimmed(tokens).long(), trimmed(tags).long()
        log_p = network(tokens, tags)
        weighted = log_p if weights is None else log_p * weights.to(log_p)
        return {"loss": -weighted.sum() / (tokens != PAD).sum()}
