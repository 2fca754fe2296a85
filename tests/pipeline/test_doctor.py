"""The doctor on a real pipeline: what it mends, `dvc repro` finishes; what is at work, it leaves alone."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project
from versus.pipeline import recovery

pytestmark = pytest.mark.slow


def doctor(project: Project, *options: str) -> subprocess.CompletedProcess[str]:
    return project.call(sys.executable, "-m", "versus", "doctor", *options, check=False)


def test_what_is_mended_repro_finishes_as_a_clean_run_would(project: Project) -> None:
    """The lock cut off in the line of a hash, DVC's rwlock emptied, the store overwritten, a cell taken out."""
    project.tracked = True
    scores, lock = project.read("reports/comparison.csv"), project.read("dvc.lock")
    (project.folder / "dvc.lock").write_text(lock[: lock.rindex("md5: ") + 10])
    (project.folder / recovery.RWLOCK).write_text("")
    (project.folder / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    prior = "  iris-prior: {data: iris, module: baseline, class: PriorBaseline}\n"
    project.edit("params.yaml", prior, "")
    assert project.dvc("repro", check=False).returncode != 0
    named = doctor(project)
    assert named.returncode == 1
    for fault in ("dvc.lock is cut off", ".dvc/tmp/rwlock", "mlflow.db", "models/iris-prior", "evaluations/iris-prior"):
        assert fault in named.stdout
    fixed = doctor(project, "--fix")
    assert fixed.returncode == 0, fixed.stdout
    assert not (project.folder / "models/iris-prior").exists()
    project.edit("params.yaml", "  moons-logistic", f"{prior}  moons-logistic")
    project.repro()
    assert project.read("reports/comparison.csv") == scores
    assert project.repro() == set()
    assert "Everything" in project.call(sys.executable, "-m", "versus", "verify").stdout
    assert "0 cells logged to MLflow, 5 were there" in project.call(sys.executable, "-m", "versus", "sync").stdout
    healthy = doctor(project)
    assert (healthy.returncode, healthy.stderr) == (0, ""), healthy.stdout


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [("dvc", "and not under `versus repro`", 1), ("versus", "A repro is at work here", 0)],
)
def test_a_repro_at_work_is_named_and_not_disturbed(project: Project, command: str, said: str, code: int) -> None:
    project.edit("params.yaml", "epochs: 5}", "epochs: 800, patience: 800}")
    stage = "train_deep_generative@moons-cvae"
    words = [sys.executable, "-m", command, "repro", stage]
    process = subprocess.Popen(words, cwd=project.folder, env=project.environment, stdout=subprocess.DEVNULL)
    workshop = project.folder / ".versus/unfinished/moons-cvae"
    wait_for_folder(workshop, process)
    done = doctor(project, "--fix")
    assert said in done.stdout
    assert done.returncode == code, done.stdout
    assert workshop.is_dir()
    assert process.wait(120) == 0


def wait_for_folder(folder: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not folder.is_dir():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
