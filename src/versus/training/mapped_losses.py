"""Losses of many networks of one architecture at once: those of one, mapped over weights, rows and random numbers.

`torch.func.vmap` maps arithmetic, not generators: each network would not draw from its own. So a first call notes
which numbers the losses ask for, they are drawn for each network as it would draw them alone, and given out in the
mapped call. Random numbers that come by another way than those known here are refused by ``vmap``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from versus.training.batches import Batch
from versus.training.updates import Descent

Draw = tuple[str, Callable[[torch.Generator], Tensor]]  # "noise" or "dropout", and how one network draws its numbers
Streams = Callable[[str], Sequence[torch.Generator]]  # "noise" or "dropout" -> the generator of each network
_NETWORK = "called.network"  # of an `_Objective`


class MappedLosses:
    """Losses of R networks, given their weights.

    Args:
        update: of one of the networks, whose objective and architecture stand for all.
    """

    def __init__(self, update: Descent) -> None:
        self.objective = _Objective(update)
        self.requests: dict[tuple[int, bool], list[Draw]] = {}

    def drawn(self, batch: Batch, streams: Streams, training: bool) -> list[Tensor]:
        """Random numbers that the losses of a batch (R, n, …) ask for, (R, …) each, every network's of its own."""
        key = (batch[0].shape[1], training)
        self._turn(training)
        if key not in self.requests:
            with _Recorded() as recorded, torch.no_grad():
                self.objective(tuple(part[0] for part in batch), 1.0)
            self.requests[key] = recorded.requests
        return [torch.stack([draw(own) for own in streams(purpose)]) for purpose, draw in self.requests[key]]

    def __call__(
        self, tensors: Mapping[str, Tensor], batch: Batch, drawn: list[Tensor], progress: float, training: bool
    ) -> dict[str, Tensor]:
        """Mean losses (R,), given parameters and buffers by name, a batch and its random numbers, (R, …) each."""
        self._turn(training)

        def of_one(own: dict[str, Tensor], rows: Batch, numbers: list[Tensor]) -> dict[str, Tensor]:
            with _Replayed(numbers) if numbers else nullcontext():
                # Tied weights would be looked for in each call; losses that come out wrong for want of it are refused.
                return functional_call(self.objective, own, (rows, progress), tie_weights=False)  # type: ignore[no-any-return]

        named = {f"{_NETWORK}.{name}": tensor for name, tensor in tensors.items()}
        return vmap(of_one)(named, batch, drawn)

    def _turn(self, training: bool) -> None:
        if self.objective.training != training:
            self.objective.train(training)


class _Objective(nn.Module):
    """Losses of a batch as a module, so that weights can be put in their places for a call."""

    def __init__(self, update: Descent) -> None:
        super().__init__()
        self.called, self.losses_of = update.called, update.objective
        self.unused = torch.Generator(next(update.network.parameters()).device)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        return dict(self.losses_of(self.called, batch, self.unused, progress))


class _Recorded(TorchFunctionMode):
    """Note which random numbers a call asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Draw] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        draw = _draw(func, args, kwargs)
        if draw is None:
            return func(*args, **kwargs)
        self.requests.append(draw)
        return args[0] if func is functional.dropout else func(*args, **kwargs)


class _Replayed(TorchFunctionMode):
    """Give out numbers that were drawn before, in their order; other random numbers are refused by `vmap`."""

    def __init__(self, numbers: list[Tensor]) -> None:
        super().__init__()
        self.numbers = iter(numbers)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _draw(func, args, kwargs) is None:
            return func(*args, **kwargs)
        numbers = next(self.numbers)
        return args[0] * numbers if func is functional.dropout else numbers


def _draw(func: Any, args: Any, kwargs: Mapping[str, Any]) -> Draw | None:
    """How a call draws its random numbers; None where it draws none, or by a way that is not known here."""
    if func is functional.dropout:
        x, p, training = (*args, *(kwargs[n] for n in ("p", "training") if n in kwargs))[:3]
        if not training or not 0 < p < 1:
            return None
        shape, dtype, device = tuple(x.shape), x.dtype, x.device

        def mask(generator: torch.Generator) -> Tensor:
            kept = torch.empty(shape, dtype=dtype, device=device).bernoulli_(1 - p, generator=generator)
            return kept.div_(1 - p)

        return "dropout", mask
    if func in (torch.randn, torch.rand, torch.randint) and kwargs.get("generator") is not None:
        return "noise", lambda generator: func(*args, **{**kwargs, "generator": generator})
    return None
