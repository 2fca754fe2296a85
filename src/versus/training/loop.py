r"""The training loop of every deep model: AdamW, warm-up and cosine schedule, clipped gradients, early stopping.

.. math:: \theta \leftarrow \theta - \eta_t\,\mathrm{AdamW}(\mathrm{clip}(\nabla_\theta L)), \qquad
    \eta_t = \eta \min\left(1, \tfrac{t+1}{w}\right) \tfrac12 \left(1 + \cos \tfrac{\pi t}{T}\right)

Loshchilov & Hutter, "SGDR" (2017) and "Decoupled weight decay regularization" (2019); Pascanu et al., "On the
difficulty of training recurrent neural networks" (2013) for clipping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Step
from versus.training.batches import Batch, DeviceRows
from versus.training.devices import cpu_threads, fabric_for, resolve_device, resolve_precision
from versus.training.early_stopping import EarlyStopping
from versus.training.epoch_losses import EpochLosses
from versus.training.randomness import fresh_seed, generator_for, seed_for, seeded
from versus.training.state import load_network, load_optimizer, network_arrays, optimizer_arrays, under, with_prefix

# (network, batch, generator on the batch's device, share of the training that is done: 0 to 1, in validation 1)
# -> mean losses over the batch; "loss" is minimised, others are reported.
Objective = Callable[[nn.Module, Batch, torch.Generator, float], Mapping[str, Tensor]]

WARMUP_STEPS = 20
VALIDATION_BATCH = 512  # rows; bounds the memory of activations


def scheduled_learning_rate(base: float, step: int, steps: int) -> float:
    """The learning rate of step ``step`` of ``steps``: linear warm-up (a twentieth at most), then half a cosine."""
    warmup = max(1, min(WARMUP_STEPS, steps // 20))
    return base * min(1.0, (step + 1) / warmup) * 0.5 * (1.0 + math.cos(math.pi * step / steps))


class Training:
    """One fit: a network, its optimizer, the place in the schedule, the best weights so far.

    Args:
        network: trained in place, on the device it ends up on.
        objective: the losses of a batch.
        data: arrays of N rows each; a batch is a tuple of their rows.
        validation: the same of held-out rows, for early stopping; None or no rows trains all epochs.
        epochs: passes through the data, at most.
        batch_size: rows a step.
        learning_rate: base learning rate of AdamW.
        weight_decay: decoupled weight decay.
        patience: see `EarlyStopping`.
        unjudged_epochs: epochs at the start that are neither the best nor count for patience.
        max_gradient_norm: the gradient's Euclidean norm is cut to this.
        random_state: seed of shuffling and noise; None draws one.
        device: see `resolve_device`.
        precision: see `resolve_precision`.
        threads: CPU threads, see `cpu_threads`.

    Raises:
        ValueError: naming the argument that is out of range.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        data: Sequence[Array],
        validation: Sequence[Array] | None = None,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: float = 0.0,
        patience: int | None = None,
        unjudged_epochs: int = 0,
        max_gradient_norm: float = 1.0,
        random_state: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 1,
    ) -> None:
        for name, value in (("epochs", epochs), ("batch_size", batch_size), ("rows to train on", len(data[0]))):
            if value < 1:
                raise ValueError(f"{name}={value}; at least 1 is needed")
        if not 0 < learning_rate < math.inf:
            raise ValueError(f"learning_rate={learning_rate}; a positive number is needed")
        self.device = resolve_device(device)
        self.precision = resolve_precision(precision, self.device)
        self.fabric = fabric_for(self.device, self.precision)
        self.network, self.objective = network, objective
        self.rows = DeviceRows(data, self.device)
        held_out = validation is not None and len(validation[0]) > 0
        self.validation = DeviceRows(validation, self.device) if validation is not None and held_out else None
        self.epochs, self.batch_size, self.threads = epochs, batch_size, threads
        self.learning_rate, self.max_gradient_norm = learning_rate, max_gradient_norm
        self.seed = fresh_seed(random_state)
        self.stopping, self.unjudged_epochs = EarlyStopping(patience), unjudged_epochs
        self.epoch, self.seconds = 0, 0.0
        network.to(self.device)
        self.adamw = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True)
        self.wrapped, self.optimizer = self.fabric.setup(network, self.adamw)

    def steps(self, resume: Mapping[str, Array] | None = None) -> Iterator[Step]:
        """Train, yielding after each epoch; afterwards the network has the best epoch's weights and is in eval mode.

        ``Step.seconds`` counts the epochs, those before a ``resume`` too, but not what the caller does in between.
        ``Step.state()`` is the state at the time it is called: call it before asking for the next step.

        Raises:
            TrainingDiverged: if a loss or its gradient becomes NaN or infinite.
            ValueError: if ``resume`` is of another network.
        """
        if resume is not None:
            self.load(resume)
        while self.epoch < self.epochs and not self.stopping.exhausted(self.epoch):
            losses = self._run_epoch()
            yield Step(self.epoch, losses, self.seconds, self.state)
        self.stopping.restore(self.network)
        self.network.eval()

    def state(self) -> dict[str, Array]:
        """Everything that `load` needs to go on exactly, as flat arrays."""
        scalars = {"epoch": np.int64(self.epoch), "seed": np.int64(self.seed), "seconds": np.float64(self.seconds)}
        return (
            {name: np.asarray(value) for name, value in scalars.items()}
            | with_prefix("network", network_arrays(self.network))
            | with_prefix("optimizer", optimizer_arrays(self.adamw, self.network))
            | with_prefix("best", self.stopping.arrays())
        )

    def load(self, state: Mapping[str, Array]) -> None:
        """Go back to where `state` was taken."""
        self.epoch, self.seed = int(state["epoch"]), int(state["seed"])
        self.seconds = float(state["seconds"])
        load_network(self.network, under("network", state))
        load_optimizer(self.adamw, self.network, under("optimizer", state))
        self.stopping.load(under("best", state), self.network)

    def _run_epoch(self) -> dict[str, float]:
        started = time.perf_counter()
        self.epoch += 1
        with cpu_threads(self.threads):
            losses = {f"train_{name}": value for name, value in self._train().items()}
            if self.validation is not None:
                losses |= {f"validation_{name}": value for name, value in self._validate(self.validation).items()}
                if self.epoch > self.unjudged_epochs:
                    self.stopping.record(self.epoch, losses["validation_loss"], self.network)
        self.seconds += time.perf_counter() - started
        return losses

    def _train(self) -> dict[str, float]:
        shuffling = generator_for(self.seed, "shuffle", self.epoch)
        noise = generator_for(self.seed, "noise", self.epoch, self.device)
        seen = EpochLosses(self.epoch, "training", self.learning_rate)
        steps = math.ceil(len(self.rows) / self.batch_size)
        self.wrapped.train()
        with seeded(seed_for(self.seed, "dropout", self.epoch), self.device):
            for number, batch in enumerate(self.rows.shuffled(self.batch_size, shuffling)):
                step = (self.epoch - 1) * steps + number
                rate = scheduled_learning_rate(self.learning_rate, step, self.epochs * steps)
                losses = self.objective(self.wrapped, batch, noise, step / (self.epochs * steps))
                seen.add(losses, len(batch[0]), self._descend(losses["loss"], rate))
        return seen.means()

    def _descend(self, loss: Tensor, learning_rate: float) -> Tensor:
        """One step of the optimizer; returns the norm of the gradient before clipping."""
        for group in self.adamw.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm: Tensor = self.fabric.clip_gradients(
            self.wrapped, self.optimizer, max_norm=self.max_gradient_norm, error_if_nonfinite=False
        )
        self.optimizer.step()
        return norm

    @torch.no_grad()
    def _validate(self, rows: DeviceRows) -> dict[str, float]:
        # The same noise each epoch: epochs then differ by their weights alone.
        noise = generator_for(self.seed, "validation", 0, self.device)
        seen = EpochLosses(self.epoch, "validation", self.learning_rate)
        self.wrapped.eval()
        for batch in rows.in_order(VALIDATION_BATCH):
            seen.add(self.objective(self.wrapped, batch, noise, 1.0), len(batch[0]))
        return seen.means()
