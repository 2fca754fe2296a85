r"""Neural language models: each token is drawn from a softmax over what a network makes of those before it.

.. math:: p(x \mid T, y) = \prod_{t=1}^T \operatorname{softmax}\bigl(W h_t + b_y\bigr)_{x_t}, \qquad
          h_t = f(x_1, \dots, x_{t-1}, y)

A token that training does not know has an even share of the probability that they all have together. The number T of
tokens is given, and drawn as in training where sequences are drawn. Bengio and others, "A neural probabilistic language
model" (2003); with classes, a generative classifier of texts by Bayes' rule: Yogatama and others, "Generative and
discriminative text classification with recurrent neural networks" (2017). The file of a family has its f, a trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array, Labels, Measure, Ragged
from versus.models.arguments import Count, Positive, Share
from versus.models.checks import check_shape
from versus.models.deep_generative.conditional_density import ConditionalDensity
from versus.models.deep_generative.language_network import CHUNK, LanguageNetwork
from versus.models.deep_generative.snapshots import SEED, DrawsOnTheWay
from versus.models.token_networks import PAD, TokenNetwork, alike, padded, trimmed
from versus.training.batches import Batch
from versus.training.devices import cpu_threads
from versus.training.loop import Training

_QUANTILES = np.linspace(0, 1, 101)
_SCORED = 2**22  # scores that are held at a time
_DRAWN = 256  # sequences that are drawn at a time
SHOWN, SHOWN_TEMPERATURE = 120, 0.8  # tokens of a snapshot


@dataclass(eq=False, kw_only=True)
class LanguageModel(DrawsOnTheWay, TokenNetwork):
    """A density of sequences of tokens; a family defines its trunk.

    Learned besides: ``lengths_`` (K or 1, 101) percentiles of the numbers of tokens, by class.

    Args:
        window: number of tokens that a training row has; longer sequences are cut into rows, each of which is told the
            token before it. Whole sequences are scored and drawn.
        embedding_size: length of a token's vector.
        dropout: share of the inputs and outputs of the trunk that is dropped in training.
    """

    measure: ClassVar[Measure] = "sequence"
    network_: LanguageNetwork = field(init=False, repr=False)

    window: Count = 128
    embedding_size: Count = 64
    dropout: Share = 0.1
    epochs: Count = 20
    batch_size: Count = 32
    learning_rate: Positive = 4e-3
    patience: Count | None = 3

    def _trunk(self) -> nn.Module:
        """Build the trunk."""
        raise NotImplementedError

    def _build(self) -> nn.Module:
        n_classes = self._n_conditions()
        return LanguageNetwork(
            self._trunk(), self.code_of(), self.n_codes, self.embedding_size, n_classes, self.dropout
        )

    def _start(self, X: Any, y: Any, validation: tuple[Array, ...] | None, weights: Array | None) -> Training:
        training = super()._start(X, y, validation, weights)
        k = self._n_conditions()
        parts = [X.lengths[y == c] if (y == c).any() else X.lengths for c in range(k)] if k else [X.lengths]
        self.lengths_ = np.stack([np.quantile(part, _QUANTILES) for part in parts])
        return training

    def get_arrays(self) -> dict[str, Array]:
        """The learned state as flat named arrays; `set_arrays` takes them back."""
        return super().get_arrays() | {"lengths": self.lengths_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Restore a learned state, on this machine's device; the vocabulary may have grown at its end.

        Raises:
            ValueError: if the model was made without a schema, or an array is missing, unknown or of another shape.
        """
        super().set_arrays(arrays)
        self.lengths_ = check_shape(arrays, "lengths", (max(self._n_conditions(), 1), len(_QUANTILES)))

    # -- training ------------------------------------------------------------------------------------------------

    def _rows(self, X: Ragged, y: Array | None) -> tuple[Array, ...]:  # type: ignore[override]
        return self.pieces(X)[:1]

    def _weighted_rows(self, X: Ragged, y: Array | None, weights: Array | None = None) -> tuple[Array, ...]:  # type: ignore[override]
        rows = self._rows(X, y)
        return rows if weights is None else (*rows, weights.astype(np.float32)[self.pieces(X)[1]])

    def pieces(self, X: Ragged) -> tuple[Array, Array]:
        """Rows (M, window + 1) of codes, the last of each is the first of the next; and the sequence of each (M,)."""
        begun = self.begun(X)
        window = min(self.window, max(1, int(X.lengths.max(initial=1))))
        pieces = -(-X.lengths // window)
        sequence = np.repeat(np.arange(len(X)), pieces)
        number = np.arange(len(sequence)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        at = (begun.starts[sequence] + number * window)[:, None] + np.arange(window + 1)
        inside = at < begun.starts[sequence + 1][:, None]
        rows = np.where(inside, begun.values[np.minimum(at, len(begun.values) - 1)], PAD)
        return rows.astype(np.int32), sequence

    def begun(self, X: Ragged) -> Ragged:
        """Codes of sequences, each after the code of the beginning."""
        codes = self.coded(X)
        starts = codes.starts + np.arange(len(codes.starts))
        values = np.full(starts[-1], self.n_codes, np.int64)
        values[np.arange(len(codes.values)) + np.repeat(np.arange(len(X)), X.lengths) + 1] = codes.values
        return Ragged(values, starts)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (pieces, *label), weights = self._apart(batch)
        pieces = trimmed(pieces).long()
        scores = network(pieces[:, :-1].clamp(min=0), *label)
        targets = pieces[:, 1:]
        if weights is None:
            return {"loss": functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=PAD)}
        losses = functional.cross_entropy(scores.transpose(1, 2), targets, ignore_index=PAD, reduction="none")
        return {"loss": (losses.sum(dim=1) * weights.to(losses)).sum() / (targets != PAD).sum()}

    # -- scoring and drawing -------------------------------------------------------------------------------------

    def _log_probs(self, X: Ragged, label: int | None = None) -> Array:
        """Log p(x | T, y) of each sequence, (N sequences) -> (N,) nats."""
        begun, found = self.begun(X), np.zeros(len(X))
        with torch.inference_mode(), cpu_threads(self._threads()):
            for rows in alike(X.lengths, CHUNK, _SCORED // self.n_codes):
                codes = padded(begun[rows], int(X.lengths[rows].max()) + 1)
                of_class = self._labels(None if label is None else np.full(len(rows), label))
                found[rows] = self.network_.log_prob(self._moved(codes), of_class).cpu().numpy()
        log_share = self.network_.log_share.double().cpu().numpy()[X.values]
        return found - np.diff(np.concatenate([[0.0], np.cumsum(log_share)])[X.starts])

    def _moved(self, codes: Array) -> Tensor:
        return torch.from_numpy(codes.astype(np.int64)).to(self.network_.device)

    def _labels(self, labels: Array | None) -> Tensor | None:
        return None if labels is None else self._moved(labels)

    def _draw(self, n: int, labels: Array | None, rng: np.random.Generator) -> Ragged:
        """Draw ``n`` sequences of given classes (n,), as long as in training."""
        lengths = self._drawn_lengths(np.zeros(n, np.int64) if labels is None else labels, rng)
        drawn = np.zeros((len(lengths), int(lengths.max(initial=0))), np.int32)
        order = np.argsort(-lengths, kind="stable")
        with torch.inference_mode(), cpu_threads(self._threads()):
            for rows in (order[i : i + _DRAWN] for i in range(0, len(order), _DRAWN)):
                begun, longest = self._moved(np.full((len(rows), 1), self.n_codes)), int(lengths[rows[0]])
                of_class = self._labels(None if labels is None else labels[rows])
                drawn[rows, :longest] = self.network_.continued(begun, longest, rng, of_class).cpu().numpy()
        return Ragged.cut(drawn[np.arange(drawn.shape[1]) < lengths[:, None]], lengths)

    def _drawn_lengths(self, labels: Array, rng: np.random.Generator) -> Array:
        found: Array = np.empty(len(labels), np.int64)
        for k in np.unique(labels):
            here = labels == k
            found[here] = np.interp(rng.random(here.sum()), _QUANTILES, self.lengths_[k]).round()
        return found


@dataclass(eq=False, kw_only=True)
class UnconditionalLanguageModel(LanguageModel):
    """A language model without classes: it scores, draws and continues texts."""

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x | T) of each sequence, (N sequences) -> (N,) nats."""
        return self._log_probs(X)

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sequences, as long as those of training; ValueError where ``y`` asks for classes."""
        if y is not None:
            raise ValueError(f"{type(self).__name__} knows no classes; y must be None")
        return self._draw(n, None, np.random.default_rng(random_state))

    def continue_(
        self,
        prompt: Array,
        n: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        random_state: int | None = None,
    ) -> Array:
        """Draw the next ``n`` tokens after a prompt (m,), by p(w | …)^(1 / temperature) up to a factor: (n,) int32.

        Args:
            prompt: tokens of the vocabulary; none begins a sequence.
            n: number of tokens to draw.
            temperature: 1 draws by the model's own probabilities, 0 takes the most probable token each time.
            top_k: draw from this many most probable tokens; None from all.
            random_state: seed.

        Raises:
            ValueError: where the temperature is below 0, or ``top_k`` below 1.
        """
        if not temperature >= 0 or (top_k is not None and top_k < 1):
            raise ValueError(f"temperature={temperature}, top_k={top_k}; accepted: from 0 up, and from 1 up or None")
        begun, rng = self.begun(Ragged.of([prompt], np.int32)).values, np.random.default_rng(random_state)
        with torch.inference_mode(), cpu_threads(self._threads()):
            drawn = self.network_.continued(self._moved(begun[None]), n, rng, None, temperature, top_k)
        return drawn[0].cpu().numpy().astype(np.int32)

    def snapshot(self, n: int) -> Array:
        """Draw the beginnings of ``n`` texts by the weights of a training that has not ended, (n, tokens) int32."""
        begun = self._moved(np.full((n, 1), self.n_codes))
        with self._looked_at(), torch.inference_mode(), cpu_threads(1):
            drawn = self.network_.continued(begun, SHOWN, np.random.default_rng(SEED), None, SHOWN_TEMPERATURE)
        return drawn.cpu().numpy().astype(np.int32)


@dataclass(eq=False, kw_only=True)
class ConditionalLanguageModel(ConditionalDensity, LanguageModel):
    """One language model of the texts of all classes, told the class: it scores, draws and classifies texts."""

    def _rows(self, X: Ragged, y: Array | None) -> tuple[Array, ...]:  # type: ignore[override]
        rows, sequence = self.pieces(X)
        return rows, self._class_codes(X, y)[sequence]
