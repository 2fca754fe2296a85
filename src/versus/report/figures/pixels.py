"""Pictures made from arrays."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GAP = 128  # grey level between images


def png(pixels: NDArray[np.uint8], scale: int = 1) -> bytes:
    """Encode (H, W) grey, (H, W, 3) colour or (H, W, 4) with opacity as PNG; each pixel is a square of ``scale``."""
    packed = BytesIO()
    picture = Image.fromarray(pixels)
    size = picture.width * scale, picture.height * scale
    picture.resize(size, Image.Resampling.NEAREST).save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return a PNG as a ``data:`` address, for use within the page."""
    return "data:image/png;base64," + b64encode(png(pixels)).decode("ascii")


def to_bytes(images: NDArray[Any], levels: int | None) -> NDArray[np.uint8]:
    """Convert images (n, H, W[, C]) from raw values to bytes: ``levels`` grey levels, or 0 … 1 where it is None."""
    top = (levels - 1) if levels is not None else 1.0
    grey = np.clip(np.nan_to_num(images.astype(np.float64)) / top, 0, 1) * 255
    found: NDArray[np.uint8] = np.round(grey).astype(np.uint8)
    return found[..., 0] if found.ndim == 4 and found.shape[-1] == 1 else found


def sheet(images: NDArray[np.uint8], columns: int = 1) -> NDArray[np.uint8]:
    """Place images (n, H, W[, 3]) row by row on one sheet, with a grey line between them."""
    missing = np.full((-len(images) % columns, *images.shape[1:]), GAP, dtype=np.uint8)
    edges = [(0, 0), (0, 1), (0, 1), *[(0, 0)] * (images.ndim - 3)]
    framed = np.pad(np.concatenate([images, missing]), edges, constant_values=GAP)
    height, width, *colours = framed.shape[1:]
    grid = framed.reshape(-1, columns, height, width, *colours).swapaxes(1, 2)
    whole: NDArray[np.uint8] = grid.reshape(-1, columns * width, *colours)[:-1, :-1]
    return whole
