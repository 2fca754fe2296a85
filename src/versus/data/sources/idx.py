"""IDX, the format of MNIST: a magic number, the sizes and the values, big-endian; plain or gzipped.

Format: http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes and Burges).
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from versus.data import images
from versus.data.columns import from_array
from versus.data.errors import DataError
from versus.data.file_specification import Idx
from versus.data.sources import source_files

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DEFLATE_LIMIT = 1100  # gzip cannot shrink by more than about 1032 times
_NAMES = {
    "path": "train-images-idx3-ubyte",
    "labels": "train-labels-idx1-ubyte",
    "test_path": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Header:
    """Header of an IDX file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Size of the values in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def files(specification: Idx, base: Path) -> dict[str, str]:
    """Find the files of ``path``, ``labels`` and, for an official test set, ``test_path`` and ``test_labels``.

    Raises:
        DataError: if files of images or labels are missing.
    """
    folder = base / specification.path
    given = {key: getattr(specification, key) for key in _NAMES}
    if not folder.is_dir():
        if given["labels"] is None:
            raise DataError(f"{specification.path}: say with `labels:` which file holds the labels of these images")
        return {key: path for key, path in given.items() if path is not None}
    found = {}
    for key, name in _NAMES.items():
        there = [path for ending in ("", ".gz") if (folder / (path := name + ending)).is_file()]
        if there:
            found[key] = f"{specification.path}/{there[0]}"
    if "path" not in found or "labels" not in found:
        wanted = " and ".join(f"{_NAMES[key]}[.gz]" for key in ("path", "labels"))
        raise DataError(f"{specification.path}: the folder wants {wanted}; or give the files by path and labels")
    return found if len(found) == 4 else {key: found[key] for key in ("path", "labels")}


def load(specification: Idx, base: Path) -> images.RawImages:
    """Read images and labels, the official test set last.

    Raises:
        DataError: if a file is truncated, is not an IDX file, or does not match the others.
    """
    named = files(specification, base)
    pairs = [("path", "labels"), ("test_path", "test_labels")][: len(named) // 2]
    heads = {key: read_header(source_files.locate(base, path), path) for key, path in named.items()}
    for key, labels_key in pairs:
        _check(named[key], heads[key], named[labels_key], heads[labels_key])
    first = heads["path"]
    if any(heads[key].shape[1:] != first.shape[1:] or heads[key].dtype != first.dtype for key, _ in pairs):
        raise DataError(f"{named['test_path']}: its images are {heads['test_path'].shape[1:]}, not {first.shape[1:]}")
    # One array for both files, filled in place: they are never held twice.
    stacked = np.empty((sum(heads[key].shape[0] for key, _ in pairs), *first.shape[1:]), first.dtype)
    labels = []
    start = 0
    for key, labels_key in pairs:
        stop = start + heads[key].shape[0]
        fill(stacked[start:stop], source_files.locate(base, named[key]), named[key], heads[key])
        labels.append(np.empty(heads[labels_key].shape, heads[labels_key].dtype))
        fill(labels[-1], source_files.locate(base, named[labels_key]), named[labels_key], heads[labels_key])
        start = stop
    pixels, levels = images.gather([stacked], specification.levels, specification.path)
    n_train = first.shape[0]

    def locate(row: int) -> str:
        return (
            f"{named['labels']}, label {row + 1}"
            if row < n_train
            else f"{named['test_labels']}, label {row - n_train + 1}"
        )

    column = from_array("target", np.concatenate(labels))
    novel = None if specification.novel_path is None else _novel(specification.novel_path, base, first, levels)
    return images.RawImages(specification.path, pixels, levels, column, len(stacked) - n_train, locate, novel=novel)


def _novel(path: str, base: Path, like: Header, levels: int) -> NDArray[Any]:
    """Read images of other things, which have the shape and the levels of the data set's own."""
    file = source_files.locate(base, path)
    head = read_header(file, path)
    if head.shape[1:] != like.shape[1:] or 0 in head.shape:
        raise DataError(f"novel_path: {path}: its {head.shape[0]} images are {head.shape[1:]}, not {like.shape[1:]}")
    raw = np.empty(head.shape, head.dtype)
    fill(raw, file, path, head)
    return images.gather([raw], levels, path)[0]


def _check(path: str, head: Header, labels_path: str, labels: Header) -> None:
    if len(head.shape) not in (3, 4):
        raise DataError(f"{path}: holds {len(head.shape)} dimensions; images have 3 (or 4, with channels)")
    if len(labels.shape) != 1:
        raise DataError(f"{labels_path}: holds {len(labels.shape)} dimensions; labels have 1")
    if head.shape[0] != labels.shape[0]:
        raise DataError(
            f"{path} holds {head.shape[0]} images and {labels_path} {labels.shape[0]} labels; they must pair"
        )
    if 0 in head.shape:
        raise DataError(f"{path}: holds no images")


def read_header(file: Path, path: str) -> Header:
    """Read type and shape of an IDX file, and check that the file can have that size.

    Raises:
        DataError: if the magic number is wrong or the file is truncated.
    """
    with source_files.opened(file) as stream:
        magic = _exactly(stream, 4, path)
        if magic[:2] != b"\0\0" or magic[2] not in _TYPES:
            raise DataError(
                f"{path}: starts with {magic.hex(' ')}; an IDX file starts with 00 00, a type (08 for bytes)"
            )
        shape = struct.unpack(f">{magic[3]}I", _exactly(stream, 4 * magic[3], path))
        head = Header(np.dtype(_TYPES[magic[2]]), shape, 4 + 4 * magic[3])
    size = file.stat().st_size
    most = size * _DEFLATE_LIMIT if source_files.is_gzipped(file) else size
    if head.offset + head.size > most:
        raise DataError(f"{path}: is cut off: it announces {head.size} bytes of values and has {size - head.offset}")
    return head


def fill(out: NDArray[Any], file: Path, path: str, head: Header) -> None:
    """Read the values of an IDX file into ``out``.

    Raises:
        DataError: if the file has fewer or more values than its header states.
    """
    target = memoryview(out.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    with source_files.opened(file) as stream:
        _exactly(stream, head.offset, path)
        filled = 0
        while filled < len(target):
            got = _guarded(lambda: stream.readinto(target[filled:]), path)  # type: ignore[attr-defined]  # noqa: B023
            if not got:
                raise DataError(f"{path}: is cut off: it announces {head.size} bytes of values and has {filled}")
            filled += got
        if _guarded(lambda: stream.read(1), path):
            raise DataError(f"{path}: has more than the {head.size} bytes of values that it announces")


def _exactly(stream: BinaryIO, n: int, path: str) -> bytes:
    found: bytes = _guarded(lambda: stream.read(n), path)
    if len(found) < n:
        raise DataError(f"{path}: is cut off within its header, after {len(found)} bytes")
    return found


def _guarded(read: Any, path: str) -> Any:
    try:
        return read()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: is cut off or damaged ({error}); get it again") from None
