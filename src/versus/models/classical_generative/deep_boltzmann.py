r"""Deep Boltzmann machine: two layers of hidden units, of which the upper one also sees the class.

.. math:: p(x, y, h_1, h_2) = \frac1Z \exp\bigl(b^\top x + c_1^\top h_1 + c_2^\top h_2 + d_y
    + x^\top W_1 h_1 + h_1^\top W_2 h_2 + U_y h_2\bigr)

Salakhutdinov and Hinton, "Deep Boltzmann machines" (2009): layers that are pretrained one after the other, with twice
the input from the one side that is there; then mean field for the data, persistent chains for the model.
Its layers x, h_2 against h_1, y form a restricted machine with blocks of zero weights, so that Gibbs sampling and
annealing are those of `versus.numerics.boltzmann`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.utils.metaestimators import available_if
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from versus.arrays import Array
from versus.models.arguments import Count, NonNegative, Positive, Share
from versus.models.energy_model import EnergyModel, Machines, is_estimated, is_exact
from versus.numerics.boltzmann import BoltzmannMachine, bernoulli, log_odds
from versus.training.batches import Batch

__all__ = ["DeepBoltzmannMachine"]

_UPPER_SCALE = 0.2  # of the upper layer's first weights; at 1 the bound of digits, small and large, is nats lower


@dataclass(eq=False)
class DeepBoltzmannMachine(EnergyModel):
    """Layers are first trained one after the other, then both at once; the class follows from bounds of log p(x, y).

    Where log Z is known, ``elbo`` bounds log p(x), else ``ais_elbo`` estimates the bound.

    Args:
        hidden_layer_sizes: the two numbers of hidden units, from the data upwards.
        pretraining: share of the epochs in which single layers are trained, half of them each.
        joint_rate: factor of the learning rate when both are trained at once. The more units a layer has, the further
            an update of all its weights moves the other layer, and where its chains cannot follow, the loss runs away.
        label_weight: of -log p(y | x), by the bounds, beside the joint likelihood; 0 is purely generative.
        mean_field_steps: updates of both layers' means for an event.
    """

    hidden_layer_sizes: Sequence[Count] = (128, 64)
    pretraining: Share = 0.5
    joint_rate: Positive = 0.1
    label_weight: NonNegative = 0.0
    mean_field_steps: Count = 10

    def _build(self) -> Machines:
        if len(self.hidden_layer_sizes) != 2:
            raise ValueError(f"hidden_layer_sizes={list(self.hidden_layer_sizes)}; a deep Boltzmann machine has two")
        (lower, upper), k = self.hidden_layer_sizes, self.schema_.n_classes
        return Machines(
            BoltzmannMachine(self.schema_.n_features, lower, 0, self.batch_size),
            BoltzmannMachine(lower + k, upper, k, self.batch_size, scale=_UPPER_SCALE),
        )

    def joined(self) -> BoltzmannMachine:
        """Build the restricted machine of (h_1, y) against (x, h_2) that has the same distribution."""
        lower, upper = self.machines_[0], self.machines_[1]
        (d, h), k = lower.weight.shape, upper.labels
        machine = BoltzmannMachine(h + k, d + upper.weight.shape[1], k).to(lower.weight)
        with torch.no_grad():
            machine.weight.zero_()
            machine.weight[:h, :d] = lower.weight.T
            machine.weight[:, d:] = upper.weight
            bias = upper.visible_bias
            bias[:h] += lower.hidden_bias
            machine.set_biases(bias, torch.cat([lower.visible_bias, upper.hidden_bias]))
        return machine

    def _mean_field(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Means of both hidden layers, each updated given the other, (N, H1) and (N, H2)."""
        lower, upper = self.machines_[0], self.machines_[1]
        from_below = lower.hidden_logits(x)
        first = torch.sigmoid(2 * from_below)  # doubled, as nothing comes from above yet
        for _ in range(self.mean_field_steps):
            second = torch.sigmoid(upper.hidden_logits(torch.cat([first, y], dim=1)))
            first = torch.sigmoid(from_below + upper.visible_logits(second)[:, : first.shape[1]])
        return first, second

    def _score(self, x: Tensor, y: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Negative energy, which is linear in each layer, (N,) nats."""
        lower, upper = self.machines_[0], self.machines_[1]
        seen = torch.cat([first, y], dim=1)
        single = x @ lower.visible_bias + seen @ upper.visible_bias
        return single + (lower.hidden_logits(x) * first).sum(dim=1) + (upper.hidden_logits(seen) * second).sum(dim=1)

    def _losses(
        self, network: Machines, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (x, y), (lower, upper) = batch, (network[0], network[1])
        if progress < self.pretraining:
            return self._pretraining_losses(x, y, generator, progress)
        with torch.no_grad():
            means = self._mean_field(x, y)
            if not upper.chains.any():
                upper.start(torch.cat([means[0], y], dim=1).mean(dim=0), generator)
            drawn = self.joined().gibbs(upper.chains, self.gibbs_steps, generator)
            upper.chains.copy_(drawn)
        h = drawn[:, : -upper.labels]
        visible = softplus(lower.visible_logits(h)).sum(dim=1) + softplus(upper.hidden_logits(drawn)).sum(dim=1)
        model = drawn @ upper.visible_bias + h @ lower.hidden_bias + visible
        loss = model.mean() - self._score(x, y, *means).mean()
        if not self.label_weight:
            return {"loss": loss}
        label = cross_entropy(self._bounds(x), y)
        return {"loss": loss + self.label_weight * label, "label_loss": label}

    def _phases(self) -> Mapping[float, float]:
        return {self.pretraining / 2: 1.0, self.pretraining: self.joint_rate}

    def _pretraining_losses(
        self, x: Tensor, y: Tensor, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        """CD-1 of the lower layer, then of the upper one over it, whose missing neighbours are made up for."""
        lower, upper = self.machines_[0], self.machines_[1]
        if progress < self.pretraining / 2:
            loss = lower.half_contrast(x, 2.0, 1.0, generator)
            return {"loss": loss, "layer_1": loss}
        with torch.no_grad():
            h = bernoulli(torch.sigmoid(2 * lower.hidden_logits(x)), generator)
            v = torch.cat([h, y], dim=1)
            if not upper.chains.any():
                upper.start(v.mean(dim=0), generator, down=2.0)
        loss = upper.half_contrast(v, 1.0, 2.0, generator)
        return {"loss": loss, "layer_2": loss}

    def annealed(self, x: Tensor, y: Tensor) -> tuple[BoltzmannMachine, Tensor]:
        """Return the joined machine, and the log-odds of the lower means and the classes of the rows."""
        shares = torch.cat([self._mean_field(x, y)[0], y], dim=1).mean(dim=0)
        return self.joined(), log_odds(shares, y.shape[1])

    def fantasies(self, start: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Run the chains on, then draw the bits from the lower layer."""
        drawn = self.joined().gibbs(start, self.sample_sweeps, generator, labels)
        logits = self.machines_[0].visible_logits(drawn[:, : -self.schema_.n_classes])
        return bernoulli(torch.sigmoid(logits), generator)

    def _bounds(self, x: Tensor) -> Tensor:
        """Mean-field bounds of log p(x, y) Z for every class, (N, D) -> (N, K) nats.

        At its maximum a bound changes with the weights as if the means stood still, so these have no gradient.
        """
        k = self.schema_.n_classes
        y = torch.eye(k, dtype=x.dtype, device=x.device).repeat(len(x), 1)
        x = x.repeat_interleave(k, dim=0)
        with torch.no_grad():
            means = self._mean_field(x, y)
            entropy = _entropy(means[0]) + _entropy(means[1])
        return (self._score(x, y, *means) + entropy).reshape(-1, k)

    def log_joint(self, X: Array) -> Array:
        """Mean-field bounds of log p(x, y) for every class, (N, *event) -> (N, K) nats, with log Z as it is known."""
        return self._by_class(self._bounds, X)

    @available_if(is_exact)  # type: ignore[untyped-decorator]
    def elbo(self, X: Array) -> Array:
        """Lower bound of log p(x), (N, *event) -> (N,) nats; the lower layer was enumerated."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    @available_if(is_estimated)  # type: ignore[untyped-decorator]
    def ais_elbo(self, X: Array) -> Array:
        """Lower bound of log p(x) but for the error of log Z, (N, *event) -> (N,) nats; see ``log_normaliser_``."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))


def _entropy(p: Tensor) -> Tensor:
    """Entropy of independent bits, (N, H) -> (N,) nats."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(dim=1)
