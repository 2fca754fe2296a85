"""A program that looks like dvc to whoever reads the list of processes, for the doctor's tests."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.tracking.processes import wait_for
from versus.pipeline import lifeline


@contextmanager
def running_dvc(folder: Path, where: Path) -> Iterator[int]:
    """A program called dvc that is made in one folder and works in another; the number of its process."""
    program = folder / "dvc"
    program.symlink_to(shutil.which("sleep") or "sleep")
    with subprocess.Popen([program, "60"], cwd=where) as process:
        try:
            # Popen returns as the new program replaces the old one, at which moment a process has no command line.
            wait_for(lambda: lifeline.is_dvc(psutil.Process(process.pid)))
            yield process.pid
        finally:
            process.kill()
