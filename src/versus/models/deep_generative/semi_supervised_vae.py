r"""A conditional autoencoder with a classifier, which learns from rows without a class, too: the model M2.

.. math:: \max \sum_{\text{labelled}} \bigl(L(x, y) + \alpha \log q(y \mid x)\bigr)
    + \sum_{\text{unlabelled}} \Bigl(\sum_y q(y \mid x)\, L(x, y) + H(q(y \mid x))\Bigr)

with L the lower bound of log p(x, y). The second sum is a lower bound of log p(x) with the class summed out: a row
without a class counts in all of them, as probable as the classifier finds them. Kingma, Rezende, Mohamed & Welling,
"Semi-supervised learning with deep generative models" (2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Labels
from versus.models.arguments import NonNegative, Share
from versus.models.checks import classification_data
from versus.models.deep_generative.autoencoder_networks import DenseNetwork
from versus.models.deep_generative.vae import ConditionalVAE
from versus.models.deep_generative.variational_network import VariationalNetwork
from versus.models.deep_model import weighted_mean
from versus.training.batches import Batch

__all__ = ["SemiSupervisedVAE"]


class SemiSupervisedNetwork(VariationalNetwork):
    """A conditional autoencoder beside a classifier of the same inputs, inputs -> scores (N, K)."""

    log_prior: Tensor

    def __init__(self, of_events: VariationalNetwork, classifier: nn.Module, n_classes: int) -> None:
        super().__init__(of_events.view, of_events.encoder, of_events.decoder, of_events.likelihood)
        self.classifier = classifier
        self.register_buffer("log_prior", torch.zeros(n_classes))

    def log_posterior(self, inputs: Tensor) -> Tensor:
        """Log q(y | x), (N, …) -> (N, K) nats."""
        return torch.log_softmax(self.classifier(inputs), dim=1)

    def forward(
        self,
        events: tuple[Tensor, ...],
        label: Tensor | None,
        generator: torch.Generator,
        samples: int = 1,
        beta: float = 1.0,
    ) -> tuple[Tensor, ...]:
        """`terms` of events with the class, below 0 where it is unknown and summed out; and log q(y | x) (N, K)."""
        assert label is not None
        inputs, target = self.view(*events, generator)
        features, log_q = self.encoder.features(inputs), self.log_posterior(inputs)

        def joint(rows: Tensor, labels: Tensor) -> Tensor:
            found = self.terms(
                features.index_select(0, rows), target.index_select(0, rows), labels, generator, samples, beta
            )
            prior = self.log_prior[labels]
            return torch.stack([found[0] + prior, found[1], found[2] + prior])  # (3, n)

        known, unknown = (torch.nonzero(which)[:, 0] for which in (label >= 0, label < 0))
        parts = [joint(known, label[known])] if len(known) else []  # a batch may have none
        if len(unknown):
            shares, log_shares = log_q[unknown].exp(), log_q[unknown]
            classes = range(shares.shape[1])
            every = torch.stack([joint(unknown, torch.full_like(unknown, k)) for k in classes])  # (K, 3, n)
            mixed = (shares.T[:, None] * every).sum(dim=0)
            entropy = -(shares * log_shares).sum(dim=1)
            parts.append(torch.stack([mixed[0] + entropy, mixed[1], mixed[2] + entropy]))
        place = torch.argsort(torch.cat([known, unknown]))
        reconstruction, kl, bound = torch.cat(parts, dim=1).index_select(1, place)
        return reconstruction, kl, bound, log_q


@dataclass(eq=False, kw_only=True)
class SemiSupervisedVAE(ConditionalVAE):
    """A conditional autoencoder whose classes are told by a classifier; rows of class -1 have none.

    Args, besides those of `VAE`:
        classification_weight: of -log q(y | x) of a labelled row, beside the bound of an event; the paper has 0.1.
        labelled_share: of the rows of an epoch, at least; fewer labelled rows are repeated, and count as often as
            they are in the bound.
    """

    takes_unlabelled: ClassVar[bool] = True

    classification_weight: NonNegative = 1.0
    labelled_share: Share = 0.2

    def predict_log_proba(self, X: Array) -> Array:
        """Log q(y | x) of the classifier, (N, *event) -> (N, K) nats."""
        network = self.semi_supervised_
        return self._apply(lambda *rows: network.log_posterior(network.view(*rows, None)[0]).double(), *self._events(X))

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self.predict_log_proba(X).argmax(axis=1), dtype=np.int64)

    @property
    def semi_supervised_(self) -> SemiSupervisedNetwork:
        """The network."""
        assert isinstance(self.network_, SemiSupervisedNetwork)
        return self.network_

    def _build(self) -> SemiSupervisedNetwork:
        of_events, k = super()._build(), self.schema_.n_classes
        assert isinstance(of_events, VariationalNetwork)
        features, width = self._features(self.schema_)
        classifier = nn.Sequential(features, DenseNetwork(width, self.hidden_layer_sizes, k, 0))
        return SemiSupervisedNetwork(of_events, classifier, k)

    def _class_codes(self, X: Array, y: Array | None) -> Labels:
        known = np.ones(len(X), bool) if y is None else np.asarray(y) >= 0
        name = type(self).__name__
        if not known.any() or (y is not None and np.min(y) < -1):
            raise ValueError(f"{name}.fit: classes are codes from 0 up, -1 where unknown, and one row at least has one")
        found = np.full(len(X), -1, dtype=np.int64)
        found[known] = classification_data(name, self.schema_, X[known], None if y is None else np.asarray(y)[known])[1]
        return found

    def _weighted_rows(self, X: Array, y: Array | None, weights: Array | None = None) -> tuple[Array, ...]:
        """Rows of an epoch: those with a class as often as `labelled_share` wants, all with what they count."""
        labels = self._class_codes(X, y)
        known = labels >= 0
        n, labelled = len(labels), int(known.sum())
        wanted = self.labelled_share / max(1 - self.labelled_share, 1e-3) * (n - labelled)
        times = max(1, round(wanted / labelled))
        order = np.concatenate([np.flatnonzero(~known), *([np.flatnonzero(known)] * times)])
        share = len(order) / n
        counts = np.where(known, share / times, share).astype(np.float32)  # in the bound
        asked = np.where(known, len(order) / (times * labelled), 0.0).astype(np.float32)  # in the classifier's loss
        rows = (*self._events(X), labels, counts, asked)
        own = () if weights is None else (weights.astype(np.float32),)
        return (*rows, *own) if n == labelled else tuple(part[order] for part in (*rows, *own))

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (*events, label, counts, asked), weights = self._apart(batch)
        *terms, log_q = network(tuple(events), label, generator, self.n_importance_samples, self._beta(progress))
        losses = self._named(*(weighted_mean(counts * term, weights) for term in terms))
        wrong = -log_q.gather(1, label.clamp(min=0)[:, None])[:, 0]
        losses["cross_entropy"] = weighted_mean(asked * wrong, weights)
        return losses | {"loss": losses["loss"] + self.classification_weight * losses["cross_entropy"]}
