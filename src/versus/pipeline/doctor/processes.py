"""Processes of a workspace: a `dvc` at work, and publishers that nobody can reach any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil

from versus.pipeline import lifeline
from versus.pipeline.doctor.finding import Finding
from versus.tracking import channel
from versus.tracking.channel import ChannelError
from versus.workspace import Workspace

LOOKS, PAUSE = 4, 0.5  # a publisher that starts or leaves needs a moment


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


def unreachable_publishers(workspace: Workspace) -> Iterator[Finding]:
    """Publishers that run and answer at no address: MLflow gets nothing from them, and none takes their place."""
    for process, address in _publishers(workspace):
        if _unreachable(process, address):
            yield Finding(
                f"process {process.pid} mirrors to MLflow, and nobody answers at {address.name}",
                f"`kill -9 {process.pid}`; the next stage starts another, and no run is lost",
                partial(_kill, process),
            )


def _publishers(workspace: Workspace) -> Iterator[tuple[psutil.Process, Path]]:
    private = workspace.private.resolve()
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if "versus.tracking.publisher" in words and Path(words[-1]).parent == private:
            yield process, Path(words[-1])


def _unreachable(process: psutil.Process, address: Path) -> bool:
    for _ in range(LOOKS):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        try:
            channel.connect(address).close()
            return False
        except ChannelError:
            time.sleep(PAUSE)
    return True


def _kill(process: psutil.Process) -> str:
    process.kill()  # what hangs may not heed SIGTERM; a publisher may be killed at any time
    process.wait(timeout=10)
    return f"ended process {process.pid}"
