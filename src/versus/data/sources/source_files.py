"""Files that data are read from: found where the specification says, and recorded by their checksum."""

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
    """The file ``path``, relative to ``base``.

    Raises:
        DataError: if there is none; names what lies beside it under a similar name.
    """
    found = base / path
    if found.is_file():
        return found
    if found.is_dir():
        raise DataError(f"{path}: is a folder; wants a file")
    raise DataError(f"{absent(base, path)}. Paths are relative to {base.resolve()}")


def absent(base: Path, path: str) -> str:
    """What to say of a ``path``, relative to ``base``, where nothing is: with what lies there under a similar name."""
    found = base / path
    near = sorted(other.name for other in found.parent.glob(f"{found.stem[:4]}*")) if found.parent.is_dir() else []
    beside = f"; the folder has {', '.join(near[:5])}" if near else ""
    folder = "" if found.parent.is_dir() else f", and no folder {found.parent}"
    return f"{path}: there is no such file{folder}{beside}"


def record(base: Path, path: str) -> dict[str, Any]:
    """What about.json keeps of a file or folder: its path as the specification names it, its size and its SHA-256.

    That of a folder is the SHA-256 of the list of its files, each with its own, as `versus.manifest` writes it.
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
    """(number from 1, line without its end) of a text file, also gzipped.

    Raises:
        DataError: naming the line that is not in ``encoding``, or a file that is cut off.
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
    """A file's bytes, unpacked where they are gzipped."""
    return gzip.open(file, "rb") if is_gzipped(file) else file.open("rb")  # type: ignore[return-value]


def is_gzipped(file: Path) -> bool:
    """Whether a file begins as gzip's do."""
    with file.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"
