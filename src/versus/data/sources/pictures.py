"""Pictures in a folder for each class, decoded by Pillow: grey ones as (N, H, W), others as (N, H, W, 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from versus.data.columns import Words
from versus.data.errors import DataError
from versus.data.file_specification import Pictures
from versus.data.images import RawImages

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
LARGEST_SIDE = 64  # pixels proposed for the longer side: models learn every pixel
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # no others: some formats run programs
_GREY = ("1", "L", "LA", "I;16", "I;16B", "I")
_ORIENTATION = 0x0112  # EXIF tag; 5 to 8 mean that the picture lies on its side
_LYING = (5, 6, 7, 8)

Size = tuple[int, int]  # height, width


def load(specification: Pictures, base: Path) -> RawImages:
    """Read the pictures of all classes, the official test set last; one colour picture makes all of them colour.

    Raises:
        DataError: if a folder holds no classes, a file is no picture, or sizes differ and no ``resize`` is given.
    """
    parts = [listed(base, path) for path in (specification.path, specification.test_path) if path is not None]
    found = [file for part in parts for file in part]
    sizes, colours = survey([file for file, _ in found])
    size = specification.resize or next(iter(sizes))
    if specification.resize is None and len(sizes) > 1:
        common = ", ".join(f"{h}×{w} ({n})" for (h, w), n in sizes.most_common(3))
        raise DataError(
            f"{specification.path}: the pictures have {len(sizes)} sizes, such as {common}; all must have one, so say "
            f"`resize: {list(proposed(sizes))}` (height, width)"
        )
    pixels = np.empty((len(found), *size, 3) if colours else (len(found), *size), np.uint8)
    for place, (file, _) in enumerate(found):
        pixels[place] = decode(file, colours, (size[0], size[1]))
    names, codes = np.unique([label for _, label in found], return_inverse=True)
    labels = Words("class", codes.astype(np.int64), tuple(names.tolist()))

    def locate(row: int) -> str:
        return found[row][0].relative_to(base).as_posix()

    return RawImages(specification.path, pixels, 256, labels, len(found) - len(parts[0]), locate)


def listed(base: Path, path: str) -> list[tuple[Path, str]]:
    """List (file, class) of the pictures in the folders of ``path``, in fixed order.

    Raises:
        DataError: if there are none.
    """
    folder = base / path
    classes = sorted(entry for entry in folder.glob("*") if entry.is_dir() and not entry.name.startswith("."))
    found = [(file, entry.name) for entry in classes for file in sorted(entry.rglob("*")) if is_picture(file)]
    if not found:
        raise DataError(f"{path}: holds no pictures; wants a folder for each class with files {', '.join(ENDINGS)}")
    return found


def is_picture(file: Path) -> bool:
    """Check that a file is named like a picture."""
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".") and file.is_file()


def survey(files: Sequence[Path]) -> tuple[Counter[Size], bool]:
    """Count the sizes of pictures, from their headers, and check if any has colours."""
    sizes: Counter[Size] = Counter()
    colours = False
    for file in files:
        with _opened(file) as picture:
            width, height = picture.size
            sizes[(width, height) if picture.getexif().get(_ORIENTATION) in _LYING else (height, width)] += 1
            colours = colours or picture.mode not in _GREY
    return sizes, colours


def proposed(sizes: Counter[Size]) -> Size:
    """Propose one size for pictures: the median, shrunk until its longer side is at most ``LARGEST_SIDE``."""
    height, width = np.median(list(sizes.elements()), axis=0)
    factor = min(1.0, LARGEST_SIDE / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def decode(file: Path, colours: bool, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a picture, upright and on white where it is transparent: (H, W) or (H, W, 3), scaled if a size is given.

    Raises:
        DataError: if it is damaged, or no picture.
    """
    from PIL import Image, ImageOps

    with _opened(file) as picture:
        upright: Any = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I"):  # 16 bits
            upright = Image.fromarray((np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
        if upright.has_transparency_data:
            white = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(white, upright.convert("RGBA"))
        upright = upright.convert("RGB" if colours else "L")
        if size is not None and upright.size != (size[1], size[0]):
            upright = upright.resize((size[1], size[0]), Image.Resampling.BICUBIC)
        return np.asarray(upright, dtype=np.uint8)


@contextmanager
def _opened(file: Path) -> Iterator[Image]:
    """Open a picture; what Pillow finds wrong, also while it is used, names the file."""
    from PIL import Image

    try:
        with Image.open(file, formats=_FORMATS) as picture:
            yield picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: cannot be read as a picture: {error}") from None
