"""Networks and optimizers as flat dictionaries of arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array


def with_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """``{"a": …}`` -> ``{"prefix.a": …}``."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """``{"prefix.a": …, "other.b": …}`` -> ``{"a": …}``."""
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
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | arrays.keys()):
        if name not in wanted or name not in arrays:
            raise ValueError(f"weights {name!r}: {'not in the saved state' if name in wanted else 'unknown'}")
        if tuple(wanted[name].shape) != arrays[name].shape:
            raise ValueError(f"weights {name!r} have shape {arrays[name].shape}, wanted {tuple(wanted[name].shape)}")
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})


def optimizer_arrays(optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, Array]:
    """Copies of the optimizer's running averages and counters, ``"<parameter>.<quantity>"``."""
    found = {}
    for name, parameter in network.named_parameters():
        for quantity, value in optimizer.state.get(parameter, {}).items():
            found[f"{name}.{quantity}"] = as_array(torch.as_tensor(value))
    return found


def load_optimizer(optimizer: torch.optim.Optimizer, network: nn.Module, arrays: Mapping[str, Array]) -> None:
    """The inverse of `optimizer_arrays`, for an optimizer over ``network.parameters()`` in one group."""
    state: dict[int, dict[str, Tensor]] = {}
    for number, (name, parameter) in enumerate(network.named_parameters()):
        # A quantity has no dot in its name, and a parameter may be a prefix of another's ("a" and "a.b").
        own = {q: torch.from_numpy(np.array(a)) for q, a in under(name, arrays).items() if "." not in q}
        if own:
            state[number] = {q: _laid_out_like(parameter, tensor) for q, tensor in own.items()}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Fused optimizers walk parameter and averages in memory order: theirs must be the same (channels last, say)."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
