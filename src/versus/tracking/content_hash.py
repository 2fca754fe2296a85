"""Hashes of files and folders, remembered while the files do not change: a data set serves many cells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from versus import manifest


@lru_cache(maxsize=4096)
def _hash_as_of(path: Path, size: int, modified_ns: int, inode: int) -> str:
    return manifest.sha256(path)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hex.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    found = path.stat()
    return _hash_as_of(path.resolve(), found.st_size, found.st_mtime_ns, found.st_ino)


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files, whatever their order; of folders, their files, hidden ones aside.

    Raises:
        FileNotFoundError: if one of them does not exist.
    """
    named: list[tuple[str, str]] = []
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            named += [(f"{path.name}/{p.relative_to(path).as_posix()}", hash_file(p)) for p in inside]
        else:
            named.append((path.name, hash_file(path)))
    return hashlib.sha256(repr(sorted(named)).encode()).hexdigest()
