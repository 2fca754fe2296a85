"""Cost of a model: time, peak memory and energy of its fit, latency and throughput of its predictions and samples."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from versus.arrays import Array, Events

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_RESET_PEAK = "5"  # proc(5): sets the high-water mark to the present resident set
_SECONDS_BETWEEN_LOOKS = 0.01


class PeakMemory:
    """Context manager around a fit: seconds, resident set size before it, and its peak during it, in bytes.

    On Linux the kernel's high-water mark is reset on entry, so that no peak is missed and earlier ones do not count;
    elsewhere a thread samples every 10 ms. All memory of the process counts, not only Python's: numpy, torch and
    compiled code are included. On a GPU, torch's counter gives the peak of the tensors there.

    Attributes (after exit): ``seconds``, ``rss_before_bytes``, ``peak_rss_bytes``, ``cuda_peak_bytes`` (None if
    the fit did not use CUDA).
    """

    seconds: float
    rss_before_bytes: int
    peak_rss_bytes: int
    cuda_peak_bytes: int | None

    def __enter__(self) -> Self:
        self._watch = None if _reset_high_water_mark() else _Watch()
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()
        self.rss_before_bytes = _resident()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cuda = _cuda()
        if cuda is not None:
            cuda.synchronize()  # the fit is over when the GPU is done
        self.seconds = time.perf_counter() - self._start
        self.peak_rss_bytes = _status_bytes("VmHWM") if self._watch is None else self._watch.stop()
        self.cuda_peak_bytes = None if cuda is None else int(cuda.max_memory_allocated())

    def as_json(self) -> dict[str, float | int | None]:
        """Return the measurements in the form of training.json."""
        return {
            "seconds": self.seconds,
            "peak_rss_bytes": self.peak_rss_bytes,
            "rss_before_bytes": self.rss_before_bytes,
            "cuda_peak_bytes": self.cuda_peak_bytes,
        }


def _reset_high_water_mark() -> bool:
    """Reset the kernel's high-water mark; return False if it is missing or cannot be reset."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
        return _status_bytes("VmHWM") > 0
    except OSError:
        return False


def _status_bytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024  # the kernel's kB are KiB
    return 0


def _resident() -> int:
    if _STATUS.is_file():
        return _status_bytes("VmRSS")
    import psutil

    return int(psutil.Process().memory_info().rss)


class _Watch:
    """Sample the resident set size until stopped."""

    def __init__(self) -> None:
        self._peak = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="peak memory")
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            self._peak = max(self._peak, _resident())

    def stop(self) -> int:
        """Stop sampling; return the peak in bytes."""
        self._done.set()
        self._thread.join()
        return max(self._peak, _resident())


def _cuda() -> Any:
    """Return torch.cuda if this process uses a GPU; never import torch or start CUDA for it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return torch.cuda


@contextmanager
def energy_of(wanted: bool) -> Iterator[dict[str, Any]]:
    """Measure the energy of what runs within, by codecarbon and offline; yield a mapping that is filled at the end.

    It then has ``energy_wh``, of processor and GPUs in watt-hours, and ``energy_by``: "RAPL", the processor's counter,
    which counts all that runs on it, or "TDP", an estimate from this process's share of the processor and the power
    that the maker names. It stays empty where energy is not wanted, or codecarbon is not installed.
    """
    found: dict[str, Any] = {}
    tracker = _tracker(os.getpid()) if wanted else None
    if tracker is None:
        yield found
        return
    tracker.start_task()
    try:
        yield found
    finally:
        measured = tracker.stop_task()
    if measured is not None:
        by = "RAPL" if importlib.import_module("codecarbon.core.cpu").is_rapl_available() else "TDP"
        found |= {"energy_wh": 1e3 * (measured.cpu_energy + measured.gpu_energy), "energy_by": by}


@cache
def _tracker(process: int) -> Any:
    """Return this process's tracker, which looks at the hardware once; None where codecarbon is not installed."""
    try:
        codecarbon = importlib.import_module("codecarbon")
    except ImportError:
        print("energy is not measured: `pip install 'versus[energy]'` installs what it takes", file=sys.stderr)
        return None
    # Nothing is written or sent, whatever a configuration file of the user's says. The country decides on CO2 alone.
    about = {"country_iso_code": "USA", "tracking_mode": "process", "log_level": "critical", "output_methods": []}
    return codecarbon.OfflineEmissionsTracker(**about, emissions_endpoint=False, allow_multiple_runs=True)


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
