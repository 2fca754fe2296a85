"""Killed anywhere, the next repro completes and equals a clean run."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.pipeline.conftest import Project, clone
from tests.tracking.processes import wait_for
from versus.pipeline import lifeline

pytestmark = pytest.mark.slow


def start(project: Project, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "versus", "repro", *options]
    with (project.folder.parent / "output").open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=project.folder,
            env=project.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
        )


def workers_in(folder: Path) -> list[psutil.Process]:
    """The process that starts workers in this clone, then the workers, wherever their parents went."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and any("fork_server" in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return sorted(found, key=lambda process: process.create_time())


def long_fit(project: Project) -> Path:
    """Let one fit take longer than any test; the folder that is there while it goes on."""
    project.edit("params.yaml", "epochs: 5}", "epochs: 400000}")
    return project.folder / ".versus/unfinished/moons-cvae"


def test_killed_at_random_times_two_at_once_complete_it_and_agree(reproduced: Project, tmp_path: Path) -> None:
    project = replace(clone(tmp_path / "clone"), tracked=True)
    chance = random.Random(20261121)
    for attempt in range(3):
        process = start(project)
        time.sleep(chance.uniform(2.0, 8.0))
        # The run itself, a worker, and the process that starts them, in turns.
        victims = [process.pid, *(found.pid for found in reversed(workers_in(project.folder)))]
        with suppress(ProcessLookupError):
            os.kill(victims[attempt if attempt < len(victims) else 0], signal.SIGKILL)
        process.wait(300)
    wait_for(lambda: workers_in(project.folder) == [], 10)
    both = [start(project), start(project)]
    assert [process.wait(300) for process in both] == [0, 0], (tmp_path / "output").read_text()
    assert "another repro is at work here" in (tmp_path / "output").read_text()
    assert project.read("reports/comparison.csv") == reproduced.read("reports/comparison.csv")
    assert project.plain_repro() == set()


def test_a_killed_repro_takes_its_workers_with_it(project: Project) -> None:
    fit = long_fit(project)
    process = start(project)
    wait_for(fit.is_dir, 120)
    below = workers_in(project.folder)
    assert len(below) >= 2
    process.kill()
    process.wait()
    assert psutil.wait_procs(below, timeout=10)[1] == []


def test_a_killed_repro_takes_a_plain_dvc_and_its_stage_with_it(project: Project) -> None:
    fit = long_fit(project)
    process = start(project, "--verbose")  # an option that is left to `dvc repro`
    wait_for(fit.is_dir, 120)
    below = psutil.Process(process.pid).children(recursive=True)
    assert any(map(lifeline.is_dvc, below))
    process.kill()
    process.wait()
    assert psutil.wait_procs(below, timeout=10)[1] == []


def test_interrupted_it_keeps_what_is_finished(project: Project, tmp_path: Path) -> None:
    project.edit("params.yaml", "C: 1.0", "C: 0.5")
    fit = long_fit(project)
    process = start(project)
    trained = "train_discriminative@iris-logistic_regression"
    follows = "Running stage 'evaluate_discriminative@iris-logistic_regression'"
    wait_for(lambda: fit.is_dir() and follows in (tmp_path / "output").read_text(), 120)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    wait_for(lambda: workers_in(project.folder) == [], 10)
    changed = project.dvc("status", "--json").stdout
    assert "moons-cvae" in changed
    assert trained not in changed
    project.edit("params.yaml", "epochs: 400000}", "epochs: 5}")
    assert trained not in project.repro()
    assert project.plain_repro() == set()


def test_a_cut_off_lock_file_is_mended(project: Project) -> None:
    lock = project.folder / "dvc.lock"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[: text.rindex("md5:") + 2], encoding="utf-8")  # amid a word
    done = project.versus("repro")
    assert "repaired: dvc.lock" in done.stderr
    assert project.repro() == set()
