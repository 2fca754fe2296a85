r"""Restricted Boltzmann machine over the bits of an event and its class.

.. math:: p(x, y) = \frac1Z \sum_h \exp\bigl(b^\top x + d_y + c^\top h + x^\top W h + U_y h\bigr), \qquad
    p(y \mid x) = \operatorname{softmax}_y\Bigl(d_y + \sum_j \operatorname{softplus}(c_j + x^\top W_j + U_{yj})\Bigr)

Hinton (2002) for contrastive divergence; Tieleman, "Training restricted Boltzmann machines using approximations to the
likelihood gradient" (2008) for persistent chains; Larochelle and Bengio (2008) for the class, whose posterior is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.utils.metaestimators import available_if
from torch import Tensor
from torch.nn.functional import cross_entropy

from versus.arrays import Array
from versus.models.arguments import Count, NonNegative
from versus.models.energy_model import EnergyModel, Machines, is_estimated, is_exact
from versus.models.events import stored_events
from versus.numerics.boltzmann import BoltzmannMachine, log_odds
from versus.training.batches import Batch

__all__ = ["RestrictedBoltzmannMachine"]


@dataclass(eq=False)
class RestrictedBoltzmannMachine(EnergyModel):
    """Bits and the class over one hidden layer; ``log_prob`` where a layer is small, else ``ais_log_prob``.

    Args:
        n_components: hidden units.
        persistent: True to keep the chains from batch to batch (PCD), False to start them at the data (CD).
        label_weight: of -log p(y | x) beside the joint likelihood, as in hybrid training; 0 is purely generative.
    """

    n_components: Count = 128
    persistent: bool = True
    label_weight: NonNegative = 0.0

    def _build(self) -> Machines:
        k = self.schema_.n_classes
        return Machines(BoltzmannMachine(self.schema_.n_features + k, self.n_components, k, self.batch_size))

    def _losses(
        self, network: Machines, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        x, y = batch
        loss = network[0].contrast(torch.cat(batch, dim=1), self.gibbs_steps, self.persistent, generator)
        if not self.label_weight:
            return {"loss": loss}
        label = cross_entropy(network[0].label_scores(x), y)
        return {"loss": loss + self.label_weight * label, "label_loss": label}

    def annealed(self, x: Tensor, y: Tensor) -> tuple[BoltzmannMachine, Tensor]:
        """Return the machine itself, and the log-odds of the rows."""
        return self.machines_[0], log_odds(torch.cat([x, y], dim=1).mean(dim=0), y.shape[1])

    def fantasies(self, start: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Run the chains on, and leave out the class."""
        drawn = self.machines_[0].gibbs(start, self.sample_sweeps, generator, labels)
        return drawn[:, : self.schema_.n_features]

    def log_joint(self, X: Array) -> Array:
        """Log p(x, y) for every class, (N, *event) -> (N, K) nats, with log Z as it is known."""
        return self._by_class(self.machines_[0].label_scores, X)

    @available_if(is_exact)  # type: ignore[untyped-decorator]
    def log_prob(self, X: Array) -> Array:
        """Log p(x), (N, *event) -> (N,) nats: one layer was enumerated."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    @available_if(is_estimated)  # type: ignore[untyped-decorator]
    def ais_log_prob(self, X: Array) -> Array:
        """Log p(x) with log Z estimated by annealing, (N, *event) -> (N,) nats; see ``log_normaliser_``."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    def encode(self, X: Array) -> Array:
        """Probabilities of the hidden units, the class summed out, (N, *event) -> (N, H)."""
        machine, d = self.machines_[0], self.schema_.n_features

        def hidden(bits: Tensor) -> Tensor:
            x = bits.to(machine.weight)
            of_class = torch.softmax(machine.label_scores(x), dim=1)
            fields = (x @ machine.weight[:d] + machine.hidden_bias)[:, None] + machine.weight[d:]
            return (of_class[:, :, None] * torch.sigmoid(fields)).sum(dim=1)

        return self._apply(hidden, self._encoded(X))

    def decode(self, Z: Array) -> Array:
        """Events whose bits are the likelier values given hidden units, (N, H) -> (N, *event)."""
        logits = self._apply(lambda h: self.machines_[0].visible_logits(h)[:, : self.schema_.n_features], Z)
        return stored_events((logits > 0) * ((self.schema_.levels or 2) - 1.0), self.schema_)
