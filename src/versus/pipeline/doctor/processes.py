"""Processes of a workspace: a `dvc` at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from versus.pipeline import lifeline
from versus.pipeline.doctor.finding import Finding


def dvc_at_work(root: Path) -> list[psutil.Process]:
    """The `dvc` processes that run in this project: in its folder or below, other DVC projects below aside."""
    root = root.resolve()
    return [p for p in psutil.process_iter() if lifeline.is_dvc(p) and _project(p) == root]


def _project(process: psutil.Process) -> Path | None:
    """The DVC project that a process works in."""
    try:
        folder = Path(process.cwd())
    except psutil.Error:
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / ".dvc").is_dir()), None)


def outside_the_lock(found: list[psutil.Process]) -> Iterator[Finding]:
    """A `dvc` that runs though `versus repro` does not.

    It is not ended, whoever asks: a person may have started it, and it may be hours into its work.
    """
    for process in found:
        try:
            started = time.strftime("%Y-%m-%d %H:%M", time.localtime(process.create_time()))
            command = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue  # it has just ended
        yield Finding(
            f"`{command}` is at work here (process {process.pid}, since {started}), and not under `versus repro`",
            f"wait for its end, or end it with `kill {process.pid}` if nobody wants it; then look again",
        )
