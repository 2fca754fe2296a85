"""Source files of data: located from the specification, opened whether compressed or not, recorded by their checksum.

A zip archive of one file, besides those that describe it, is that file, compressed; one of several is a folder:
``adult.zip/adult.data``.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from versus import manifest
from versus.data.errors import DataError, listed

COMPRESSED = (".gz", ".bz2", ".xz")
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_DESCRIBES = re.compile(r"(?:^|/)(?:readme|licen[cs]e|index)[^/]*$|\.(?:md|rst|pdf|html?|names|docx?)$", re.IGNORECASE)
_ZIP = b"PK\x03\x04"


def locate(base: Path, path: str) -> Path:
    """Find the file ``path``, relative to ``base``.

    Raises:
        DataError: if it does not exist; the message lists files beside it with similar names.
    """
    found = base / path
    if found.is_file() or (archive(found) is not None and exists(found)):
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
    located = locate(base, path)
    found = archive(located) or located
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
    except DAMAGED as error:
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
    """Open a file as bytes, decompressed if it is compressed by gzip, bzip2, xz or zip.

    Raises:
        DataError: for a zip archive of several files; the message names them.
    """
    outside = archive(file)
    if outside is not None:
        return _member(outside, file.relative_to(outside).as_posix())
    if is_zip(file):
        return _member(file, _only_member(file))
    start = _start(file)
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    return file.open("rb") if opener is None else opener(file, "rb")  # type: ignore[operator]


def is_gzipped(file: Path) -> bool:
    """Check that a file begins with the gzip magic number."""
    return _start(file).startswith(b"\x1f\x8b")


def is_zip(file: Path) -> bool:
    """Check that a file is an archive, by its name and its first bytes: a workbook is a zip file, too."""
    return file.suffix.lower() == ".zip" and file.is_file() and _start(file).startswith(_ZIP)


def archive(file: Path) -> Path | None:
    """Return the zip archive that the path leads into; None if it leads to a file of its own."""
    return next((parent for parent in file.parents if is_zip(parent)), None)


def exists(file: Path) -> bool:
    """Check that there is such a file or folder, or such a file in an archive."""
    outside = archive(file)
    return file.exists() if outside is None else file.relative_to(outside).as_posix() in members(outside)


def members(file: Path) -> list[str]:
    """List the files in a zip archive, without what systems leave there."""
    with zipfile.ZipFile(file) as content:
        names = [name for name in content.namelist() if not name.endswith("/")]
    return [name for name in names if not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")]


def plain_name(file: Path) -> str:
    """Return a file's name without the ending of its compression; of a zip archive, the name of its only file."""
    if is_zip(file):
        return Path(_only_member(file)).name
    return file.name[: -len(file.suffix)] if file.suffix.lower() in COMPRESSED else file.name


def _only_member(file: Path) -> str:
    found = members(file)
    found = [name for name in found if not _DESCRIBES.search(name)] or found
    if len(found) != 1:
        example = f"; say which, as in {file.name}/{found[0]}" if found else ""
        raise DataError(f"{file.name}: holds {listed(found) if found else 'no files'}; one is read{example}")
    return found[0]


def _member(file: Path, name: str) -> BinaryIO:
    with zipfile.ZipFile(file) as content:
        try:
            return content.open(name)  # type: ignore[return-value]
        except (RuntimeError, NotImplementedError) as error:  # a password, or a rare compression
            raise DataError(f"{file.name}: {name} cannot be unpacked ({error}); unpack it by hand") from None


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(6)
