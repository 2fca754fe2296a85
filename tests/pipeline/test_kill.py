"""Killed anywhere, the next repro completes and equals a clean run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.pipeline.conftest import Project, clone
from tests.tracking.processes import wait_for
from versus.pipeline import lifeline

pytestmark = pytest.mark.slow


def start(project: Project) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "versus", "repro"]
    with (project.folder.parent / "output").open("ab") as output:
        return subprocess.Popen(
            command, cwd=project.folder, env=project.environment, stdout=output, stderr=output, start_new_session=True
        )


def dvc_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The `dvc` that a repro started; the repro itself before it has, or after it ended."""
    repro = psutil.Process(process.pid)
    return next(filter(lifeline.is_dvc, repro.children()), repro)


def stages_in(folder: Path) -> list[psutil.Process]:
    """Processes that run a stage of this clone, wherever their parents went."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and any(w.startswith("stages.") for w in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_killed_at_random_times_it_still_completes_and_agrees(reproduced: Project, tmp_path: Path) -> None:
    project = clone(tmp_path / "clone")
    chance = random.Random(20261121)
    for attempt in range(6):
        process = start(project)
        time.sleep(chance.uniform(1.5, 9.0))
        if process.poll() is None:
            stages = stages_in(project.folder)
            victim = stages[0] if attempt % 2 and stages else dvc_of(process)
            os.kill(victim.pid, signal.SIGKILL)
        process.wait(60)
    ended = time.monotonic() + 10
    while stages_in(project.folder) and time.monotonic() < ended:
        time.sleep(0.2)
    assert stages_in(project.folder) == [], "a stage outlived the dvc that started it"
    project.call(sys.executable, "-m", "versus", "repro")
    assert project.read("reports/comparison.csv") == reproduced.read("reports/comparison.csv")
    assert project.repro() == set()


@pytest.mark.parametrize("delay", [0.0, 4.0])  # seconds: as the stage starts, and while it fits
def test_a_killed_repro_takes_its_dvc_and_its_stage_with_it(project: Project, delay: float) -> None:
    project.edit("params.yaml", "epochs: 5}", "epochs: 4000}")
    process = start(project)
    wait_for(lambda: stages_in(project.folder) and dvc_of(process).pid != process.pid, 60)
    time.sleep(delay)
    below = [dvc_of(process), *stages_in(project.folder)]
    process.kill()
    process.wait()
    _, left = psutil.wait_procs(below, timeout=10)
    assert left == []
    project.edit("params.yaml", "epochs: 4000}", "epochs: 5}")
    project.call(sys.executable, "-m", "versus", "repro")
    assert project.repro() == set()


def test_a_cut_off_lock_file_is_mended(project: Project) -> None:
    lock = project.folder / "dvc.lock"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[: text.rindex("md5:") + 2], encoding="utf-8")  # amid a word
    done = project.call(sys.executable, "-m", "versus", "repro")
    assert "mended: dvc.lock" in done.stderr
    assert project.repro() == set()


def test_two_repros_at_once_leave_a_whole_result(reproduced: Project, tmp_path: Path) -> None:
    project = clone(tmp_path / "clone")
    both = [start(project), start(project)]
    codes = [process.wait(300) for process in both]
    assert 0 in codes, (tmp_path / "output").read_text()
    project.call(sys.executable, "-m", "versus", "repro")
    assert project.read("reports/comparison.csv") == reproduced.read("reports/comparison.csv")
    assert project.repro() == set()
