"""Work over slabs of rows on all of the processor's cores.

numpy runs one thread except inside BLAS, and BLAS shares out one small product badly. So slabs of rows are shared out
instead, with one BLAS thread each. Slabs are cut by size alone and their results taken in order: sums over them are the
same bits on any number of cores.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count, pairwise
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def map_slabs(work: Callable[[slice], T], n_rows: int, slab_rows: int) -> list[T]:
    """``work(slice)`` for each slab of at most ``slab_rows`` of ``n_rows`` rows; the results in the slabs' order.

    One slab runs in the calling thread, with BLAS as it comes: small data pay nothing for this.
    """
    ends = np.linspace(0, n_rows, -(-n_rows // slab_rows) + 1).astype(int).tolist()
    slabs = [slice(start, end) for start, end in pairwise(ends)]
    if len(slabs) <= 1:
        return [work(slab) for slab in slabs]
    controller, threads = _blas()
    results: dict[int, T] = {}
    turn = count()

    def take_turns() -> None:
        while (i := next(turn)) < len(slabs):
            results[i] = work(slabs[i])

    # The calling thread works too; it is woken once, at the end, and not for each result.
    more = min(threads, len(slabs)) - 1
    with controller.limit(limits=1, user_api="blas"), ThreadPoolExecutor(max(more, 1)) as pool:
        others = [pool.submit(take_turns) for _ in range(more)]
        take_turns()
        for other in others:
            other.result()
    return [results[i] for i in range(len(slabs))]


@cache
def _blas() -> tuple[Any, int]:
    """The controller of numpy's BLAS and the threads it had when first asked: what the user or the machine allows."""
    from threadpoolctl import ThreadpoolController  # looks through all loaded libraries: only where it is needed

    controller = ThreadpoolController()
    threads = [int(found["num_threads"]) for found in controller.info() if found["user_api"] == "blas"]
    return controller, max(threads, default=1)
