"""Stages side by side leave what `dvc repro` would have left, and a cell that fails stops no other."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from tests.pipeline.conftest import Project, clone, ran
from tests.pipeline.test_kill import long_fit, start, workers_in
from tests.tracking.processes import wait_for

pytestmark = pytest.mark.slow

BAD = "  iris-bad: {data: iris, module: neighbours, class: KNearestNeighbours, args: {p: 0}}\n"
STAGES_OF_BAD = {"train_discriminative@iris-bad", "evaluate_discriminative@iris-bad"}


def stages_in_lock(project: Project) -> list[str]:
    return list(YAML(typ="safe").load(project.read("dvc.lock"))["stages"])


def test_dvc_finds_nothing_to_do_and_writes_the_same_lock(project: Project) -> None:
    assert "up to date" in project.dvc("status").stdout
    assert project.plain_repro() == set()
    lock = project.read("dvc.lock")
    (project.folder / "dvc.lock").unlink()
    assert project.plain_repro() == {"compare"}  # the others come from the run cache, where the run put them
    assert project.read("dvc.lock") == lock
    (project.folder / "dvc.lock").unlink()
    assert project.repro() == {"compare"}
    assert project.read("dvc.lock") == lock


def edit_a_cell_and_add_one(project: Project) -> None:
    line = "  moons-gaussian: {data: moons, module: gaussian, class: GaussianClassifier}\n"
    project.edit("params.yaml", "args: {C: 1.0}", "args: {C: 0.3}")
    project.edit("params.yaml", "deep_generative:\n", f"{line}deep_generative:\n")


@pytest.fixture(scope="module")
def one_by_one(reproduced: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, set[str]]:
    """A project after an edit and a plain `dvc repro`, and the stages that ran."""
    project = reproduced.copy(tmp_path_factory.mktemp("plain") / "copy")
    edit_a_cell_and_add_one(project)
    return project, project.plain_repro()


def test_both_ways_run_the_same_stages_after_the_same_edit(
    project: Project, one_by_one: tuple[Project, set[str]]
) -> None:
    other, expected = one_by_one
    edit_a_cell_and_add_one(project)
    assert project.repro("-j", "3") == expected
    assert stages_in_lock(project) == stages_in_lock(other)
    for name in ("comparison.csv", "evaluations/moons-gaussian/scores.csv", "evaluations/moons-gaussian/confusion.csv"):
        assert project.read(f"reports/{name}") == other.read(f"reports/{name}")


def test_a_cell_that_fails_stops_no_other_and_can_be_tried_again(project: Project) -> None:
    project.edit("params.yaml", "  iris-prior:", f"{BAD}  iris-prior:")
    done = project.versus("repro", check=False)
    assert done.returncode == 1
    assert "iris-bad failed in training: InvalidParameterError: The 'p' parameter" in done.stderr
    assert "iris-bad" in project.read("reports/report.md")
    assert "up to date" in project.dvc("status").stdout
    again = project.versus("repro", "--retry", check=False)
    assert again.returncode == 1
    assert ran(again) == STAGES_OF_BAD
    project.edit("params.yaml", "p: 0", "p: 2")
    assert project.repro() == {"fingerprint", "compare"} | STAGES_OF_BAD


def test_a_stage_that_cannot_go_on_is_named_and_the_rest_is_kept(project: Project) -> None:
    rows = "a,b\n" + "1,yes\n2,no\n" * 50
    (project.folder / "own.csv").write_text(rows.replace("2,no", "2,no,3", 1))
    project.edit("params.yaml", "files: {}", "files:\n  own: {source: csv, path: own.csv, target: b}")
    done = project.versus("repro", check=False)
    assert done.returncode == 1
    assert "stage prepare_files@own failed" in done.stderr
    assert "own.csv" in done.stderr
    (project.folder / "own.csv").write_text(rows)
    assert project.repro() == {"prepare_files@own", "extractor_files@own", "compare"}


def test_an_edit_of_params_during_a_run_is_for_the_next_one(project: Project) -> None:
    fit = long_fit(project)
    project.edit("params.yaml", "epochs: 400000}", "epochs: 400}")
    process = start(project)
    wait_for(fit.is_dir, 120)
    project.edit("params.yaml", "args: {C: 1.0}", "args: {C: 0.2}")
    assert process.wait(240) == 0
    stages = {f"{stage}_discriminative@iris-logistic_regression" for stage in ("train", "evaluate")}
    assert project.repro() == {"fingerprint", "compare"} | stages


EDITED_EARLY = """
from pathlib import Path
from versus.__main__ import main
from versus.pipeline.engine.run import Run
run, params = Run.run, Path("params.yaml")
def edited_first(self):
    Run.run = run
    params.write_text(params.read_text().replace("C: 0.3", "C: 0.2"))
    run(self)
Run.run = edited_first
main()
"""


def test_an_edit_of_params_as_a_run_begins_is_for_this_run(project: Project) -> None:
    """After DVC has read them, and before the first stage does."""
    project.edit("params.yaml", "C: 1.0", "C: 0.3")
    stage = "train_discriminative@iris-logistic_regression"
    done = project.call(sys.executable, "-c", EDITED_EARLY, "repro", stage)
    assert "params.yaml was edited as the run began; beginning anew with it" in done.stderr
    assert ran(done) == {"fingerprint", stage}
    assert json.loads(project.read("models/iris-logistic_regression/0.json"))["arguments"]["C"] == 0.2
    assert project.repro(stage) == set()


def test_an_unknown_dvc_is_named_and_left_to_itself(project: Project) -> None:
    code = "from versus.pipeline.engine import stages; stages.KNOWN = '2.0'; from versus.__main__ import main; main()"
    done = project.call(sys.executable, "-c", code, "repro")
    assert "is not the 2.0 that this was made for" in done.stderr
    assert "didn't change" not in done.stdout  # a line for each stage
    assert "up to date" in done.stdout


def test_costs_say_how_many_shared_the_machine(project: Project) -> None:
    for jobs in ("1", "3"):
        project.repro("-j", jobs, "--force", "--single-item", "train_discriminative@iris-prior")
        assert f'"side_by_side": {jobs}' in project.read("models/iris-prior/training_cost.json")


@contextmanager
def cluster(folder: Path, *places: Project) -> Iterator[str]:
    """A Dask scheduler and one worker process in each place, on this machine only; yields the scheduler's address."""
    pytest.importorskip("distributed", reason="dask.distributed is not installed; the extra `dask` brings it")
    file = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        (["scheduler", "--port", "0"], places[0]),
        *((["worker", "--no-nanny", "--nthreads", "1"], p) for p in places),
    ]
    processes = []
    try:
        with (folder / "cluster").open("wb") as output:
            for (kind, *more), place in commands:
                command = [sys.executable, "-m", "dask", kind, *options, *more]
                environment = place.environment
                processes.append(
                    subprocess.Popen(command, cwd=place.folder, env=environment, stdout=output, stderr=output)
                )
        wait_for(lambda: (folder / "cluster").read_text().count("Register worker") == len(places), 120)
        yield json.loads(file.read_text())["address"].replace("tcp://", "dask://")
    finally:
        for process in processes:
            process.kill()  # their own children see it and end
            process.wait(30)


def test_a_cluster_with_a_worker_here_and_one_in_a_clone_gives_the_same_scores(
    project: Project, one_by_one: tuple[Project, set[str]], tmp_path: Path
) -> None:
    alone, expected = one_by_one
    apart = clone(tmp_path / "apart")
    project.dvc("remote", "add", "-d", "meeting", str(tmp_path / "remote"))
    shutil.copy(project.folder / ".dvc/config", apart.folder / ".dvc")
    edit_a_cell_and_add_one(project)
    with cluster(tmp_path, project, apart) as address:
        assert project.repro("--executor", address) == expected
        assert project.plain_repro() == set()
        assert stages_in_lock(project) == stages_in_lock(alone)
        assert project.read("reports/comparison.csv") == alone.read("reports/comparison.csv")
        assert list((apart.folder / "models").iterdir()) != []
        fit = long_fit(project)
        runner = start(project, "--executor", address)
        wait_for(lambda: fit.is_dir() or (apart.folder / ".versus/unfinished/moons-cvae").is_dir(), 120)
        runner.kill()
        runner.wait()
        wait_for(lambda: fits_in(project.folder) + fits_in(apart.folder) == [], 60)


def fits_in(folder: Path) -> list[psutil.Process]:
    """Stages at work: the workers whose parent is one, too. A Dask worker keeps an idle server for the next run."""
    workers = workers_in(folder)
    return [worker for worker in workers if worker.ppid() in {parent.pid for parent in workers}]
