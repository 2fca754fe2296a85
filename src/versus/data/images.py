"""Images in the form stored for models: integer pixels from 0 to levels - 1, channels last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.columns import RawColumn
from versus.data.errors import DataError

_CHUNK = 4096  # images converted at a time, so that a large array is never held twice
_EXACT = 1e-3  # largest distance of a grey value times 255 from a whole number at which it counts as a byte over 255


@dataclass(frozen=True)
class RawImages:
    """Images and their labels, the official test set last.

    Args:
        file: their name in messages.
        pixels: (N, H, W) or (N, H, W, C), integers.
        levels: number of values a pixel can take.
        labels: target, N values.
        n_test: size of the official test set, the last of the N images.
        locate: index of an image, from 0 -> its place for the reader.
        warnings: problems noticed while reading.
        novel: (M, H, W) or (M, H, W, C), images of other things; None where there are none.
    """

    file: str
    pixels: NDArray[Any]
    levels: int
    labels: RawColumn
    n_test: int = 0
    locate: Callable[[int], str] = field(default=lambda row: f"image {row + 1}")
    warnings: Sequence[str] = ()
    novel: NDArray[Any] | None = None


def outlines(images: NDArray[Any]) -> NDArray[Any]:
    """Morphological gradient of grey images (N, H, W): the largest less the smallest of a pixel and its neighbours.

    Rivest, Soille and Beucher, "Morphological gradients" (1993), with a cross of five pixels.
    """
    from scipy.ndimage import generate_binary_structure, morphological_gradient

    cross = generate_binary_structure(2, 1)[None]
    return np.asarray(morphological_gradient(images, footprint=cross), dtype=images.dtype)


# Where the images of a second domain are a function of those of the first, as `targets.Domains` names it.
KNOWN_TRANSLATIONS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {"outlines": outlines}


def resized(pixels: NDArray[Any], size: Sequence[int], file: str) -> NDArray[Any]:
    """Scale images of bytes, (N, H, W[, C]) -> (N, *size[, C]), averaging over what shrinks.

    Raises:
        DataError: if the pixels are no bytes.
    """
    from PIL import Image

    if pixels.shape[1:3] == tuple(size):
        return pixels
    if pixels.dtype != np.uint8:
        raise DataError(f"{file}: resize wants pixels of 256 levels, and these are {pixels.dtype}")
    shape = (size[1], size[0])
    scaled = [np.asarray(Image.fromarray(p).resize(shape, Image.Resampling.BILINEAR)) for p in pixels]
    return np.stack(scaled)


def gather(parts: Sequence[Any], levels: int | None, file: str) -> tuple[NDArray[Any], int]:
    """Join arrays of images (N_i, …) into one array of integer pixels; only the result is held in memory.

    Whole numbers stay as they are. Real numbers in [0, 1] are multiplied by levels - 1 and rounded; without ``levels``
    only if that is exact for bytes.

    Args:
        parts: arrays, or objects that are sliced like arrays (a memory map, an HDF5 data set).
        levels: number of values a pixel can take; if None, 256, or as many as the largest value needs.
        file: their name in messages.

    Returns:
        The pixels (N, H, W) or (N, H, W, C), uint8 up to 256 levels, otherwise uint16; and the number of levels.

    Raises:
        DataError: if values are not pixels, or shapes differ.
    """
    views = [_channels_last(part, file) for part in parts]
    shapes = {view[:0].shape[1:] for view in views}
    if len(shapes) > 1:
        raise DataError(f"{file}: the test images have the shape {shapes.pop()} and the others {shapes.pop()}")
    if views[0].dtype == np.uint8 and levels in (None, 256) and len(views) == 1:
        return views[0][:], 256
    factor, levels = _scale(views, levels, file)
    pixels = np.empty((sum(len(view) for view in views), *shapes.pop()), np.uint8 if levels <= 256 else np.uint16)
    start = 0
    for chunk in _chunks(views):
        pixels[start : start + len(chunk)] = chunk if factor == 1 else np.rint(chunk * factor)
        start += len(chunk)
    return pixels, levels


def _channels_last(part: Any, file: str) -> Any:
    """Return (N, H, W, C) for few channels, on any axis; (N, H, W) for a single one."""
    if part.dtype.kind not in "iufb":
        raise DataError(f"{file}: the images are of type {part.dtype}; wants whole numbers, or real ones from 0 to 1")
    shape = part.shape
    if len(shape) == 4 and shape[3] == 1:
        return part[:, :, :, 0]
    if len(shape) == 4 and shape[1] == 1:
        return part[:, 0]
    if len(shape) == 4 and shape[1] == 3 and shape[3] > 4:
        return np.moveaxis(part[:], 1, 3)
    if len(shape) not in (3, 4) or 0 in shape:
        raise DataError(f"{file}: the array has the shape {shape}; images are (N, height, width[, channels])")
    return part


def _chunks(views: Sequence[Any]) -> Iterator[NDArray[Any]]:
    for view in views:
        for start in range(0, len(view), _CHUNK):
            yield view[start : start + _CHUNK]


def _scale(views: Sequence[Any], levels: int | None, file: str) -> tuple[float, int]:
    """Return (factor from values to pixels, levels), after a check of every value."""
    low, high, whole, bytes_over_255 = np.inf, -np.inf, True, True
    for chunk in _chunks(views):
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))  # NaN fails the check below
        if not (np.isfinite(chunk).all() and low >= 0):
            raise DataError(f"{file}: a pixel is {_outlier(chunk)}; pixels are from 0 upwards, and finite")
        if chunk.dtype.kind == "f":
            whole = whole and bool((np.rint(chunk) == chunk).all())
            scaled = chunk * 255.0
            bytes_over_255 = bytes_over_255 and bool((np.abs(np.rint(scaled) - scaled) < _EXACT).all())
    if whole and (high > 1 or views[0].dtype.kind != "f" or levels == 2):
        found = levels or max(256, int(high) + 1)
        if high >= found or found > 65536:
            raise DataError(f"{file}: a pixel is {high:g}; with levels: {min(found, 65536)} the largest is one less")
        return 1, found
    if high > 1:
        raise DataError(f"{file}: pixels are fractions up to {high:g}; wants whole numbers, or fractions from 0 to 1")
    if levels is None and not bytes_over_255:
        raise DataError(
            f"{file}: pixels are fractions that are not bytes over 255; say `levels: 256` to round them to 256 levels"
        )
    return float((levels or 256) - 1), levels or 256


def _outlier(chunk: NDArray[Any]) -> str:
    bad = np.argwhere(~np.isfinite(chunk) | (chunk < 0))[0]
    return f"{chunk[tuple(bad)]:g}"
