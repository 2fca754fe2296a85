"""How many processor cores compiled code may use while scikit-learn fits or predicts.

Left alone, BLAS and OpenMP take every core for work of microseconds and wait for each other by spinning: on two cores
with anything else running, a logistic regression of 0.05 s took 4 s. So the number is a model's argument, one by
default, and the same in every process whatever the machine has: sums are added in the same order.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _pools() -> Any:
    import sklearn.utils  # noqa: F401 - brings the libraries whose threads are counted
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def limited(threads: int) -> AbstractContextManager[Any]:
    """A context in which BLAS and OpenMP use at most ``threads`` threads; 0.1 ms to enter and leave."""
    context: AbstractContextManager[Any] = _pools().limit(limits=threads)
    return context
