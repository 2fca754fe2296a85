r"""The training loop of every deep model: epochs over shuffled rows, schedule, early stopping, exact resume.

.. math:: \eta_t = \eta \min\left(1, \tfrac{t+1}{w}\right) \tfrac12 \left(1 + \cos \tfrac{\pi t}{T}\right)

Loshchilov & Hutter, "SGDR" (2017). The change of the weights by a batch is an `Update`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from versus.arrays import Array, Step
from versus.training.batches import DeviceRows, fresh_seed, generator_for, seed_for, seeded
from versus.training.devices import cpu_threads, resolve_device, resolve_precision
from versus.training.divergence import Watch, diverged
from versus.training.kept_weights import EarlyStopping, MovingAverage
from versus.training.processes import Processes, connected
from versus.training.state import load_network, load_optimizers, network_arrays, optimizer_arrays, under, with_prefix
from versus.training.updates import Update

WARMUP_STEPS = 20
VALIDATION_BATCH = 512  # rows; bounds the memory of activations
CHECK_EVERY = 50  # batches between checks of the losses: each check makes a GPU wait


def scheduled_learning_rate(base: float, step: int, steps: int) -> float:
    """The learning rate of step ``step`` of ``steps``: linear warm-up (a twentieth at most), then half a cosine."""
    warmup = max(1, min(WARMUP_STEPS, steps // 20))
    return base * min(1.0, (step + 1) / warmup) * 0.5 * (1.0 + math.cos(math.pi * step / steps))


class Training:
    """One fit: an update of a network, the place in the schedule, the weights that are kept.

    Args:
        update: change of the network by a batch; the network is trained in place, on the device it ends up on.
        data: arrays of N rows each; a batch is a tuple of their rows.
        validation: the same of held-out rows, for early stopping; None or no rows trains all epochs.
        epochs: passes through the data, at most.
        batch_size: rows per step.
        patience: see `EarlyStopping`.
        unjudged_epochs: epochs at the start that are neither the best nor count for patience.
        ema_decay: see `MovingAverage`, whose weights are then the ones that are validated and kept; None has none.
        random_state: seed of shuffling and noise; None draws one.
        device: see `resolve_device`.
        precision: see `resolve_precision`.
        threads: CPU threads, see `cpu_threads`.

    Raises:
        ValueError: naming the argument that is out of range.
    """

    def __init__(
        self,
        update: Update,
        data: Sequence[Array],
        validation: Sequence[Array] | None = None,
        *,
        epochs: int,
        batch_size: int,
        patience: int | None = None,
        unjudged_epochs: int = 0,
        ema_decay: float | None = None,
        random_state: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 1,
    ) -> None:
        for name, value in (("epochs", epochs), ("batch_size", batch_size), ("rows to train on", len(data[0]))):
            if value < 1:
                raise ValueError(f"{name}={value}; at least 1 is needed")
        self.device = resolve_device(device)
        self.processes = update.processes = connected(self.device.type)
        self.device = self.processes.device(self.device)
        self.precision = resolve_precision(precision, self.device)
        self.update, self.network = update, update.network
        self.rows = DeviceRows(data, self.device, self.processes.own)
        held_out = validation is not None and len(validation[0]) > 0
        self.validation = (
            DeviceRows(validation, self.device, self.processes.own) if validation is not None and held_out else None
        )
        self.epochs, self.batch_size, self.threads = epochs, batch_size, threads
        self.seed = self.processes.agree(fresh_seed(random_state))
        self.stopping, self.unjudged_epochs = EarlyStopping(patience), unjudged_epochs
        self.watch = Watch(update.learning_rate)
        self.epoch, self.seconds = 0, 0.0
        self.network.to(self.device)
        update.prepare(self.device, self.precision)
        self.average = None if ema_decay is None else MovingAverage(self.network, ema_decay)

    def steps(self, resume: Mapping[str, Array] | None = None) -> Iterator[Step]:
        """Train, yielding after each epoch; afterwards the network has the weights to keep and is in eval mode.

        Those are the best epoch's where rows are held out, else the last. ``Step.seconds`` counts the epochs, those
        before a ``resume`` too, but not what the caller does in between. ``Step.state()`` is the state at the time it
        is called: call it before asking for the next step.

        Raises:
            TrainingDiverged: if a loss or its gradient becomes NaN or infinite, or a loss explodes.
            TrainingCollapsed: if the players of a game have learned nothing for many epochs.
            ValueError: if ``resume`` is of another network.
        """
        if resume is not None:
            self.load(resume)
        while self.epoch < self.epochs and not self.stopping.exhausted(self.epoch):
            losses = self._run_epoch()
            yield Step(self.epoch, losses, self.seconds, self.state)
        if self.average is not None:
            self.average.exchange()
        self.stopping.restore(self.network)
        self.network.eval()

    def state(self) -> dict[str, Array]:
        """Return everything that `load` needs to resume exactly, as flat arrays."""
        scalars = {"epoch": np.int64(self.epoch), "seed": np.int64(self.seed), "seconds": np.float64(self.seconds)}
        return (
            {name: np.asarray(value) for name, value in scalars.items()}
            | with_prefix("network", network_arrays(self.network))
            | with_prefix("optimizer", optimizer_arrays(self.update.optimizers, self.network))
            | with_prefix("average", {} if self.average is None else self.average.arrays())
            | with_prefix("best", self.stopping.arrays())
            | with_prefix("watch", self.watch.arrays())
        )

    def load(self, state: Mapping[str, Array]) -> None:
        """Restore what `state` returned."""
        self.epoch, self.seed = int(state["epoch"]), int(state["seed"])
        self.seconds = float(state["seconds"])
        load_network(self.network, under("network", state))
        load_optimizers(self.update.optimizers, self.network, under("optimizer", state))
        if self.average is not None:
            self.average.load(under("average", state))
        self.stopping.load(under("best", state), self.network)
        self.watch.load(under("watch", state))

    def _run_epoch(self) -> dict[str, float]:
        started = time.perf_counter()
        self.epoch += 1
        with cpu_threads(self.threads):
            means = self._train()
            self.watch.see(self.epoch, means, self.update.trouble(means))
            losses = {f"train_{name}": value for name, value in means.items()}
            if self.validation is not None:
                with nullcontext() if self.average is None else self.average.lent():
                    losses |= {f"validation_{name}": value for name, value in self._validate(self.validation).items()}
                    if self.epoch > self.unjudged_epochs:
                        self.stopping.record(self.epoch, losses["validation_loss"], self.network)
        self.seconds += time.perf_counter() - started
        return losses

    def _train(self) -> dict[str, float]:
        shuffling = generator_for(self.seed, "shuffle", self.epoch)
        noise = generator_for(self.seed, self.processes.purpose("noise"), self.epoch, self.device)
        seen = EpochLosses(self.epoch, "training", self.update.learning_rate, self.processes)
        per_epoch = math.ceil(len(self.rows) / self.batch_size)
        steps, first = self.epochs * per_epoch, (self.epoch - 1) * per_epoch
        self.network.train()
        with seeded(seed_for(self.seed, self.processes.purpose("dropout"), self.epoch), self.device):
            for step, batch in enumerate(self.rows.shuffled(self.batch_size, shuffling), first):
                self._set_learning_rates(step, steps)
                seen.add(*self.update.step(batch, noise, step, step / steps), len(batch[0]))
                if self.average is not None:
                    self.average.follow(step)
        return seen.means()

    def _set_learning_rates(self, step: int, steps: int) -> None:
        starts = [0, *(math.ceil(share * steps) for share in self.update.phases), steps]
        phase = max(place for place, start in enumerate(starts[:-1]) if start <= step)
        first, last = starts[phase : phase + 2]
        factor = [1.0, *self.update.phases.values()][phase]
        for optimizer in self.update.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = scheduled_learning_rate(factor * group["initial_lr"], step - first, last - first)

    @torch.no_grad()
    def _validate(self, rows: DeviceRows) -> dict[str, float]:
        # The same noise each epoch: epochs then differ by their weights alone.
        noise = generator_for(self.seed, self.processes.purpose("validation"), 0, self.device)
        seen = EpochLosses(self.epoch, "validation", self.update.learning_rate, self.processes)
        self.network.eval()
        for batch in rows.in_order(VALIDATION_BATCH):
            losses = self.update.validate(batch, noise)
            seen.add(losses, losses["loss"], len(batch[0]))
        return seen.means()


class EpochLosses:
    """Means of named losses over the rows of one pass through the data, added up on the device.

    Args:
        epoch: number of the epoch, for the error.
        part: "training" or "validation", for the error.
        learning_rate: the base learning rate, for the error's advice.
        processes: that see a share of each batch, each.
    """

    def __init__(self, epoch: int, part: str, learning_rate: float, processes: Processes) -> None:
        self.epoch, self.part, self.learning_rate, self.processes = epoch, part, learning_rate, processes
        self.batches = 0
        self.sums: dict[str, Tensor] = {}
        self.rows: dict[str, int] = {}  # a player's loss counts in the batches in which it has moved
        self.watched: Tensor | None = None  # NaN or inf once a batch's was: neither ever goes away

    def add(self, losses: Mapping[str, Tensor], watched: Tensor, rows: int) -> None:
        """Count a batch: its mean losses, a number that must be finite, and its number of rows."""
        rows = rows if self.processes.share else 0
        for name, value in losses.items():
            term = value.detach() * rows
            self.sums[name] = self.sums[name] + term if name in self.sums else term
            self.rows[name] = self.rows.get(name, 0) + rows
        self.watched = watched.detach() if self.watched is None else self.watched + watched.detach()
        self.batches += 1
        if self.batches % CHECK_EVERY == 0 and self.processes.number == 1:
            self._check()

    def means(self) -> dict[str, float]:
        """The mean of each loss over the rows seen.

        Raises:
            TrainingDiverged: if a loss or a gradient was NaN or infinite.
        """
        if self.processes.number > 1 and self.watched is not None:
            self._add_up(self.watched)
        self._check()
        return self._means()

    def _means(self) -> dict[str, float]:
        return {name: float(total) / self.rows[name] for name, total in self.sums.items()}

    def _add_up(self, watched: Tensor) -> None:
        """Add up what all processes have seen."""
        names = sorted(self.sums)
        seen = [*(self.sums[name] for name in names), *(watched.new_tensor(self.rows[name]) for name in names), watched]
        seen = [value.double() for value in seen]
        self.processes.add_up(seen)
        self.sums = dict(zip(names, seen, strict=False))
        self.rows = {name: int(rows) for name, rows in zip(names, seen[len(names) : -1], strict=True)}
        self.watched = seen[-1]

    def _check(self) -> None:
        if self.watched is None or bool(torch.isfinite(self.watched)):
            return
        raise diverged(self.epoch, self.part, self.batches, self._means(), self.learning_rate)
