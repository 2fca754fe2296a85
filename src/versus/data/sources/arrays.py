"""Array files: NumPy's .npz and .npy, and HDF5. Content that could run code is never read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data import images
from versus.data.columns import RawColumn, RawTable, from_array
from versus.data.errors import DataError, unknown
from versus.data.file_specification import Hdf5, Npy, Npz
from versus.data.sources import source_files

TARGET = "target"


def load(specification: Npz | Hdf5 | Npy, base: Path) -> RawTable | images.RawImages:
    """Read the arrays of an .npz, HDF5 or .npy file.

    Raises:
        DataError: if a file is damaged, an array is missing or holds objects, or arrays do not match.
    """
    if isinstance(specification, Npz):
        return _load_npz(specification, base)
    return _load_h5(specification, base) if isinstance(specification, Hdf5) else _load_npy(specification, base)


def _load_npz(specification: Npz, base: Path) -> RawTable | images.RawImages:
    with _readable(specification.path):
        content = np.load(source_files.locate(base, specification.path), allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise DataError(f"{specification.path}: holds one array without a name; read it with `source: npy`")
        with content:
            return _named(content, content.files, specification)


def _load_h5(specification: Hdf5, base: Path) -> RawTable | images.RawImages:
    import h5py

    with _readable(specification.path), h5py.File(source_files.locate(base, specification.path), "r") as content:
        names: list[str] = []
        content.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        return _named(content, names, specification)


def _load_npy(specification: Npy, base: Path) -> RawTable | images.RawImages:
    def opened(path: str) -> NDArray[Any]:
        with _readable(path):
            found: NDArray[Any] = np.load(source_files.locate(base, path), mmap_mode="r", allow_pickle=False)
            return found

    parts = [(opened(specification.path), opened(specification.labels))]
    if specification.test_path is not None and specification.test_labels is not None:
        parts.append((opened(specification.test_path), opened(specification.test_labels)))
    return assemble(parts, specification)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error)
        if "pickle" in reason:  # NumPy's advice, to allow it, would let the file run code
            reason = "it holds Python objects, which can run code when read; save plain numbers or texts"
        raise DataError(f"{path}: cannot be read: {reason}") from None


def _named(content: Mapping[str, Any], names: Sequence[str], specification: Npz | Hdf5) -> RawTable | images.RawImages:
    def array(name: str) -> Any:
        if name not in names:
            raise DataError(f"{specification.path}: {unknown('array', name, names)}")
        return content[name]

    parts = [(array(specification.x), array(specification.y))]
    if specification.test_x is not None and specification.test_y is not None:
        parts.append((array(specification.test_x), array(specification.test_y)))
    return assemble(parts, specification)


def assemble(parts: Sequence[tuple[Any, Any]], specification: Npz | Hdf5 | Npy) -> RawTable | images.RawImages:
    """Build a table or images from one or two pairs of examples (N, …) and targets (N,), the second the test set."""
    file = specification.path
    labels = [_labels(y, len(x) if x.shape else 0, file) for x, y in parts]
    n_test = sum(len(y) for y in labels[1:])
    target = _column(TARGET, np.concatenate(labels), file)
    examples = [x for x, _ in parts]
    if specification.shape is not None:
        examples = [_shaped(x, specification.shape, file) for x in examples]
    if examples[0].ndim > 2:
        pixels, levels = images.gather(examples, specification.levels, file)
        return images.RawImages(file, pixels, levels, target, n_test, lambda row: f"{file}, image {row + 1}")
    if examples[0].ndim != 2 or any(x.shape[1:] != examples[0].shape[1:] for x in examples):
        raise DataError(f"{file}: the examples have the shapes {[x.shape for x in examples]}; wants (N, columns)")
    X = np.concatenate([x[:] for x in examples]) if n_test else examples[0][:]
    columns = [_column(f"x{place}", X[:, place], file) for place in range(X.shape[1])]
    return RawTable(file, [*columns, target], n_test, lambda row: f"{file}, row {row + 1}", TARGET, typed=True)


def _labels(found: Any, n: int, file: str) -> NDArray[Any]:
    if found.dtype.kind == "O" and hasattr(found, "asstr"):  # HDF5 texts of varying length
        found = np.asarray(found.asstr()[()], dtype=str)
    y: NDArray[Any] = np.asarray(found[()])
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(f"{file}: the targets have the shape {y.shape}; wants (N,), a class or number each")
    if len(y) != n:
        raise DataError(f"{file}: there are {n} examples and {len(y)} targets; wants as many of one as of the other")
    if n == 0:
        raise DataError(f"{file}: holds no examples")
    return y


def _column(name: str, values: NDArray[Any], file: str) -> RawColumn:
    try:
        return from_array(name, values)
    except (TypeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: column {name} is of {error}") from None


def _shaped(x: Any, shape: Sequence[int], file: str) -> NDArray[Any]:
    if x.shape[1:] == tuple(shape):
        return np.asarray(x[()])
    if x.ndim != 2 or x.shape[1] != int(np.prod(shape)):
        raise DataError(f"{file}: examples of the shape {x.shape[1:]} are no images of shape {list(shape)}")
    return np.asarray(x[()]).reshape(-1, *shape)
