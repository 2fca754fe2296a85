"""Source files of data: located from the specification, and recorded by their checksum."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from versus import manifest
from versus.data.errors import DataError


def locate(base: Path, path: str) -> Path:
    """Find the file ``path``, relative to ``base``.

    Raises:
        DataError: if it does not exist; the message lists files beside it with similar names.
    """
    found = base / path
    if found.is_file():
        return found
    if found.is_dir():
        raise DataError(f"{path}: is a folder; wants a file")
    raise DataError(f"{absent(base, path)}. Paths are relative to {base.resolve()}")


def absent(base: Path, path: str) -> str:
    """Build the error message for a missing ``path``, relative to ``base``; it lists similar names in the folder."""
    found = base / path
    near = sorted(other.name for other in found.parent.glob(f"{found.stem[:4]}*")) if found.parent.is_dir() else []
    beside = f"; the folder has {', '.join(near[:5])}" if near else ""
    folder = "" if found.parent.is_dir() else f", and no folder {found.parent}"
    return f"{path}: there is no such file{folder}{beside}"


def record(base: Path, path: str) -> dict[str, Any]:
    """Record a file or folder for about.json: its path as in the specification, its size and its SHA-256.

    The SHA-256 of a folder is that of the list of its files with their hashes, as `versus.manifest` writes it.
    """
    folder = base / path
    if folder.is_dir():
        inside = sorted(file for file in folder.rglob("*") if file.is_file())
        listed = "".join(f"{manifest.sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in inside)
        size = sum(file.stat().st_size for file in inside)
        return {"path": path, "bytes": size, "sha256": hashlib.sha256(listed.encode()).hexdigest()}
    found = locate(base, path)
    return {"path": path, "bytes": found.stat().st_size, "sha256": manifest.sha256(found)}


def lines(base: Path, path: str, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end) of a text file, also gzipped.

    Raises:
        DataError: if a line is not in ``encoding``, with its number, or the file is truncated.
    """
    file = locate(base, path)
    try:
        with opened(file) as stream:
            for number, line in enumerate(stream, 1):
                yield number, _decoded(line, encoding, f"{path}, line {number}").rstrip("\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read to its end ({error}); it may be cut off, get it again") from None
    except LookupError:
        raise DataError(f"{path}: unknown encoding {encoding!r}; try utf-8 or latin-1") from None


def _decoded(line: bytes, encoding: str, where: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte {error.start + 1} of it ({line[error.start]:#04x}) is not {encoding}; say "
            "`encoding: latin-1`, or whichever the file is in"
        ) from None


def opened(file: Path) -> BinaryIO:
    """Open a file as bytes, decompressed if it is gzipped."""
    return gzip.open(file, "rb") if is_gzipped(file) else file.open("rb")  # type: ignore[return-value]


def is_gzipped(file: Path) -> bool:
    """Check that a file begins with the gzip magic number."""
    with file.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"
