r"""Deep belief network: a Boltzmann machine over the features of the one below, with the class at the top.

.. math:: p(x, y, h) = p(x \mid h_1) \cdots p(h_{L-2} \mid h_{L-1})\, p_\text{RBM}(h_{L-1}, y), \qquad
    \log p(x) \ge \mathbb{E}_{q(h \mid x)}\bigl[\log p(x, h) - \log q(h \mid x)\bigr]

Hinton, Osindero and Teh, "A fast learning algorithm for deep belief nets" (2006); the bound with log Z by annealing:
Salakhutdinov and Murray (2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from versus.arrays import Array
from versus.models.arguments import Count, Share
from versus.models.energy_model import EnergyModel, Machines, is_estimated, is_exact
from versus.numerics.boltzmann import BoltzmannMachine, bernoulli, log_odds
from versus.training.batches import Batch, generator_for

__all__ = ["DeepBeliefNetwork"]


@dataclass(eq=False)
class DeepBeliefNetwork(EnergyModel):
    """Layers are trained one after the other, each for an equal part of the epochs, by persistent CD.

    The class follows from the top machine, given the mean features. Where log Z is known, ``elbo`` bounds log p(x),
    else ``ais_elbo`` estimates the bound.

    Args:
        hidden_layer_sizes: hidden units from the data upwards.
        fine_tuning: share of the epochs at the end that minimise -log p(y | x) through all layers; the bound is then
            that of the tuned weights.
        bound_samples: draws of the hidden units for each event.
    """

    hidden_layer_sizes: Sequence[Count] = (128, 128)
    fine_tuning: Share = 0.0
    bound_samples: Count = 10

    def _build(self) -> Machines:
        k, sizes = self.schema_.n_classes, [self.schema_.n_features, *self.hidden_layer_sizes]
        *lower, top = pairwise(sizes)
        machines = [BoltzmannMachine(visible, hidden, 0, self.batch_size) for visible, hidden in lower]
        return Machines(*machines, BoltzmannMachine(top[0] + k, top[1], k, self.batch_size))

    def _losses(
        self, network: Machines, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (x, y), layers = batch, len(network.machines)
        ends = list(self._phases())
        if self.fine_tuning and progress >= ends[-1]:
            return {"loss": cross_entropy(self._label_scores(x), y)}
        place = sum(progress >= share for share in ends[: layers - 1])
        with torch.no_grad():
            for below in range(place):
                x = bernoulli(torch.sigmoid(network[below].hidden_logits(x)), generator)
        v = torch.cat([x, y], dim=1) if place == layers - 1 else x
        loss = network[place].contrast(v, self.gibbs_steps, True, generator)
        return {"loss": loss, f"layer_{place + 1}": loss}

    def _phases(self) -> Mapping[float, float]:
        layers = len(self.hidden_layer_sizes)
        ends = [(1 - self.fine_tuning) * (place + 1) / layers for place in range(layers)]
        return dict.fromkeys(ends if self.fine_tuning else ends[:-1], 1.0)

    def _features(self, x: Tensor) -> Tensor:
        """Mean units below the top machine, (N, D) -> (N, H)."""
        for machine in self._lower():
            x = torch.sigmoid(machine.hidden_logits(x))
        return x

    def _lower(self) -> list[BoltzmannMachine]:
        return [self.machines_[place] for place in range(len(self.machines_.machines) - 1)]

    def _label_scores(self, x: Tensor) -> Tensor:
        return self.machines_[-1].label_scores(self._features(x))

    def annealed(self, x: Tensor, y: Tensor) -> tuple[BoltzmannMachine, Tensor]:
        """Return the top machine, and the log-odds of the features of the rows."""
        shares = torch.cat([self._features(x), y], dim=1).mean(dim=0)
        return self.machines_[-1], log_odds(shares, y.shape[1])

    def fantasies(self, start: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Run the chains of the top machine on, then draw each layer from the one above."""
        top = self.machines_[-1]
        h = top.gibbs(start, self.sample_sweeps, generator, labels)[:, : -top.labels]
        for machine in reversed(self._lower()):
            h = bernoulli(torch.sigmoid(machine.visible_logits(h)), generator)
        return h

    def log_joint(self, X: Array) -> Array:
        """Log p(mean features, y) of the top machine, (N, *event) -> (N, K) nats: what the class is decided by."""
        return self._by_class(self._label_scores, X)

    @available_if(is_exact)  # type: ignore[untyped-decorator]
    def elbo(self, X: Array) -> Array:
        """Lower bound of log p(x), (N, *event) -> (N,) nats; the top machine was enumerated."""
        return self._bound(X)

    @available_if(is_estimated)  # type: ignore[untyped-decorator]
    def ais_elbo(self, X: Array) -> Array:
        """Lower bound of log p(x) but for the error of log Z, (N, *event) -> (N,) nats; see ``log_normaliser_``."""
        return self._bound(X)

    def _bound(self, X: Array) -> Array:
        generator = generator_for(0, "bound", 0, self.machines_[-1].weight.device)

        def bound(bits: Tensor) -> Tensor:
            below = bits.to(self.machines_.log_normaliser).repeat(self.bound_samples, 1)
            total = torch.zeros(len(below), dtype=torch.float64, device=below.device)
            for machine in self._lower():
                logits = machine.hidden_logits(below)
                h = bernoulli(torch.sigmoid(logits), generator)
                total += _log_prob(machine.visible_logits(h), below) - _log_prob(logits, h)
                below = h
            total += torch.logsumexp(self.machines_[-1].label_scores(below).double(), dim=1)
            return total.reshape(self.bound_samples, -1).mean(dim=0)

        return np.asarray(self._apply(bound, self._encoded(X)) - self.log_normaliser_[0])

    def encode(self, X: Array) -> Array:
        """Mean units below the top machine, (N, *event) -> (N, H)."""
        return self._apply(lambda bits: self._features(bits.to(self.machines_.log_normaliser)), self._encoded(X))


def _log_prob(logits: Tensor, bits: Tensor) -> Tensor:
    """Log-probability of independent bits, (N, V) -> (N,) nats."""
    return -binary_cross_entropy_with_logits(logits.double(), bits.double(), reduction="none").sum(dim=1)
