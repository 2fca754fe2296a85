"""Arrays as pictures within the page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """A PNG as a ``data:`` address: (H, W) grey, (H, W, 3) colour, (H, W, 4) with opacity."""
    packed = BytesIO()
    Image.fromarray(pixels).save(packed, format="PNG", optimize=True)
    return "data:image/png;base64," + b64encode(packed.getvalue()).decode("ascii")


def to_bytes(images: NDArray[Any], levels: int | None) -> NDArray[np.uint8]:
    """Images (n, H, W[, C]) in their raw space as bytes: ``levels`` grey levels, or 0 … 1 where it is None."""
    top = (levels - 1) if levels is not None else 1.0
    grey = np.clip(np.nan_to_num(images.astype(np.float64)) / top, 0, 1) * 255
    found: NDArray[np.uint8] = np.round(grey).astype(np.uint8)
    return found[..., 0] if found.ndim == 4 and found.shape[-1] == 1 else found


def stack(images: NDArray[np.uint8], gap: int = 1) -> NDArray[np.uint8]:
    """Images (n, H, W[, 3]) one below the other, with a mid-grey line between."""
    lines = np.full((gap, *images.shape[2:]), 128, dtype=np.uint8)
    parts = [part for image in images for part in (image, lines)]
    return np.concatenate(parts[:-1], axis=0)
