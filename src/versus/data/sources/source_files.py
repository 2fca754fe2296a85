"""Files that data are read from: found where the specification says, and recorded by their checksum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    """What about.json keeps of a file: its path as the specification names it, its size and its SHA-256."""
    found = locate(base, path)
    return {"path": path, "bytes": found.stat().st_size, "sha256": manifest.sha256(found)}
