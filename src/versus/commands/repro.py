"""``python -m versus repro``: `dvc repro`, made safe after a kill, with a word on what came out."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from versus import params as parameters
from versus import recovery, reproduction
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever is given goes on to `dvc repro`."""
    parser.add_argument(
        "dvc", nargs="*", metavar="STAGE", help="stages to reproduce; options of `dvc repro` go on to it"
    )


def run(options: argparse.Namespace) -> int:
    """Check params, mend, repro, compare with what is committed, and name the report; returns DVC's exit code."""
    return reproduce(Workspace(Path()), options.dvc)


def reproduce(workspace: Workspace, dvc_arguments: list[str], environment: dict[str, str] | None = None) -> int:
    """Run `dvc repro` in a workspace; ``environment`` is added to this process's."""
    parameters.read(workspace.params)
    workspace.private.mkdir(exist_ok=True)
    # DVC lets two repros write over each other's results; the second waits for the first, and finds its work done.
    lock = FileLock(workspace.private / "repro.lock")
    if lock_is_held(lock):
        print("another repro is at work here; waiting for it to end", file=sys.stderr)
    with lock:
        return _reproduce(workspace, dvc_arguments, environment)


def lock_is_held(lock: FileLock) -> bool:
    """Whether another process has the lock now."""
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True


def _reproduce(workspace: Workspace, dvc_arguments: list[str], environment: dict[str, str] | None) -> int:
    for mended in recovery.mend(workspace.root):
        print(f"mended: {mended}", file=sys.stderr)
    bin_folder = str(Path(sys.executable).parent)
    env = {**os.environ, **(environment or {})}
    env["PATH"] = bin_folder + os.pathsep + env.get("PATH", "")
    # dvc ends with this process, even where this one is killed.
    command = [sys.executable, "-m", "versus.lifeline", "dvc", str(os.getpid()), "repro", *dvc_arguments]
    code = subprocess.run(command, cwd=workspace.root, env=env, check=False).returncode
    if code:
        return code
    summary = "" if dvc_arguments else reproduction.summarise(workspace)  # a part of the stages says nothing of all
    if summary:
        print(summary)
    print(f"The report: {(workspace.reports / 'report.html').resolve()}")
    return 0
