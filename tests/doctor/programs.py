"""A program that looks like dvc to whoever reads the list of processes, for the doctor's tests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.tracking.processes import wait_for
from versus.pipeline import lifeline


@contextmanager
def running_dvc(folder: Path, where: Path, *words: str) -> Iterator[int]:
    """A program called dvc that is made in one folder and works in another; the number of its process."""
    program = folder / "dvc"
    program.unlink(missing_ok=True)
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", "import time; time.sleep(60)", *words], cwd=where) as process:
        try:
            # Popen returns as the new program replaces the old one, at which moment a process has no command line.
            wait_for(lambda: lifeline.is_dvc(psutil.Process(process.pid)))
            yield process.pid
        finally:
            process.kill()
