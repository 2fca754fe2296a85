"""Device, precision and CPU threads of training."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from versus.arrays import Precision

PRECISIONS: tuple[str, ...] = get_args(Precision)


def resolve_device(device: str) -> torch.device:
    """Resolve a device: ``"auto"`` is CUDA where there is one, else the CPU; also ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises:
        ValueError: for another name.
        OSError: for a CUDA device that this machine does not have, which is not the model's fault.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device={device!r}; accepted are 'auto', 'cpu', 'cuda' and 'cuda:<number>'")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    found = torch.device(device)
    if found.type == "cuda":
        found = torch.device("cuda", found.index or 0)
        if (found.index or 0) >= torch.cuda.device_count():
            raise OSError(
                f"device={device!r}, but this machine offers {torch.cuda.device_count()} CUDA device(s); "
                "use device='auto' or 'cpu'"
            )
    return found


def resolve_precision(precision: str, device: torch.device) -> str:
    """Resolve a precision: ``"auto"`` is bfloat16 mixed precision on a CUDA device that has it, else float32.

    Raises:
        ValueError: for a name outside `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r}; accepted are {', '.join(map(repr, PRECISIONS))}")
    if precision != "auto":
        return precision
    # Emulated bfloat16 (before Ampere) is slower than float32.
    mixed = device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
    return "bf16-mixed" if mixed else "32-true"


def parameter_dtype(precision: str) -> torch.dtype:
    """The type that weights are kept in: float64 for ``"64-true"``, else float32."""
    return torch.float64 if precision == "64-true" else torch.float32


class InPrecision(nn.Module):
    """A network on its device, whose inputs are cast to a precision on the way in, and outputs to float32.

    Args:
        network: moved to the device, with weights in the type that `parameter_dtype` says.
        device: as `resolve_device` returns it.
        precision: as `resolve_precision` returns it.
    """

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        super().__init__()
        self.network = network.to(device, parameter_dtype(precision))
        self.kind, self.mixed = device.type, precision == "bf16-mixed"
        self.dtype = torch.bfloat16 if self.mixed else parameter_dtype(precision)

    def forward(self, *inputs: Any) -> Any:
        """Call the network, under autocast where the precision is mixed."""
        arguments = tree_map(lambda found: _cast(found, self.dtype), inputs)
        with torch.autocast(self.kind, torch.bfloat16, enabled=self.mixed):
            outputs = self.network(*arguments)
        return tree_map(lambda found: _cast(found, torch.float32), outputs)


def _cast(found: Any, dtype: torch.dtype) -> Any:
    return found.to(dtype) if isinstance(found, Tensor) and found.is_floating_point() else found


def threads_for(threads: int | None, n_features: int) -> int:
    """Number of CPU threads: ``threads``, or where None 1 for events of fewer than 256 numbers and 2 for larger ones.

    Small networks gain nothing from a second thread, and on a busy machine wait for it at every step. The choice does
    not look at the machine, since results depend on it in their last bits.

    Raises:
        ValueError: if it is below 1.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads={threads}; at least 1, or None to go by the size of the events")
    return threads or (1 if n_features < 256 else 2)


_threads_lock = threading.RLock()


@contextmanager
def cpu_threads(threads: int) -> Iterator[None]:
    """Run torch's CPU operations on exactly ``threads`` threads, then restore the process's own number.

    Sums are split over threads, so their last bits depend on how many there are. A number that is part of the model's
    arguments gives the same result on a busy machine, an idle one, and one with more cores.
    """
    with _threads_lock:
        before = torch.get_num_threads()
        if before == threads:
            yield
            return
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
