"""End every process of a repro with the one that started it: a killed repro leaves no process that still writes.

A stage watches the `dvc` above it. `dvc` itself watches `versus repro`, which starts it through this module:

    python -m versus.pipeline.lifeline dvc PID ARGUMENT...
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence

import psutil

STARTED_HERE = "VERSUS_LIFELINE"  # set for every process below a dvc that this module runs
ENDED = 143  # as if ended by SIGTERM
WORDS = 4  # of a command line, among which `dvc` stands: python, -m, dvc; or python, -m, versus.lifeline, dvc


def is_dvc(process: psutil.Process) -> bool:
    """Check whether a process runs `dvc`, however it was started; False if it is gone or access to it is denied."""
    try:
        return any(os.path.basename(word) == "dvc" for word in process.cmdline()[:WORDS])
    except psutil.Error:
        return False


def hold_to_dvc() -> None:
    """End this process, a stage, with the `dvc` that started it, also if `dvc` was killed before this call."""
    parents = _parents_up_to_dvc()
    if not parents and STARTED_HERE in os.environ:
        sys.exit(ENDED)
    if parents:  # all stages of one repro share what it may wait for MLflow
        os.environ.setdefault("VERSUS_REPRO", f"{parents[-1].pid} {parents[-1].create_time()}")
    hold(parents)


def hold(processes: Sequence[psutil.Process], seconds_between_looks: float = 0.5) -> None:
    """Watch processes from a thread, and end this process as soon as one of them is gone."""

    def watch() -> None:
        while all(map(_alive, processes)):
            time.sleep(seconds_between_looks)
        os._exit(ENDED)  # nothing to tidy: outputs are renamed only when whole, and DVC's own files can be repaired

    if processes:
        threading.Thread(target=watch, daemon=True, name="lifeline").start()


def _parents_up_to_dvc() -> list[psutil.Process]:
    """Parent processes up to `dvc` (a shell may stand between); empty if a person runs the stage by hand."""
    parents: list[psutil.Process] = psutil.Process().parents()
    for depth, parent in enumerate(parents):
        if is_dvc(parent):
            return parents[: depth + 1]
    return []


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def main(starter: int, arguments: list[str]) -> int:
    """Run `dvc` with these arguments as long as the process ``starter`` lives; return DVC's exit code."""
    try:
        hold([psutil.Process(starter)])
    except psutil.NoSuchProcess:
        return ENDED
    os.environ[STARTED_HERE] = "1"
    sys.argv = ["dvc", *arguments]  # DVC notes its command in its own locks
    from dvc.cli import main as run_dvc

    for handler in logging.getLogger("dvc").handlers:  # a line for each stage of which there is nothing to say
        handler.addFilter(lambda record: "didn't change, skipping" not in str(record.msg))
    return int(run_dvc(arguments))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[2]), sys.argv[3:]))
