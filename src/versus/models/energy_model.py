"""Base of Boltzmann machines: bits of an event and its class, an estimated normaliser, samples by Gibbs sampling.

A model defines its network, the loss of a batch, and how its normaliser and its samples are found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from versus.arrays import Array, Labels, Measure
from versus.data.spaces import Image
from versus.models.arguments import Count, NonNegative, Positive
from versus.models.bayes import GenerativeClassifier
from versus.models.checks import classification_data
from versus.models.deep_model import DeepModel
from versus.models.events import binary_rows, raw_rows, stored_events
from versus.numerics.boltzmann import BoltzmannMachine, annealed_log_normaliser, bernoulli, exact_log_normaliser
from versus.training.batches import Batch, fresh_seed, generator_for
from versus.training.devices import cpu_threads
from versus.training.updates import Descent, Update

INTERVAL = 3.0  # standard errors on each side of log Z, as Salakhutdinov and Murray (2008) give it
_SEEN = 2000  # training rows that the base of the annealing is learned from


class Machines(nn.Module):
    """The machines of a model, from the data upwards, and log Z with the ends of its interval, (3,) nats."""

    log_normaliser: Tensor

    def __init__(self, *machines: BoltzmannMachine) -> None:
        super().__init__()
        self.machines = nn.ModuleList(machines)
        self.register_buffer("log_normaliser", torch.zeros(3))

    def __getitem__(self, place: int) -> BoltzmannMachine:
        found = self.machines[place]
        assert isinstance(found, BoltzmannMachine)
        return found


def is_exact(model: Any) -> bool:
    """Check that the normaliser was enumerated; a class that is not fitted yet may come to have one."""
    return not hasattr(model, "network_") or bool(model.log_normaliser_[1] == model.log_normaliser_[2])


def is_estimated(model: Any) -> bool:
    """Check that the normaliser was estimated by annealing."""
    return not hasattr(model, "network_") or not is_exact(model)


@dataclass(eq=False, kw_only=True)
class EnergyModel(DeepModel, GenerativeClassifier):
    """A model of bits and the class whose normaliser is estimated by annealed importance sampling after training.

    Pixels count as 1 from half of their levels up; columns hold 0 and 1 or two categories. Learned: ``network_``.

    Args:
        draw_pixels: True to learn pixels drawn black or white by how bright they are, afresh in each epoch, as
            Salakhutdinov and Murray (2008) did; False to learn those cut at half of their levels.
        learning_rate: base learning rate of AdamW.
        weight_decay: decoupled weight decay.
        gibbs_steps: sweeps of Gibbs sampling for each update (the k of CD-k).
        sample_sweeps: sweeps from the last states of the training's chains to a sample.
        ais_chains: annealed chains that estimate log Z.
        ais_steps: temperatures of each.
    """

    takes_devices: ClassVar[bool] = False  # a chain for each row of a batch

    draw_pixels: bool = False
    epochs: Count = 30
    batch_size: Count = 100
    learning_rate: Positive = 3e-3
    weight_decay: NonNegative = 1e-3
    gibbs_steps: Count = 1
    sample_sweeps: Count = 100
    ais_chains: Count = 100
    ais_steps: Count = 1000

    def annealed(self, x: Tensor, y: Tensor) -> tuple[BoltzmannMachine, Tensor]:
        """Machine whose Z is sought, and log-odds of its visible units to anneal from, given rows (N, D) and (N, K)."""
        raise NotImplementedError

    def fantasies(self, start: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw bits (n, D) from states ``start`` of the top machine's chains, of ``labels`` (n, K) where given."""
        raise NotImplementedError

    def _losses(
        self, network: Machines, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        raise NotImplementedError

    @property
    def machines_(self) -> Machines:
        """The network."""
        found = self.network_
        assert isinstance(found, Machines)
        return found

    @property
    def measure(self) -> Measure:
        """Reference measure: "binarised" or "dynamically_binarised" for images, else "discrete"."""
        schema = getattr(self, "schema_", None) or self.schema
        if not schema or not isinstance(schema.x, Image):
            return "discrete"
        return "dynamically_binarised" if self.draw_pixels else "binarised"

    @property
    def log_normaliser_(self) -> Array:
        """Log Z and the ends of its interval of three standard errors on each side, (3,) nats."""
        return np.asarray(self.machines_.log_normaliser.cpu().numpy(), np.float64)

    def _encoded(self, X: Array) -> Array:
        bits = binary_rows(type(self).__name__, X, self.schema_)
        if np.isnan(bits).any():
            raise ValueError(f"{type(self).__name__} takes complete rows, and a value is missing")
        return bits.astype(np.uint8)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        labels = classification_data(type(self).__name__, self.schema_, X, y)[1]
        if self.draw_pixels and self.schema_.levels is None:
            raise ValueError("draw_pixels=True draws pixels of whole levels, and these data have none; wants False")
        rows = raw_rows(X, self.schema_) if self.draw_pixels else self._encoded(X)
        return rows, np.eye(self.schema_.n_classes, dtype=np.uint8)[labels]

    @property
    def _white(self) -> int:
        """Value that stands for 1 in the rows of a batch."""
        return (self.schema_.levels or 2) - 1 if self.draw_pixels else 1

    def _update(self) -> Update:
        def objective(network: Any, batch: Batch, generator: torch.Generator, progress: float) -> Mapping[str, Tensor]:
            kind = self.machines_.log_normaliser.dtype
            x, y = (part.to(kind) for part in batch)
            if self.draw_pixels:
                x = bernoulli(x / self._white, generator)
            return self._losses(self.machines_, (x, y), generator, progress)

        update = Descent(
            self.network_,
            objective,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            max_gradient_norm=math.inf,
        )
        update.phases = self._phases()
        return update

    def _phases(self) -> Mapping[float, float]:
        """Shares of the training after which other layers are trained, and factors of the learning rate there."""
        return {}

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        generator = generator_for(fresh_seed(self.random_state), "chains")
        x, classes = (torch.from_numpy(part.mean(axis=0)).float() for part in self._rows(X, y))
        x, first = x / self._white, self.machines_[0]
        first.start(torch.cat([x, classes]) if first.labels else x, generator)

    def _finish(self, X: Array, y: Array | None) -> None:
        """Find the normaliser."""
        seed = fresh_seed(self.random_state)
        rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:_SEEN])
        with torch.no_grad(), cpu_threads(self._threads()):
            bits, classes = (self._tensor(part) for part in self._rows(X[rows], None if y is None else y[rows]))
            machine, base = self.annealed(bits / self._white, classes)
            if machine.is_small:
                found = [exact_log_normaliser(machine)] * 3
            else:
                generator = generator_for(seed, "anneal", 0, base.device)
                z, error = annealed_log_normaliser(machine, base, generator, self.ais_chains, self.ais_steps)
                found = [z, z - INTERVAL * error, z + INTERVAL * error]
            self.machines_.log_normaliser.copy_(torch.tensor(found))

    def _tensor(self, rows: Array) -> Tensor:
        kind = self.machines_.log_normaliser
        return torch.from_numpy(np.array(rows)).to(kind.device, kind.dtype)

    def _by_class(self, scores: Any, X: Array) -> Array:
        """Apply ``scores`` of the bits, (n, D) -> (n, K), and subtract log Z, (N, *event) -> (N, K) nats."""
        kind = self.machines_.log_normaliser.dtype
        found = self._apply(lambda bits: scores(bits.to(kind)).double(), self._encoded(X))
        return np.asarray(found - self.log_normaliser_[0])

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event), black and white, of the classes ``y`` (n,) where given.

        Chains resume where the training left them.

        Raises:
            ValueError: where ``y`` has another length than ``n`` or holds an unknown class.
        """
        k, top = self.schema_.n_classes, self.machines_[-1]
        if y is not None and (np.shape(y) != (n,) or (n and not 0 <= np.min(y) <= np.max(y) < k)):
            raise ValueError(f"y must be {n} class codes from 0 to {k - 1}; its shape is {np.shape(y)}")
        generator = generator_for(fresh_seed(random_state), "sample", 0, top.weight.device)
        with torch.inference_mode(), cpu_threads(self._threads()):
            places = torch.randint(len(top.chains), (n,), generator=generator, device=top.weight.device)
            labels = None if y is None else one_hot(torch.from_numpy(np.array(y, np.int64)), k).to(top.chains)
            bits = self.fantasies(top.chains[places], labels, generator).cpu().numpy()
        return stored_events(bits.astype(np.float64) * ((self.schema_.levels or 2) - 1), self.schema_)

    def filters(self) -> Array:
        """Weights of each unit of the first hidden layer to the pixels, (H, *event)."""
        weight = self.machines_[0].weight.detach().cpu().numpy()[: self.schema_.n_features]
        return np.asarray(weight.T.reshape(-1, *self.schema_.shape), np.float32)
