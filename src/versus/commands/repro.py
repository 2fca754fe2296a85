"""``python -m versus repro``: `dvc repro`, made safe after a kill, with a word on what came out."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from versus import params as parameters
from versus.data.sources import source_files
from versus.params import Params
from versus.pipeline import recovery, reproduction, shares
from versus.pipeline import restore as remote_outputs
from versus.pipeline.shares import Share
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever is given goes on to `dvc repro`."""
    parser.add_argument(
        "--share",
        metavar="I/N",
        help="train and evaluate the I-th of N shares of the cells only; `dvc push --run-cache` then passes them on",
    )
    parser.add_argument(
        "dvc", nargs="*", metavar="STAGE", help="stages to reproduce; options of `dvc repro` go on to it"
    )


def run(options: argparse.Namespace) -> int:
    """Check params, mend, repro, compare with what is committed, and name the report; returns DVC's exit code."""
    if options.share is not None:
        return reproduce_share(Workspace(Path()), Share.parse(options.share), options.dvc)
    return reproduce(Workspace(Path()), options.dvc)


def reproduce(workspace: Workspace, dvc_arguments: list[str], environment: dict[str, str] | None = None) -> int:
    """Run `dvc repro` in a workspace; ``environment`` is added to this process's."""
    with alone(workspace):
        code = _call_dvc(workspace, dvc_arguments, environment)
        if code:
            return code
        # A part of the stages, or a dry run, says nothing of all.
        summary = reproduction.summarise(workspace) if set(dvc_arguments) <= {"--pull"} else ""
    if summary:
        print(summary)
    print(f"The report: {(workspace.reports / 'report.html').resolve()}")
    return 0


def reproduce_share(workspace: Workspace, share: Share, dvc_options: list[str]) -> int:
    """Train and evaluate the cells of one share; the comparison is left to whoever gathers."""
    cells = shares.cells_of(workspace, share)
    if cells:
        with alone(workspace):
            stages = [f"evaluate_{cell.family}@{cell.name}" for cell in cells]
            code = _call_dvc(workspace, [*dvc_options, *stages])
        if code:
            return code
    print(f"Share {share}: {', '.join(cell.name for cell in cells) or 'no cell, there are fewer than shares'}.")
    return 0


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Check params, and wait for another repro of this workspace.

    DVC lets two repros write over each other's results; the second waits for the first, and finds its work done.
    """
    parameters.read(workspace.params)
    workspace.private.mkdir(exist_ok=True)
    os.environ.setdefault("VERSUS_REPRO", f"{os.getpid()} {time.time()}")
    lock = FileLock(workspace.private / "repro.lock")
    if lock_is_held(lock):
        print("another repro is at work here; waiting for it to end", file=sys.stderr)
    with lock:
        yield


def lock_is_held(lock: FileLock) -> bool:
    """Whether another process has the lock now."""
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True


def _call_dvc(workspace: Workspace, dvc_arguments: list[str], environment: dict[str, str] | None = None) -> int:
    for mended in recovery.mend(workspace.root):
        print(f"mended: {mended}", file=sys.stderr)
    if "--pull" in dvc_arguments:
        for stage in remote_outputs.restore(workspace.root):
            print(f"forgotten: {stage} in dvc.lock, whose outputs are nowhere to be had", file=sys.stderr)
    bin_folder = str(Path(sys.executable).parent)
    env = {**os.environ, **(environment or {})}
    env["PATH"] = bin_folder + os.pathsep + env.get("PATH", "")
    # dvc ends with this process, even where this one is killed.
    command = [sys.executable, "-m", "versus.pipeline.lifeline", "dvc", str(os.getpid()), "repro", *dvc_arguments]
    code = subprocess.run(command, cwd=workspace.root, env=env, check=False).returncode
    if code:  # not before: DVC may bring a file that it tracks
        for missing in missing_files(parameters.read(workspace.params), workspace.root):
            print(f"{missing}; `path` in params.yaml is relative to {workspace.root.resolve()}", file=sys.stderr)
    return code


def missing_files(params: Params, base: Path) -> Iterator[str]:
    """For each data set whose file is not there, what to say of it: DVC does not say what may be meant."""
    for name, spec in params.files.items():
        if not (base / spec.path).exists():
            yield f"{name}: {source_files.absent(base, spec.path)}"
