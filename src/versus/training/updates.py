r"""Updates of a network by one batch: descent on a loss, and two networks that play against each other.

.. math:: \theta \leftarrow \theta - \eta_t\,\mathrm{AdamW}(\mathrm{clip}(\nabla_\theta L))

Loshchilov & Hutter, "Decoupled weight decay regularization" (2019); Pascanu et al., "On the difficulty of training
recurrent neural networks" (2013) for clipping; Goodfellow et al., "Generative adversarial nets" (2014).

An update owns networks and optimizers. `versus.training.loop` owns the rest: order, seeds, learning rates, history,
checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from versus.training.batches import Batch
from versus.training.devices import InPrecision
from versus.training.processes import Processes

Losses = Mapping[str, Tensor]
# (network, batch, generator on the batch's device, share of the training that is done: 0 to 1, in validation 1)
# -> mean losses over the batch; "loss" is minimised, others are reported.
Objective = Callable[[nn.Module, Batch, torch.Generator, float], Losses]
# Arguments of a critic: events, and the classes or whatever else they are judged together with.
Shown = tuple[Tensor, ...]

COLLAPSED = 1e-3  # spread of drawn events, relative to the real ones', below which they are all alike


class Update:
    """Networks, their optimizers, and the change that a batch makes to them.

    Args:
        network: all that is trained, as one module.
        learning_rate: base learning rate of AdamW.
        max_gradient_norm: the gradient's Euclidean norm is cut to this.

    Attributes:
        phases: shares of the training, in ascending order, after which the schedule of learning rates starts anew, with
            the factor of the rates from there: for parts of a network that are trained one after the other.
        processes: that train the network together; the loop says which.

    Raises:
        ValueError: if the learning rate is not a positive number.
    """

    def __init__(self, network: nn.Module, learning_rate: float, max_gradient_norm: float) -> None:
        if not 0 < learning_rate < math.inf:
            raise ValueError(f"learning_rate={learning_rate}; a positive number is needed")
        self.network, self.learning_rate, self.max_gradient_norm = network, learning_rate, max_gradient_norm
        self.optimizers: tuple[torch.optim.Optimizer, ...] = ()
        self.phases: Mapping[float, float] = {}
        self.processes = Processes()

    def prepare(self, device: torch.device, precision: str) -> None:
        """Move the networks to the device and make their optimizers; arguments as resolved in `devices`."""
        raise NotImplementedError

    def step(self, batch: Batch, noise: torch.Generator, number: int, progress: float) -> tuple[Losses, Tensor]:
        """Learn from a batch.

        Args:
            batch: rows on the device.
            noise: generator on the device.
            number: steps before this one, since the training began.
            progress: share of the training that is done.

        Returns:
            Mean losses over the batch, and a number that is NaN or infinite if a loss or a gradient is.
        """
        raise NotImplementedError

    def validate(self, batch: Batch, noise: torch.Generator) -> Losses:
        """Mean losses over held-out rows; "loss" is what early stopping goes by.

        Raises:
            ValueError: if none of the losses measures how good the network is.
        """
        raise ValueError(f"{type(self).__name__} has no loss that held-out rows could be judged by")

    def trouble(self, losses: Mapping[str, float]) -> str | None:
        """Say why the epoch that has just ended taught nothing, None where it did; asked once after each epoch.

        Args:
            losses: means over the epoch.
        """
        return None

    def _optimizer(self, module: nn.Module, **options: Any) -> torch.optim.AdamW:
        """A new AdamW over a module on its device."""
        groups = [{"params": list(module.parameters()), "initial_lr": self.learning_rate}]
        return torch.optim.AdamW(groups, lr=self.learning_rate, fused=True, **options)

    def _descend(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """One step of an optimizer; returns the norm of the gradient before clipping."""
        optimizer.zero_grad(set_to_none=True)
        (loss if self.processes.share == 1 else self.processes.share * loss).backward()  # type: ignore[no-untyped-call]
        return self._move(optimizer)

    def _move(self, optimizer: torch.optim.Optimizer) -> Tensor:
        """Clip the gradient that has been computed and take a step; returns its norm before clipping."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.processes.add_up([parameter.grad for parameter in parameters if parameter.grad is not None])
        norm = nn.utils.clip_grad_norm_(parameters, self.max_gradient_norm)
        optimizer.step()
        return norm


class Descent(Update):
    """One network that minimises one loss by AdamW.

    Args:
        network: the network to train.
        objective: the losses of a batch.
        learning_rate: base learning rate.
        weight_decay: decoupled weight decay.
        max_gradient_norm: the gradient's Euclidean norm is cut to this.
        accumulate_gradients: parts of a batch that go through the network one after the other, so that activations
            take the memory of one; the gradient is that of the whole batch, clipped once.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        *,
        learning_rate: float,
        weight_decay: float = 0.0,
        max_gradient_norm: float = 1.0,
        accumulate_gradients: int = 1,
    ) -> None:
        super().__init__(network, learning_rate, max_gradient_norm)
        if accumulate_gradients < 1:
            raise ValueError(f"accumulate_gradients={accumulate_gradients}; a batch has at least 1 part")
        self.objective, self.weight_decay = objective, weight_decay
        self.accumulate_gradients = accumulate_gradients

    def prepare(self, device: torch.device, precision: str) -> None:  # noqa: D102
        self.called = InPrecision(self.network, device, precision)
        self.optimizers = (self._optimizer(self.network, weight_decay=self.weight_decay),)

    def step(self, batch: Batch, noise: torch.Generator, number: int, progress: float) -> tuple[Losses, Tensor]:  # noqa: D102
        (optimizer,) = self.optimizers
        if self.accumulate_gradients == 1:
            losses = self.objective(self.called, batch, noise, progress)
            norm = self._descend(optimizer, losses["loss"])
        else:
            optimizer.zero_grad(set_to_none=True)
            losses = self._accumulate(batch, noise, progress)
            norm = self._move(optimizer)
        return losses, losses["loss"].detach() + norm

    def _accumulate(self, batch: Batch, noise: torch.Generator, progress: float) -> Losses:
        """Add up the gradients of a batch's parts; returns the mean losses over the batch."""
        means: dict[str, Tensor] = {}
        for part in zip(*(rows.tensor_split(self.accumulate_gradients) for rows in batch), strict=True):
            if not len(part[0]):
                continue  # a last batch of fewer rows than parts
            share = len(part[0]) / len(batch[0])
            losses = self.objective(self.called, part, noise, progress)
            (self.processes.share * share * losses["loss"]).backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                means[name] = means.get(name, 0.0) + share * value.detach()
        return means

    def validate(self, batch: Batch, noise: torch.Generator) -> Losses:  # noqa: D102
        return self.objective(self.called, batch, noise, 1.0)


class AdversarialLoss(Protocol):
    """Losses of a game between a generator and a critic, which scores events: high for real ones.

    Where the critic's loss has a lowest value that it reaches only when it is never wrong, an attribute ``won_below``
    says below which loss that counts as reached.
    """

    def critic(self, critic: nn.Module, real: Shown, fake: Shown, noise: torch.Generator) -> Tensor:
        """Loss of the critic; ``noise`` is a generator on the device of the events."""

    def generator(self, critic: nn.Module, fake: Shown) -> Tensor:
        """Loss of the generator."""


class Adversarial(Update):
    """A generator and a critic with an optimizer each; the critic moves first.

    Args:
        network: its children ``generator`` and ``critic`` are the players.
        show: (generator, batch, noise) -> inputs of the critic for real events and for drawn ones.
        loss: losses that the players minimise.
        learning_rate: base learning rate of both.
        critic_turns: updates of the critic, a batch each, per update of the generator.
        betas: decay of the optimizers' averages of the gradient and its square.
    """

    def __init__(
        self,
        network: nn.Module,
        show: Callable[[nn.Module, Batch, torch.Generator], tuple[Shown, Shown]],
        loss: AdversarialLoss,
        *,
        learning_rate: float,
        critic_turns: int = 1,
        betas: tuple[float, float] = (0.5, 0.99),
    ) -> None:
        super().__init__(network, learning_rate, max_gradient_norm=math.inf)
        if critic_turns < 1:
            raise ValueError(f"critic_turns={critic_turns}; at least 1 is needed")
        self.show, self.loss, self.critic_turns, self.betas = show, loss, critic_turns, betas

    def prepare(self, device: torch.device, precision: str) -> None:  # noqa: D102
        adam = {"betas": self.betas, "weight_decay": 0.0}
        players = [self.network.get_submodule(name) for name in ("critic", "generator")]
        self.critic, self.generator = (InPrecision(player, device, precision) for player in players)
        self.optimizers = tuple(self._optimizer(player, **adam) for player in players)
        self.spreads = torch.zeros(2, device=device)  # of real and drawn events, added up over an epoch

    def step(self, batch: Batch, noise: torch.Generator, number: int, progress: float) -> tuple[Losses, Tensor]:  # noqa: D102
        generators_turn = (number + 1) % self.critic_turns == 0
        with torch.set_grad_enabled(generators_turn):
            real, fake = self.show(self.generator, batch, noise)
        shown = tuple(part.detach() for part in fake)
        self._compare(real[0].detach(), shown[0])
        losses = {"critic_loss": self.loss.critic(self.critic, real, shown, noise)}
        of_critic, of_generator = self.optimizers
        watched = self._descend(of_critic, losses["critic_loss"])
        if generators_turn:
            self.critic.requires_grad_(False)  # the generator's move needs no gradient of the critic's weights
            loss = losses["generator_loss"] = self.loss.generator(self.critic, fake)
            watched = watched + self._descend(of_generator, loss)
            self.critic.requires_grad_(True)
        return losses, watched + torch.stack([loss.detach() for loss in losses.values()]).sum()

    def trouble(self, losses: Mapping[str, float]) -> str | None:  # noqa: D102
        self.processes.add_up([self.spreads])
        real, drawn = self.spreads.tolist()
        self.spreads.zero_()
        if drawn < COLLAPSED * real:
            return f"all drawn events are alike (their spread is {drawn / real:.1g} of that of the real ones)"
        if losses.get("critic_loss", math.inf) < getattr(self.loss, "won_below", -math.inf):
            return f"the critic is never wrong (its loss is {losses['critic_loss']:.1g}): the generator learns nothing"
        return None

    @torch.no_grad()
    def _compare(self, real: Tensor, drawn: Tensor) -> None:
        """Add up how far real and drawn events of a batch are spread."""
        if len(real) > 1 and len(drawn) > 1:
            spreads = [events.flatten(1).std(dim=0).norm() for events in (real, drawn)]
            self.spreads += torch.stack(spreads).to(self.spreads)
