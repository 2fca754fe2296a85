"""Content list of a folder, as one small file: hashes in the format of ``sha256sum --check``.

A later stage depends on this list instead of on the folder: in every repro DVC then checks one file instead of
twenty.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

NAME = "contents.txt"


def write(folder: Path, *, stands_in: Path | None = None, built_on: Path | None = None) -> None:
    """Write the list of the files of a folder, in the order of their names.

    Args:
        folder: the complete folder.
        stands_in: final place of the folder, if it is built elsewhere.
        built_on: the list of another folder that this one was built from: it is listed, too, so that any change
            there changes this list.
    """
    inside = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    listed = [(path, path.relative_to(folder)) for path in inside]
    if built_on is not None:
        listed.append((built_on, Path(os.path.relpath(built_on, stands_in or folder))))
    lines = (f"{sha256(path)}  {name.as_posix()}\n" for path, name in listed)
    (folder / NAME).write_text("".join(lines), encoding="utf-8", newline="\n")


def check(folder: Path) -> None:
    """Check that the files of a folder are those of its list: 0.08 s of CPU time for 100 MB.

    DVC takes a file for unchanged if its time stamp, size and inode are, whatever its bytes.

    Raises:
        ValueError: naming a file that is missing or has other bytes, and the remedy.
    """
    for line in (folder / NAME).read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        fault = "is missing" if not path.is_file() else "is damaged" if sha256(path) != expected else ""
        if fault:
            mend = "`versus verify --fix` removes what is damaged, and `dvc repro` makes it again"
            raise ValueError(f"{path} {fault}: it is not what {NAME} beside it lists; {mend}")


def digest(paths: Iterable[Path]) -> str:
    """Compute the SHA-256 of the names and contents of files, independent of their order, in hex.

    Raises:
        FileNotFoundError: if one of them does not exist.
    """
    return hashlib.sha256(repr(sorted((path.name, sha256(path)) for path in paths)).encode()).hexdigest()


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
