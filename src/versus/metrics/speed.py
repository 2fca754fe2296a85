"""Speed of a fitted model: latency at batch sizes 1 and 256, throughput, and samples per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from versus.arrays import Array, Events

BATCHES = (1, 256)
WARM_UP_CALLS = 3
FEWEST_CALLS, MOST_CALLS = 3, 300


def call_seconds(call: Callable[[], Any], budget: float) -> Array:
    """Measure the seconds of each of up to 300 calls, during about ``budget`` seconds after a warm-up.

    At least three calls are timed, however long they take; only one if the first warm-up alone exceeds the budget.
    """
    started = time.perf_counter()
    call()
    first = time.perf_counter() - started
    if first > budget:
        return np.array([first])
    for _ in range(WARM_UP_CALLS - 1):
        call()
    took: list[float] = []
    ending = time.perf_counter() + budget
    while len(took) < FEWEST_CALLS or (len(took) < MOST_CALLS and time.perf_counter() < ending):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return np.array(took)


def prediction_speed(predict: Callable[[Any], Any], X: Events, budget: float = 0.1) -> dict[str, Any]:
    """Measure latency and throughput of ``predict`` on rows of X (N, *event), repeated if there are fewer than 256.

    Returns:
        ``latency_ms``: median and 95th percentile for each batch size, in milliseconds; ``throughput_per_s``:
        rows per second at the largest batch size.
    """
    latency = {}
    for size in BATCHES:
        batch = X[np.arange(size) % len(X)]  # a copy, in order
        seconds = call_seconds(lambda batch=batch: predict(batch), budget)  # type: ignore[misc]
        median, late = np.quantile(seconds, [0.5, 0.95])
        latency[str(size)] = {"p50": 1e3 * float(median), "p95": 1e3 * float(late)}
    return {"latency_ms": latency, "throughput_per_s": BATCHES[-1] / (latency[str(BATCHES[-1])]["p50"] / 1e3)}


def samples_per_second(draw: Callable[[int], Any], budget: float = 0.1) -> float:
    """Measure the events per second of ``draw(n)`` at n = 256."""
    return BATCHES[-1] / float(np.median(call_seconds(lambda: draw(BATCHES[-1]), budget)))
