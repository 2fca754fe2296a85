"""What one machine computed, the next one takes; what cannot be asked for is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline import machines
from tests.pipeline.conftest import Project
from versus.pipeline import verification

pytestmark = pytest.mark.slow


def test_results_that_never_reached_the_remote_are_computed_once(project: Project, tmp_path: Path) -> None:
    """A lock names results that only their maker has; what one machine computes instead, the next one takes."""
    settings = {"DVC_REMOTE_URL": str(tmp_path / "remote"), "VERSUS_TRACKING": "off"}
    (tmp_path / "remote").mkdir()
    project.dvc("remote", "add", "--default", "store", str(tmp_path / "remote"))
    project.dvc("push")
    lost = verification.md5_of(project.folder / "models/iris-prior/training_cost.json")
    (tmp_path / "remote" / "files" / "md5" / lost[:2] / lost[2:]).unlink()
    project.call("git", "branch", "-M", "main")
    project.call("git", "add", "-A")
    project.call("git", *machines.PERSON, "commit", "-qm", "trained")

    one = machines.start(project.folder, tmp_path / "one", settings)
    cell = machines.stages_of("iris-prior")
    assert one.stages("report", "Reproduce") >= {"train_discriminative@iris-prior"}
    one.step("report", "Push")
    two = machines.start(project.folder, tmp_path / "two", settings)
    assert two.stages("report", "Reproduce") & cell == set()
    name = "models/iris-prior/training_cost.json"
    assert two.read(name) == one.read(name) != project.read(name)


def test_new_data_of_an_import_are_picked_up(tmp_path: Path) -> None:
    origin, source = machines.found_origin(tmp_path), tmp_path / "source.csv"
    (tmp_path / "remote").mkdir()
    person = machines.start(origin, tmp_path / "person", {}, set_up=False)
    source.write_text(person.read("own.csv"), encoding="utf-8")
    person.call("git", "rm", "-q", "own.csv")
    person.dvc("import-url", str(source), "own.csv")
    person.commit("imported")
    with source.open("a", encoding="utf-8") as file:
        file.write(machines.rows(600, 700))
    machine = machines.start(origin, tmp_path / "machine", {"DVC_REMOTE_URL": str(tmp_path / "remote")})
    assert machine.read("own.csv") == source.read_text(encoding="utf-8")
    assert machine.call("git", "diff", "--name-only").stdout.split() == ["own.csv.dvc"]


def test_a_share_that_is_none_is_refused(tmp_path: Path) -> None:
    plan = machines.start(machines.found_origin(tmp_path), tmp_path / "plan", {}, set_up=False)
    for text in ("0", "100", "3; id", ""):
        done = plan.step("plan", "Number the shares", check=False, SHARES=text)
        assert (done.returncode, "::error::" in done.stdout) == (1, True)
    assert not (plan.private / "OUTPUT").exists()
    done = subprocess.run(
        [sys.executable, "-m", "versus", "repro", "--share", "4/3"],
        cwd=plan.folder,
        env=plan.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "2/3 is the second of three" in done.stderr
