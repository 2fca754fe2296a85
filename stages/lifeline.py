"""A stage dies with the `dvc` that started it, so that a killed repro leaves no process behind that still writes."""

from __future__ import annotations

import os
import threading
import time

import psutil


def _parents_up_to_dvc() -> list[psutil.Process]:
    """The parents up to `dvc` (a shell may stand between); none when a person runs the stage by hand."""
    parents: list[psutil.Process] = psutil.Process().parents()
    for depth, parent in enumerate(parents):
        try:
            words = parent.cmdline()[:4]
        except psutil.Error:
            break
        if any(os.path.basename(word) == "dvc" for word in words):
            return parents[: depth + 1]
    return []


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def hold(seconds_between_looks: float = 0.5) -> None:
    """Watch the parents from a thread and end this process as soon as one is gone."""
    parents = _parents_up_to_dvc()

    def watch() -> None:
        while all(map(_alive, parents)):
            time.sleep(seconds_between_looks)
        os._exit(143)  # as if ended by SIGTERM; nothing to tidy, outputs are renamed only when whole

    if parents:
        threading.Thread(target=watch, daemon=True, name="lifeline").start()
