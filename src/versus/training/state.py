"""Networks and optimizers as flat dictionaries of arrays, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array


def with_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Add a prefix to names, ``{"a": …}`` -> ``{"prefix.a": …}``."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Select names under a prefix, ``{"prefix.a": …, "other.b": …}`` -> ``{"a": …}``."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def network_arrays(network: nn.Module) -> dict[str, Array]:
    """Copies of all parameters and buffers, by name."""
    return {name: as_array(tensor) for name, tensor in network.state_dict().items()}


def as_array(tensor: Tensor) -> Array:
    """A copy in C order, whatever the tensor's memory format."""
    return np.array(tensor.detach().cpu().numpy(), order="C")


def load_network(network: nn.Module, arrays: Mapping[str, Array]) -> None:
    """Copy arrays into a network of the same architecture.

    Raises:
        ValueError: naming the first array that is missing, unknown or of another shape.
    """
    expect_shapes("weights", {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, arrays)
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})


def expect_shapes(what: str, wanted: Mapping[str, tuple[int, ...]], arrays: Mapping[str, Array]) -> None:
    """Raise ValueError, naming the first one that is wrong, unless there are exactly arrays of these shapes."""
    for name in sorted(wanted.keys() | arrays.keys()):
        if name not in wanted or name not in arrays:
            raise ValueError(f"{what} {name!r}: {'not in the saved state' if name in wanted else 'unknown'}")
        if wanted[name] != arrays[name].shape:
            raise ValueError(f"{what} {name!r} have shape {arrays[name].shape}, wanted {wanted[name]}")


def optimizer_arrays(optimizers: Iterable[torch.optim.Optimizer], network: nn.Module) -> dict[str, Array]:
    """Copies of the optimizers' running averages and counters, ``"<parameter>.<quantity>"``."""
    state = {parameter: found for optimizer in optimizers for parameter, found in optimizer.state.items()}
    return {
        f"{name}.{quantity}": as_array(torch.as_tensor(value))
        for name, parameter in network.named_parameters()
        for quantity, value in state.get(parameter, {}).items()
    }


def load_optimizers(
    optimizers: Iterable[torch.optim.Optimizer], network: nn.Module, arrays: Mapping[str, Array]
) -> None:
    """The inverse of `optimizer_arrays`, for optimizers over parameters of ``network``."""
    names = {parameter: name for name, parameter in network.named_parameters()}
    for optimizer in optimizers:
        state: dict[int, dict[str, Tensor]] = {}
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for number, parameter in enumerate(parameters):
            # A quantity has no dot in its name, and a parameter may be a prefix of another's ("a" and "a.b").
            own = {q: torch.from_numpy(np.array(a)) for q, a in under(names[parameter], arrays).items() if "." not in q}
            if own:
                state[number] = {q: _laid_out_like(parameter, tensor) for q, tensor in own.items()}
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Fused optimizers walk parameter and averages in memory order: theirs must be the same (channels last, say)."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
