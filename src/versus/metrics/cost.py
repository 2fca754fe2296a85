"""What a fit takes: seconds, and the largest memory that the process held during it."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_RESET_PEAK = "5"  # proc(5): sets the high-water mark to the present resident set
_SECONDS_BETWEEN_LOOKS = 0.01


class PeakMemory:
    """A context manager around a fit: seconds, the resident set before, and its peak within, in bytes.

    On Linux the kernel's own high-water mark is reset on entry, so that nothing is missed and nothing earlier counts;
    elsewhere a thread looks every 10 ms. It counts what the process holds, not what Python allocates: numpy, torch
    and compiled code are in it. On a GPU, torch's counter gives the peak of the tensors there.

    Attributes (after exit): ``seconds``, ``rss_before_bytes``, ``peak_rss_bytes``, ``cuda_peak_bytes`` (None where
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
        """The measurements, as training.json holds them."""
        return {
            "seconds": self.seconds,
            "peak_rss_bytes": self.peak_rss_bytes,
            "rss_before_bytes": self.rss_before_bytes,
            "cuda_peak_bytes": self.cuda_peak_bytes,
        }


def _reset_high_water_mark() -> bool:
    """Whether this kernel has the mark and lets it be reset."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
        return _status_bytes("VmHWM") > 0
    except OSError:
        return False


def _status_bytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024  # the kernel says kB and means KiB
    return 0


def _resident() -> int:
    if _STATUS.is_file():
        return _status_bytes("VmRSS")
    import psutil

    return int(psutil.Process().memory_info().rss)


class _Watch:
    """Looks at the resident set until stopped."""

    def __init__(self) -> None:
        self._peak = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="peak memory")
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(_SECONDS_BETWEEN_LOOKS):
            self._peak = max(self._peak, _resident())

    def stop(self) -> int:
        """End the looking; the peak in bytes."""
        self._done.set()
        self._thread.join()
        return max(self._peak, _resident())


def _cuda() -> Any:
    """torch.cuda where this process uses a GPU; torch is never imported for it, nor CUDA started."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return torch.cuda
