"""Checks of `dvc` processes at work in a workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from versus.pipeline import lifeline
from versus.pipeline.doctor.finding import Finding


def dvc_at_work(root: Path) -> list[psutil.Process]:
    """Return the `dvc` processes that run in this project's folder or below, except in nested DVC projects."""
    root = root.resolve()
    return [p for p in psutil.process_iter() if lifeline.is_dvc(p) and _project(p) == root]


def _project(process: psutil.Process) -> Path | None:
    """Path of the DVC project that a process works in; None if there is none."""
    try:
        folder = Path(process.cwd())
    except psutil.Error:
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / ".dvc").is_dir()), None)


def outside_the_lock(found: list[psutil.Process]) -> Iterator[Finding]:
    """Yield a finding for each `dvc` that runs outside `versus repro`.

    Such a process is never ended here: a person may have started it, and it may have worked for hours.
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
