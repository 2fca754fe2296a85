"""Arrays that start on a cache line."""

from __future__ import annotations

import numpy as np

from versus.arrays import Array


def aligned_empty(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Array:
    """An empty array that starts on a cache line: vector instructions then never straddle two."""
    size = shape[0] * shape[1] * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)
