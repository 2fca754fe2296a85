r"""Restricted Boltzmann machines: two layers of bits, each independent given the other.

.. math:: p(v) = \frac1Z e^{-F(v)}, \qquad F(v) = -b^\top v - \sum_j \log\bigl(1 + e^{c_j + v^\top W_j}\bigr)

The last ``labels`` visible units, if any, are one class: exactly one of them is 1. Smolensky (1986); Hinton, "Training
products of experts by minimizing contrastive divergence" (2002); Larochelle and Bengio, "Classification using
discriminative restricted Boltzmann machines" (2008). log Z by annealed importance sampling: Salakhutdinov and Murray,
"On the quantitative analysis of deep belief networks" (2008).

Learned are the biases that a machine has once its units are centred, in place of b and c, as the gradient points the
better way then (Montavon and Müller, "Deep Boltzmann machines and the centering trick", 2012; Cho, Raiko and Ilin,
"Enhanced gradient for training restricted Boltzmann machines", 2013):

.. math:: b = b_0 - \tfrac12 \sum_j W_j, \qquad c = c_0 - \mu^\top W,

with the mean :math:`\mu` of the visible units of the data. It is the same model.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

SMALL = 16  # bits of a layer that can be enumerated
_AT_ONCE = 4096  # states
MIDDLE = 0.5  # of a hidden unit


class BoltzmannMachine(nn.Module):
    """Weights (V, H), centred biases b_0 (V,) and c_0 (H,), and the states (M, V) of M Markov chains.

    Args:
        visible: V, the labels included.
        hidden: H.
        labels: number of classes.
        chains: M.
        scale: of the first weights, in units of 1 / sqrt(V).
    """

    middle: Tensor
    chains: Tensor

    def __init__(self, visible: int, hidden: int, labels: int = 0, chains: int = 1, scale: float = 1.0) -> None:
        super().__init__()
        self.labels = labels
        self.weight = nn.Parameter(scale * torch.randn(visible, hidden) / math.sqrt(visible))
        self.visible_offset = nn.Parameter(self.weight.detach() @ torch.full((hidden,), MIDDLE))
        self.hidden_offset = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("middle", torch.zeros(visible))
        self.register_buffer("chains", torch.zeros(chains, visible))

    @property
    def visible_bias(self) -> Tensor:
        """Return b, (V,)."""
        return self.visible_offset - MIDDLE * self.weight.sum(dim=1)

    @property
    def hidden_bias(self) -> Tensor:
        """Return c, (H,)."""
        return self.hidden_offset - self.middle @ self.weight

    @torch.no_grad()
    def set_biases(self, visible: Tensor, hidden: Tensor) -> None:
        """Set b (V,) and c (H,)."""
        self.visible_offset.copy_(visible + MIDDLE * self.weight.sum(dim=1))
        self.hidden_offset.copy_(hidden + self.middle @ self.weight)

    @property
    def is_small(self) -> bool:
        """True where the states of one layer can be enumerated."""
        return min(self.weight.shape[0] - self.labels, self.weight.shape[1]) <= SMALL

    @torch.no_grad()
    def start(self, shares: Tensor, generator: torch.Generator, down: float = 1.0) -> None:
        """Set the visible biases to the log-odds of ``shares`` (V,), and the chains to draws from them.

        Bits that get ``down`` times their input from here, as in `half_contrast`, have the part of it as their bias.
        """
        bias = log_odds(shares, self.labels)
        self.chains.copy_(self.drawn(bias.expand(len(self.chains), -1), generator))
        bias[: len(bias) - self.labels] /= down
        self.middle.copy_(shares)
        self.set_biases(bias, -self.middle @ self.weight)

    def hidden_logits(self, v: Tensor) -> Tensor:
        """Log-odds of the hidden units, (N, V) -> (N, H)."""
        return torch.addmm(self.hidden_bias, v, self.weight)

    def visible_logits(self, h: Tensor) -> Tensor:
        """Log-odds of the visible bits and log-weights of the labels, (N, H) -> (N, V)."""
        return torch.addmm(self.visible_bias, h, self.weight.T)

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v), (N, V) -> (N,) nats."""
        return -(v @ self.visible_bias) - softplus(self.hidden_logits(v)).sum(dim=1)

    def label_scores(self, x: Tensor) -> Tensor:
        """-F(x, y) for every class, (N, V - K) -> (N, K) nats; their softmax is p(y | x)."""
        bits = x.shape[1]
        fields = torch.addmm(self.hidden_bias, x, self.weight[:bits])
        with_labels = softplus(fields[:, None] + self.weight[bits:]).sum(dim=2)
        return (x @ self.visible_bias[:bits])[:, None] + self.visible_bias[bits:] + with_labels

    def drawn(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Draw visible units, (N, V) -> (N, V) of 0 and 1."""
        bits = logits.shape[1] - self.labels
        v = bernoulli(torch.sigmoid(logits[:, :bits]), generator)
        if not self.labels:
            return v
        chosen = torch.multinomial(torch.softmax(logits[:, bits:].float(), dim=1), 1, generator=generator)[:, 0]
        return torch.cat([v, one_hot(chosen, self.labels).to(v.dtype)], dim=1)

    @torch.no_grad()
    def gibbs(self, v: Tensor, sweeps: int, generator: torch.Generator, clamped: Tensor | None = None) -> Tensor:
        """Run Gibbs sampling from v (N, V); ``clamped`` (N, K) labels stay as they are."""
        for _ in range(sweeps):
            h = bernoulli(torch.sigmoid(self.hidden_logits(v)), generator)
            v = self.drawn(self.visible_logits(h), generator)
            if clamped is not None:
                v[:, v.shape[1] - self.labels :] = clamped
        return v

    def half_contrast(self, v: Tensor, up: float, down: float, generator: torch.Generator) -> Tensor:
        """CD-1 of a layer of a deep machine, in which units have as much input again from the layer that is missing.

        Log-odds of hidden units are multiplied by ``up``, those of visible bits by ``down``: by 2 where the layer on
        the other side of these units is missing (Salakhutdinov and Hinton 2009). The chains end at the draws.
        """
        with torch.no_grad():
            fields = self.visible_logits(bernoulli(torch.sigmoid(up * self.hidden_logits(v)), generator))
            fields[:, : fields.shape[1] - self.labels] *= down
            drawn = self.drawn(fields, generator)
            self.chains[: len(drawn)] = drawn.to(self.chains)

        def energy(states: Tensor) -> Tensor:
            return -(states @ self.visible_bias) - softplus(up * self.hidden_logits(states)).sum(dim=1) / up

        return energy(v).mean() - energy(drawn).mean()

    def contrast(self, v: Tensor, steps: int, persistent: bool, generator: torch.Generator) -> Tensor:
        """Mean F(v) less that of the chains after ``steps`` sweeps: its gradient is that of (persistent) CD.

        Persistent chains resume from where they were (Tieleman 2008), others start at the data. A machine that has not
        been started is started from the shares of v.
        """
        if not self.chains.any():
            self.start(v.detach().mean(dim=0), generator)
        n = min(len(v), len(self.chains))
        drawn = self.gibbs((self.chains if persistent else v[:n]).to(v), steps, generator)
        with torch.no_grad():
            self.chains[: len(drawn)] = drawn.to(self.chains)
        return self.free_energy(v).mean() - self.free_energy(drawn).mean()


def log_odds(shares: Tensor, labels: int) -> Tensor:
    """Log-odds of bits and log-shares of the last ``labels`` units, (V,) -> (V,); kept from 0 and 1."""
    kept = shares.clamp(1e-3, 1 - 1e-3)
    bits = len(shares) - labels
    return torch.cat([torch.logit(kept[:bits]), kept[bits:].log()])


def bernoulli(p: Tensor, generator: torch.Generator) -> Tensor:
    """Draw bits of probability p, in its own type."""
    return (torch.rand(p.shape, generator=generator, device=p.device, dtype=p.dtype) < p).to(p.dtype)


@torch.no_grad()
def annealed_log_normaliser(
    machine: BoltzmannMachine, base: Tensor, generator: torch.Generator, chains: int, steps: int
) -> tuple[float, float]:
    """Estimate log Z by annealing from a machine without weights; returns it and its standard error, nats.

    Temperatures are spaced as by Salakhutdinov and Murray: 1/29 of the steps up to 0.5, 8/29 up to 0.9.

    Args:
        machine: the machine.
        base: (V,) visible biases of the first machine, such as log-odds of the data.
        generator: on the machine's device.
        chains: number of independent weights.
        steps: number of temperatures.
    """
    parts = [max(1, round(steps * share / 29)) for share in (1, 8, 20)]
    ends = zip((0.0, 0.5, 0.9), (0.5, 0.9, 1.0), parts, strict=True)
    betas = [0.0] + [float(b) for low, high, n in ends for b in np.linspace(low, high, n + 1)[1:]]
    bits = len(base) - machine.labels
    log_z = machine.weight.shape[1] * math.log(2) + softplus(base[:bits]).sum()
    if machine.labels:
        log_z = log_z + torch.logsumexp(base[bits:], dim=0)
    v = machine.drawn(base.expand(chains, -1), generator)
    log_w = torch.zeros(chains, dtype=torch.float64, device=base.device)
    slope = machine.visible_bias - base
    for before, beta in pairwise(betas):
        fields = machine.hidden_logits(v)
        gained = (beta - before) * (v @ slope) + (softplus(beta * fields) - softplus(before * fields)).sum(dim=1)
        log_w += gained.double()
        h = bernoulli(torch.sigmoid(beta * fields), generator)
        v = machine.drawn((1 - beta) * base + beta * machine.visible_logits(h), generator)
    estimate = torch.logsumexp(log_w, dim=0) - math.log(chains)
    weights = torch.exp(log_w - estimate)  # of mean 1
    return float(log_z + estimate), float(weights.std() / math.sqrt(chains))


@torch.no_grad()
def exact_log_normaliser(machine: BoltzmannMachine) -> float:
    """Sum over all states of the smaller layer; nats.

    Raises:
        ValueError: where both layers have more than `SMALL` bits.
    """
    visible, hidden = machine.weight.shape[0] - machine.labels, machine.weight.shape[1]
    n = min(visible, hidden)
    if n > SMALL:
        raise ValueError(f"layers of {visible} and {hidden} bits; one of at most {SMALL} can be enumerated")
    total = torch.tensor(-math.inf, dtype=torch.float64)
    for start in range(0, 2**n, _AT_ONCE):
        numbers = torch.arange(start, min(start + _AT_ONCE, 2**n), device=machine.weight.device)
        states = ((numbers[:, None] >> torch.arange(n, device=numbers.device)) & 1).to(machine.weight.dtype)
        logs = machine.label_scores(states) if visible <= hidden and machine.labels else _log_weights(machine, states)
        total = torch.logaddexp(total, torch.logsumexp(logs.double().flatten(), dim=0).cpu())
    return float(total)


def _log_weights(machine: BoltzmannMachine, states: Tensor) -> Tensor:
    """Log of the sum over the other layer, of states of the smaller one."""
    if states.shape[1] == machine.weight.shape[0]:
        return -machine.free_energy(states)
    fields = machine.visible_logits(states)
    bits = fields.shape[1] - machine.labels
    found = states @ machine.hidden_bias + softplus(fields[:, :bits]).sum(dim=1)
    return found + torch.logsumexp(fields[:, bits:], dim=1) if machine.labels else found
