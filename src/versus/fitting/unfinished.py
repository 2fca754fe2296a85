"""Unfinished fits, which a killed training resumes, in ``.versus/unfinished/<cell>/``.

A file ``fingerprint`` identifies the fits in the folder; beside the folder lies the lock of the fitting process.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from versus import manifest
from versus.workspace import Workspace

MARK = "fingerprint"


def fingerprint(workspace: Workspace, stage: str, dataset: str) -> str:
    """Hash everything that the fits of a stage depend on: unfinished work under another hash is not resumed.

    Raises:
        FileNotFoundError: if the data or the stage's fingerprint are not there yet.
    """
    digest = hashlib.sha256(stage_file(workspace, stage).read_bytes())
    digest.update((workspace.prepared(dataset) / manifest.NAME).read_bytes())
    return digest.hexdigest()


def stage_file(workspace: Workspace, stage: str) -> Path:
    """Return the file with the parameters and the code that a stage depends on."""
    return workspace.root / f"data/fingerprints/{stage}.txt"


def is_of(folder: Path, expected: str) -> bool:
    """Check that the folder's fits match the fingerprint."""
    mark = folder / MARK
    return mark.is_file() and mark.read_text(encoding="utf-8", errors="replace") == expected


def open_folder(folder: Path, expected: str) -> None:
    """Make sure that the folder is there, and holds nothing but fits of this fingerprint."""
    if not is_of(folder, expected):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / MARK).write_text(expected, encoding="utf-8")


def lock(folder: Path) -> Path:
    """Return the lock file of the process that works in the folder."""
    return folder.with_suffix(".lock")
