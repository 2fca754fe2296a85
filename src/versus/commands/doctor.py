"""``versus doctor``: find faults that stop the project from working, and repair them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from versus.pipeline.doctor import dvc_files
from versus.pipeline.doctor.examination import examine
from versus.pipeline.doctor.finding import Finding
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")
    parser.add_argument("--fix", action="store_true", help="fix what can be fixed without asking")


def run(options: argparse.Namespace) -> int:
    """Print a paragraph for each fault; returns 1 if any was not repaired."""
    workspace = Workspace(options.workspace)
    with _repro_kept_waiting(workspace) as nobody_repros:
        strays = dvc_files.dvc_at_work(workspace.root) if nobody_repros else []
        findings = [*dvc_files.outside_the_lock(strays)]
        if not nobody_repros:
            print("A repro is at work here: what it writes is not looked at. Look again when it has ended.")
        findings += examine(workspace, at_work=bool(strays) or not nobody_repros)
        mended = sum(_report(finding, options.fix) for finding in findings)
    left = len(findings) - mended
    if left:
        fixable = sum(finding.fix is not None for finding in findings)
        advice = f"; `versus doctor --fix` fixes {fixable} of them" if fixable and not options.fix else ""
        print(f"{left} found{advice}.")
    else:
        print("Nothing is left to fix. `versus verify` rehashes every result.")
    return int(left > 0)


@contextmanager
def _repro_kept_waiting(workspace: Workspace) -> Iterator[bool]:
    """Hold the lock that keeps `versus repro` from starting; yields False where a repro is already running."""
    lock = workspace.private / "repro.lock"
    if not workspace.private.is_dir() or lock.is_dir():
        yield True
        return
    try:
        with FileLock(lock, timeout=0):
            yield True
    except Timeout:
        yield False


def _report(finding: Finding, mend: bool) -> bool:
    """Print a finding and repair it where wanted and possible; return True where it was repaired."""
    if not mend or finding.fix is None:
        print(f"- {finding.problem}\n  to fix it: {finding.mend}")
        return False
    try:
        done = finding.fix()
    except OSError as error:
        print(f"- {finding.problem}\n  could not be fixed ({error}); {finding.mend}")
        return False
    print(f"- {finding.problem}\n  fixed: {done}")
    return True
