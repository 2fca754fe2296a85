"""Guess of what a folder holds: idx files, trees, pictures or texts of each class, or two such to train and test on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from versus.data.errors import DataError, listed
from versus.data.inspect import sniffing, text_files
from versus.data.sources import penn, pictures

_TEST = ("val", "valid", "validation")  # what serves as the test set where there is none


def guess(folder: Path) -> dict[str, Any]:
    """Guess the entry of params.yaml for a folder, without ``path``.

    Raises:
        DataError: if it holds nothing that belongs together; the message names what would, or the tables in it.
    """
    inside = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    if any(sniffing.is_idx(entry) for entry in inside):
        return {"source": "idx"}
    if any(penn.has_ending(file.name) for file in folder.rglob("*")):
        return {"source": "penn"}
    for part in inside:
        test = _test_part(part)
        found = None if test is None else _classes(part) if part.is_dir() else text_files.guess(part)
        if found is not None and test is not None:
            return {**found, "file": part.name, "test_path": test.name}
    found = _classes(folder)
    if found is not None:
        return found
    files = [entry.name for entry in inside if entry.is_file()]
    hint = f"; name one of its files: {listed((f'{folder.name}/{name}' for name in files), 5)}" if files else ""
    raise DataError(
        f"{folder}: is no set of files that are read together; those are a folder of pictures or texts for each class, "
        f"a file of texts for each class, and idx files called as those of MNIST{hint}"
    )


def _test_part(part: Path) -> Path | None:
    """Find the folder or file of the test set beside that of the training set."""
    others = (part.with_name(part.name.replace("train", name)) for name in _TEST if part.is_dir())
    return sniffing.test_file(part) or next((other for other in others if other != part and other.is_dir()), None)


def _classes(folder: Path) -> dict[str, Any] | None:
    """Guess the entry for a folder with a folder of pictures or texts, or a file of texts, for each class."""
    inside = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    classes = [entry for entry in inside if entry.is_dir()] or inside
    files = [file for entry in classes for file in _files(entry)]
    if len(classes) < 2 or not files:
        return None
    if classes[0].is_dir() and sum(map(pictures.is_picture, files)) > len(files) / 2:
        return {"source": "pictures"}
    if any("\0" in sniffing.sample(file)[0] for file in files) or any(map(text_files.is_table, files)):
        return None
    return {"source": "documents", **text_files.encoding(files)}


def _files(entry: Path) -> Sequence[Path]:
    found = entry.rglob("*") if entry.is_dir() else [entry]
    return [file for file in found if file.is_file() and not file.name.startswith(".")]
