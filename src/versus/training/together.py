r"""Repeats of a small network, trained together as one batched network.

A step of a small network is mostly calls, hardly arithmetic: R networks in one call take little more time than one.
Each repeat keeps rows, seeds, noise, clipping, early stopping and history of its own, and ends as it would alone but
for rounding (sums are taken in another order). Their weights are the rows of one matrix,

.. math:: \Theta \in \mathbb{R}^{R \times P}, \qquad
    \nabla_\Theta \sum_r L_r(\Theta_r) = (\nabla L_1(\Theta_1), \dots, \nabla L_R(\Theta_R)),

and the losses are those of one network mapped over them (`torch.func.vmap`): no model has code for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Step
from versus.training.batches import Batch, generator_for
from versus.training.devices import cpu_threads
from versus.training.divergence import Watch, diverged
from versus.training.loop import VALIDATION_BATCH, Training, scheduled_learning_rate
from versus.training.mapped_losses import MappedLosses
from versus.training.state import as_array, under, with_prefix
from versus.training.updates import Descent


class Together:
    """Trainings of one architecture on data of one shape, in one loop.

    Args:
        trainings: of `Descent` updates; equal but for data, weights and seeds.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        self.trainings, first = list(trainings), trainings[0]
        update = first.update
        assert isinstance(update, Descent)
        self.first, self.update, self.device = first, update, first.device
        self.mapped = MappedLosses(update)
        trained = [(name, p) for name, p in first.network.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in trained]
        self.shapes = [tuple(p.shape) for _, p in trained]
        self.sizes = [p.numel() for _, p in trained]
        networks = [training.network for training in trainings]
        self.weights = torch.stack([_flat(network, self.names) for network in networks]).requires_grad_()
        fixed = [{n: t for n, t in _tensors(network) if n not in self.names} for network in networks]
        self.fixed = {name: torch.stack([tensors[name].detach() for tensors in fixed]) for name in fixed[0]}
        self.rows, self.validation = (self._stacked(name) for name in ("rows", "validation"))
        self._make_optimizer()
        self.average = None if first.average is None else self.weights.detach().clone()
        self.stack = np.arange(len(trainings))  # those still in training, by their places
        self.epoch, self.seconds = 0, 0.0
        self.best = self.weights.detach().clone()
        self.best_loss, self.best_epoch = np.full(len(trainings), np.inf), np.zeros(len(trainings), np.int64)
        self.watches = [Watch(update.learning_rate) for _ in trainings]
        self.held_out: list[tuple[Batch, list[Tensor]]] = []

    def _stacked(self, name: str) -> Batch:
        """Rows of all trainings, (R, N, …) each."""
        rows = [getattr(training, name) for training in self.trainings]
        if rows[0] is None:
            return ()
        columns = zip(*(found.arrays for found in rows), strict=True)
        return tuple(torch.from_numpy(np.stack(arrays)).to(self.device) for arrays in columns)

    def _make_optimizer(self, moments: Mapping[str, Tensor] | None = None) -> None:
        """Make an optimizer of the weights, with the counter and the running averages of the one before, if any."""
        group = {"params": [self.weights], "initial_lr": self.update.learning_rate}
        decay = self.update.weight_decay
        self.optimizer = torch.optim.AdamW([group], lr=self.update.learning_rate, weight_decay=decay, fused=True)
        if moments:
            self.optimizer.state[self.weights] = dict(moments)

    def steps(self, resume: Mapping[str, Array] | None = None) -> Iterator[Step]:
        """Train, yielding after each epoch; afterwards each network has the weights to keep, in eval mode.

        A loss is named ``<loss>.<place>`` after the place of its training, which has none after it has stopped; the
        mean over those still in training has the plain name. ``Step.seconds`` are those of all, divided by their
        number.

        Raises:
            TrainingDiverged: if a loss of any of them or its gradient becomes NaN or infinite, or explodes.
        """
        if resume is not None:
            self.load(resume)
        while self.epoch < self.first.epochs and len(self.stack):
            started = time.perf_counter()
            self.epoch += 1
            with cpu_threads(self.first.threads):
                losses = self._run_epoch()
            self.seconds += (time.perf_counter() - started) / len(self.trainings)
            yield Step(self.epoch, losses, self.seconds, self.state)
        kept = self.weights.detach() if self.average is None else self.average
        for row, place in enumerate(self.stack):
            if not self.best_epoch[place]:
                self.best[place] = kept[row]
        for weights, training in zip(self.best, self.trainings, strict=True):
            parameters = dict(training.network.named_parameters())
            for name, values in zip(self.names, weights.split(self.sizes), strict=True):
                parameters[name].data.copy_(values.view_as(parameters[name]))
            training.network.eval()

    def _run_epoch(self) -> dict[str, float]:
        found = {f"train_{name}": values for name, values in self._train().items()}
        if self.validation:
            found |= {f"validation_{name}": values for name, values in self._validate().items()}
        losses = {name: float(values.mean()) for name, values in found.items()}
        losses |= {f"{n}.{place}": float(v) for n, vs in found.items() for place, v in zip(self.stack, vs, strict=True)}
        if self.validation and self.epoch > self.first.unjudged_epochs:
            self._judge(found["validation_loss"])
        return losses

    def _train(self) -> dict[str, Array]:
        rows, size = self.rows[0].shape[1], self.first.batch_size
        orders = torch.stack([torch.randperm(rows, generator=g) for g in self.generators("shuffle", self.epoch, "cpu")])
        orders, which = orders.to(self.device), torch.arange(len(self.stack), device=self.device)[:, None]
        streams = cache(lambda purpose: self.generators(purpose, self.epoch))
        starts = range(0, rows, size)
        steps, before = self.first.epochs * len(starts), (self.epoch - 1) * len(starts)
        sums = _Sums()
        for step, start in enumerate(starts, before):
            index = orders[:, start : start + size]
            batch = tuple(part[which, index] for part in self.rows)
            losses = self.losses(batch, self.mapped.drawn(batch, streams, True), step / steps, True)
            norms = self._descend(losses["loss"], scheduled_learning_rate(self.update.learning_rate, step, steps))
            sums.add(losses, losses["loss"].detach() + norms, index.shape[1])
            self._follow(step)
        means = self._means(sums, "training", len(starts))
        for row, place in enumerate(self.stack):
            self.watches[place].see(self.epoch, {name: float(values[row]) for name, values in means.items()}, None)
        return means

    def _descend(self, loss: Tensor, learning_rate: float) -> Tensor:
        """Move all weights; each repeat's gradient is cut by its own norm, (R,), which is returned."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        gradient = self.weights.grad
        assert gradient is not None
        norms: Tensor = torch.linalg.vector_norm(gradient, dim=1)
        gradient.mul_((self.update.max_gradient_norm / (norms + 1e-6)).clamp(max=1.0)[:, None])
        self.optimizer.step()
        return norms

    def _follow(self, step: int) -> None:
        followed = self.first.average
        if self.average is not None and followed is not None:
            self.average.lerp_(self.weights.detach(), 1 - min(followed.decay, (1 + step) / (10 + step)))

    @torch.no_grad()
    def _validate(self) -> dict[str, Array]:
        if not self.held_out:
            noise = self.generators("validation", 0)  # the same in each epoch, and so drawn once
            for start in range(0, self.validation[0].shape[1], VALIDATION_BATCH):
                batch = tuple(part[:, start : start + VALIDATION_BATCH] for part in self.validation)
                self.held_out.append((batch, self.mapped.drawn(batch, lambda _: noise, False)))
        sums = _Sums()
        for batch, drawn in self.held_out:
            losses = self.losses(batch, drawn, 1.0, False)
            sums.add(losses, losses["loss"], batch[0].shape[1])
        return self._means(sums, "validation", len(self.held_out))

    def _means(self, sums: _Sums, part: str, batches: int) -> dict[str, Array]:
        means = {name: total.double().cpu().numpy() / sums.rows for name, total in sums.of.items()}
        for row in np.flatnonzero(~torch.isfinite(sums.watched).cpu().numpy()):
            found = {name: float(values[row]) for name, values in means.items()}
            raise diverged(self.epoch, part, batches, found, self.update.learning_rate)
        return means

    def _judge(self, losses: Array) -> None:
        """Keep the best weights of each repeat, and let those whose patience has run out go."""
        weights = self.weights.detach() if self.average is None else self.average
        better = losses < self.best_loss[self.stack]
        places = self.stack[better]
        self.best[torch.from_numpy(places)] = weights[torch.from_numpy(better).to(self.device)]
        self.best_loss[places], self.best_epoch[places] = losses[better], self.epoch
        patience = self.first.stopping.patience
        found = self.best_epoch[self.stack] > 0
        if patience is not None:
            self._keep(~(found & (self.epoch - self.best_epoch[self.stack] >= patience)))

    def _keep(self, going_on: Array) -> None:
        """Take the other repeats out of every array."""
        if going_on.all():
            return
        kept = torch.from_numpy(np.flatnonzero(going_on)).to(self.device)
        self.stack = self.stack[going_on]
        moments = {name: value[kept] if value.ndim else value for name, value in self._moments().items()}
        self.weights = self.weights.detach()[kept].requires_grad_()
        self._make_optimizer(moments)
        self.average = None if self.average is None else self.average[kept]
        self.fixed = {name: tensor[kept] for name, tensor in self.fixed.items()}
        self.rows, self.validation = (tuple(part[kept] for part in rows) for rows in (self.rows, self.validation))
        held_out = ((tuple(part[kept] for part in batch), [d[kept] for d in drawn]) for batch, drawn in self.held_out)
        self.held_out = list(held_out)

    def _moments(self) -> dict[str, Tensor]:
        return dict(self.optimizer.state.get(self.weights, {}))

    def generators(self, purpose: str, epoch: int, device: torch.device | str | None = None) -> list[torch.Generator]:
        """A generator of each repeat that is still in training, as it would have alone."""
        where = self.device if device is None else device
        return [generator_for(self.trainings[place].seed, purpose, epoch, where) for place in self.stack]

    def losses(self, batch: Batch, drawn: list[Tensor], progress: float, training: bool) -> dict[str, Tensor]:
        """Mean losses of each repeat's batch, (R,) each; in validation, of the averaged weights where there are any."""
        weights = self.weights if training or self.average is None else self.average
        parts = zip(self.names, self.shapes, torch.split(weights, self.sizes, dim=1), strict=True)
        views = {name: part.view(len(weights), *shape) for name, shape, part in parts}
        return self.mapped({**views, **self.fixed}, batch, drawn, progress, training)

    def state(self) -> dict[str, Array]:
        """Return everything that `load` needs to resume exactly, as flat arrays."""
        tensors: dict[str, Tensor] = {"weights": self.weights, "best": self.best}
        tensors |= {f"moments.{name}": value for name, value in self._moments().items()}
        if self.average is not None:
            tensors["average"] = self.average
        numbers = {"epoch": self.epoch, "seconds": self.seconds, "stack": self.stack}
        numbers |= {"best_loss": self.best_loss, "best_epoch": self.best_epoch}
        arrays = {name: as_array(tensor) for name, tensor in tensors.items()}
        arrays |= {name: np.array(number) for name, number in numbers.items()}
        for place, watch in enumerate(self.watches):
            arrays |= with_prefix(f"watch.{place}", watch.arrays())
        return arrays

    def load(self, state: Mapping[str, Array]) -> None:
        """Restore what `state` returned."""
        going_on = np.isin(self.stack, state["stack"])
        self._keep(going_on)
        tensors = {name: torch.from_numpy(np.array(array)).to(self.device) for name, array in state.items()}
        self.weights = tensors["weights"].requires_grad_()
        self._make_optimizer({name: tensors[f"moments.{name}"] for name in under("moments", state)})
        self.best, self.average = tensors["best"], tensors.get("average")
        self.epoch, self.seconds = int(state["epoch"]), float(state["seconds"])
        self.best_loss, self.best_epoch = np.array(state["best_loss"]), np.array(state["best_epoch"])
        for place, watch in enumerate(self.watches):
            watch.load(under(f"watch.{place}", state))


class _Sums:
    """Losses of all repeats, (R,) each, added up over rows."""

    def __init__(self) -> None:
        self.of: dict[str, Tensor] = {}
        self.watched: Tensor = torch.zeros(())
        self.rows = 0

    def add(self, losses: Mapping[str, Tensor], watched: Tensor, rows: int) -> None:
        for name, value in losses.items():
            term = value.detach() * rows
            self.of[name] = self.of[name] + term if name in self.of else term
        self.watched = self.watched.to(watched.device) + watched.detach()
        self.rows += rows


def _tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from network.named_parameters()
    yield from network.named_buffers()


def _flat(network: nn.Module, names: Sequence[str]) -> Tensor:
    parameters = dict(network.named_parameters())
    return torch.cat([parameters[name].detach().flatten() for name in names])
