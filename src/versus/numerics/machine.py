"""Run a kernel on the processor's cores, slab by slab of rows, or on a GPU.

numpy runs one thread except inside BLAS, and BLAS splits one small product badly. So slabs of rows are distributed
instead, with one BLAS thread each. Slabs are cut by size alone and their results taken in order: sums over them are the
same bits on any number of cores. A kernel that a GPU wants, too, is written in what numpy and torch have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from versus.arrays import Array

T = TypeVar("T")

# Below this, two CPU cores are done before torch is imported and CUDA has started.
_WORTHWHILE = 5e11  # floating-point operations


def map_slabs(work: Callable[[slice], T], n_rows: int, slab_rows: int) -> list[T]:
    """Run ``work(slice)`` for each slab of at most ``slab_rows`` of ``n_rows`` rows; the results in the slabs' order.

    One slab runs in the calling thread, with BLAS as it is: small data have no overhead.
    """
    ends = np.linspace(0, n_rows, -(-n_rows // slab_rows) + 1).astype(int).tolist()
    slabs = [slice(start, end) for start, end in pairwise(ends)]
    if len(slabs) <= 1:
        return [work(slab) for slab in slabs]
    controller, threads = _blas()
    with controller.limit(limits=1, user_api="blas"), ThreadPoolExecutor(min(threads, len(slabs))) as pool:
        return list(pool.map(work, slabs))


@cache
def _blas() -> tuple[Any, int]:
    """The controller of numpy's BLAS and the threads it had when first asked: what the user or the machine allows."""
    from threadpoolctl import ThreadpoolController  # looks through all loaded libraries: only where it is needed

    controller = ThreadpoolController()
    threads = [int(found["num_threads"]) for found in controller.info() if found["user_api"] == "blas"]
    return controller, max(threads, default=1)


def placement(device: str, operations: float) -> Callable[[Array], Any]:
    """Return a function that puts an array in place for the work: on a GPU as a tensor, or on the CPU as it is.

    Args:
        device: "auto", "cpu" or "cuda"; "auto" is a GPU where there is one and the work is worth its start.
        operations: floating-point operations that the work takes.

    Raises:
        ValueError: for another name, or "cuda" where there is no CUDA device.
    """
    if device == "cpu" or (device == "auto" and operations < _WORTHWHILE):
        return np.asarray
    import torch  # takes longer to import than most fits here

    from versus.training.devices import resolve_device

    found = resolve_device(device)
    return np.asarray if found.type == "cpu" else lambda array: torch.as_tensor(array, device=found)


def library(rows: Any) -> Any:
    """Return the module whose functions take ``rows``: numpy or torch."""
    if isinstance(rows, np.ndarray):
        return np
    import torch

    return torch


def alike(array: Any, rows: Any) -> Any:
    """Convert ``array`` to the library, on the device and in the precision of ``rows``."""
    if isinstance(rows, np.ndarray):
        return array.astype(rows.dtype, copy=False)
    return library(rows).as_tensor(array, dtype=rows.dtype, device=rows.device)


def on_host(found: Any) -> Array:
    """Convert an array or tensor to a float64 array."""
    return np.asarray(found if isinstance(found, np.ndarray) else found.cpu(), dtype=np.float64)
