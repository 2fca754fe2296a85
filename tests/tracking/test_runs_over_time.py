"""Which runs there are when results change, fits go on, processes are killed, others write, and cells go."""

import shutil
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from tests.tracking.workspaces import (
    CELL,
    REPEATS,
    a_cell,
    children,
    every_run,
    history,
    make_cell,
    make_costs,
    make_failed,
    names,
    read,
    runs,
)
from versus.fitting import unfinished
from versus.settings import Comparison
from versus.tracking import destination, store
from versus.tracking.answers import Summary
from versus.tracking.fit_run import FitRun
from versus.tracking.mirror import LONGEST_WRITE, Mirror
from versus.tracking.patience import Patience
from versus.tracking.record import Point, losses_at
from versus.tracking.run_log import COMPLETE, CURRENT, SINCE, STATE, TRAINING, WRITING, tag
from versus.tracking.sync import mirror_report, report_files, sweep, sync
from versus.workspace import Workspace


def elsewhere(mirror: Mirror) -> Mirror:
    """Another machine's mirror to the same store."""
    return Mirror(mirror.client, mirror.destination, mirror.workspace, "elsewhere")


def test_mirroring_again_changes_nothing(mirror: Mirror) -> None:
    first = mirror.cell(read(mirror))
    before = mirror.client.get_run(first).to_dictionary()
    assert mirror.cell(read(mirror)) == first
    assert mirror.client.get_run(first).to_dictionary() == before
    assert len(runs(mirror)) == 1


def test_a_second_workspace_with_the_same_results_has_the_same_run(mirror: Mirror) -> None:
    first = mirror.cell(read(mirror))
    assert elsewhere(mirror).cell(read(mirror)) == first
    assert len(runs(mirror)) == 1


def test_a_temporary_experiment_leaves_the_workspaces_results_current(mirror: Mirror) -> None:
    first = mirror.cell(read(mirror))
    files = report_files_of(mirror, "the workspace's")
    report = mirror_report(mirror, files, 1)
    away = Workspace(mirror.workspace.root / ".dvc" / "tmp" / "exps" / "tmp1234")
    for name in ("data", "reports", "models"):
        if (mirror.workspace.root / name).is_dir():
            shutil.copytree(mirror.workspace.root / name, away.root / name)
    make_cell(away, CELL, seed=3)
    experiment = Mirror(mirror.client, destination.find(away.root), away, "experiment")
    second = experiment.cell(read(experiment))
    tried = mirror_report(experiment, report_files_of(experiment, "the experiment's"), 1)
    assert second != first
    assert tried != report
    current = [tag(mirror.client.get_run(run), CURRENT) == "yes" for run in (first, second, report, tried)]
    assert current == [True, False, True, False]
    shutil.copytree(away.evaluation(CELL), mirror.workspace.evaluation(CELL), dirs_exist_ok=True)  # `dvc exp apply`
    assert mirror.cell(read(mirror)) == second
    assert [tag(mirror.client.get_run(run), CURRENT) for run in (first, second)] == ["no", "yes"]


def report_files_of(mirror: Mirror, text: str) -> list[Path]:
    mirror.workspace.reports.mkdir(exist_ok=True)
    (mirror.workspace.reports / "report.md").write_text(text)
    return report_files(mirror.workspace)


def test_costs_measured_anew_join_the_same_run(mirror: Mirror) -> None:
    first = mirror.cell(read(mirror))
    make_costs(mirror.workspace, CELL, seed=4)
    assert mirror.cell(read(mirror)) == first
    assert mirror.client.get_run(first).data.metrics["cost/training_seconds"] == 5.0
    assert len(mirror.client.get_metric_history(first, "cost/training_seconds")) == 2
    assert len(mirror.client.get_metric_history(first, "accuracy_score")) == 1


def test_newer_results_supersede_and_older_ones_can_come_back(mirror: Mirror) -> None:
    old = read(mirror)
    first = mirror.cell(old)
    make_cell(mirror.workspace, CELL, seed=1)
    second = mirror.cell(read(mirror))
    assert {r.info.run_id: tag(r, CURRENT) for r in runs(mirror)} == {first: "no", second: "yes"}
    make_cell(mirror.workspace, CELL, seed=0)  # what `dvc checkout` of an older commit does
    assert mirror.cell(read(mirror)) == first
    assert {r.info.run_id: tag(r, CURRENT) for r in runs(mirror)} == {first: "yes", second: "no"}


class KilledError(BaseException):
    """Stands where SIGKILL stops the process."""


@pytest.mark.parametrize("call", ["log_inputs", "create_logged_model", "log_artifacts", "set_terminated"])
@pytest.mark.parametrize("after", [False, True])
def test_what_a_killed_process_left_is_replaced(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, call: str, after: bool
) -> None:
    original = getattr(mirror.client, call)

    def kill(*args: Any, **kwargs: Any) -> None:
        if after:
            original(*args, **kwargs)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(mirror.client, call, kill)
        with pytest.raises(KilledError):
            mirror.cell(read(mirror))
    (half,) = runs(mirror)
    assert (half.info.status == "FINISHED") <= (tag(half, STATE) == COMPLETE)  # a finished run is whole
    whole = mirror.cell(read(mirror))
    (run,) = runs(mirror)
    assert (run.info.run_id, run.info.status) == (whole, "FINISHED")
    assert len(every_run(mirror)) == 1 + len(children(mirror, whole)) == 1 + REPEATS
    models = mirror.client.search_logged_models([half.info.experiment_id])
    assert [m.source_run_id for m in models] == [whole]
    assert tag(runs(mirror)[0], STATE) == COMPLETE


def test_two_clones_that_write_the_same_at_once_keep_one_run(mirror: Mirror) -> None:
    found, other = read(mirror), elsewhere(mirror)
    experiment = mirror.experiment("flowers")
    written = [m._write(experiment, found, []) for m in (mirror, other)]  # neither saw the other's
    both = runs(mirror)
    assert len(both) == 2
    assert {m.agree(both) for m in (other, mirror)} == {min(written)}
    assert [r.info.run_id for r in runs(mirror)] == [min(written)]


def test_of_two_finished_runs_of_the_same_results_one_stays(mirror: Mirror) -> None:
    found, experiment = read(mirror), mirror.experiment("flowers")
    written = [m._write(experiment, found, []) for m in (mirror, elsewhere(mirror))]  # and both were killed
    assert synchronise(mirror, CELL).mirrored == [CELL]
    assert [r.info.run_id for r in runs(mirror)] == [min(written)]
    assert synchronise(mirror, CELL).already == [CELL]


def test_a_run_that_others_have_deleted_meanwhile_is_no_fault(mirror: Mirror) -> None:
    run = mirror.client.create_run(mirror.experiment("flowers"), tags={"cell": CELL, STATE: WRITING})
    mirror.client.delete_run(run.info.run_id)
    mirror.delete(run)
    assert runs(mirror) == []


def test_another_machines_unfinished_run_is_left_until_it_is_old(mirror: Mirror) -> None:
    experiment = mirror.experiment("flowers")
    for age in (0, LONGEST_WRITE + 60):
        tags = {"cell": CELL, STATE: WRITING, "versus.origin": "elsewhere", SINCE: str(int(time.time() - age))}
        run_id = mirror.client.create_run(experiment, tags=tags).info.run_id
        mirror.cell(read(mirror))
        assert (run_id in {r.info.run_id for r in runs(mirror)}) == (age == 0)


def losses(last: int, first: int = 1, seed: int = 0) -> dict[int, list[Point]]:
    """What a fit shows of repeat 0 while it goes on."""
    rows = [row for row in history(last, seed) if row[0] == 0 and row[1] >= first]
    return {0: [point for _, step, name, value in rows for point in losses_at(step, {name: float(value)})]}


def show(mirror: Mirror, last: int, first: int = 1, seed: int = 0) -> FitRun:
    return FitRun(mirror, a_cell(), losses(last, first, seed))


def test_a_fit_is_seen_while_it_goes_on_and_becomes_the_cells_run(mirror: Mirror) -> None:
    fit = show(mirror, last=6)
    (run,) = runs(mirror)
    assert (run.info.status, run.info.run_name, tag(run, STATE)) == ("RUNNING", "vae", TRAINING)
    assert len(mirror.shown(run)) == 12
    fit.log(losses(10, first=7))
    fit.end(losses(12, first=11))
    assert len(mirror.shown(run)) == 24
    found = read(mirror)
    assert mirror.cell(found) == run.info.run_id
    (run,) = runs(mirror)
    assert (run.info.status, tag(run, STATE)) == ("FINISHED", COMPLETE)
    below = children(mirror, run.info.run_id)
    assert {child.info.status for child in below.values()} == {"FINISHED"}
    for name, loss in product((f"repeat {r}" for r in range(REPEATS)), ("train_loss", "validation_loss")):
        steps = mirror.client.get_metric_history(below[name].info.run_id, f"training/{loss}")
        assert sorted(m.step for m in steps) == list(range(1, 21))  # each once, also those that were shown live


def test_a_fit_that_was_killed_is_resumed_in_its_run(mirror: Mirror) -> None:
    show(mirror, last=8).end(status="KILLED")
    assert [r.info.status for r in every_run(mirror)] == ["KILLED", "KILLED"]
    show(mirror, first=9, last=15).end()
    (run,) = runs(mirror)
    assert len(mirror.shown(run)) == 30
    assert [r.info.status for r in every_run(mirror)] == ["RUNNING", "RUNNING"]


def test_a_fit_that_starts_over_gets_a_new_run(mirror: Mirror) -> None:
    show(mirror, last=8, seed=1).end()
    (before,) = runs(mirror)
    show(mirror, last=5).end()
    (run,) = runs(mirror)
    assert run.info.run_id != before.info.run_id


def test_a_live_run_of_other_results_does_not_become_the_cells(mirror: Mirror) -> None:
    show(mirror, last=8, seed=1).end()
    (live,) = runs(mirror)
    assert mirror.cell(read(mirror)) != live.info.run_id
    assert len(runs(mirror)) == 1


def test_losses_that_are_not_finite_are_shown_too(mirror: Mirror) -> None:
    points = [*losses_at(1, {"loss": float("nan")}), *losses_at(2, {"loss": 2.0})]
    FitRun(mirror, a_cell(), {0: points}).end()
    (run,) = runs(mirror)
    assert np.isnan(mirror.shown(run)[0, "training/loss", 1])


def test_a_fit_shows_the_load_of_the_machine(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    fit = show(mirror, last=3)
    end = time.monotonic() + 20
    while "system/cpu_utilization_percentage" not in children(mirror, fit.run_id)["repeat 0"].data.metrics:
        assert time.monotonic() < end
        time.sleep(0.1)
    fit.end()


def test_a_cell_that_failed_is_one_failed_run_with_its_reason(mirror: Mirror) -> None:
    fit = show(mirror, last=8)
    fit.end(status="FAILED")
    make_failed(mirror.workspace)
    run_id = mirror.cell(read(mirror))
    (run,) = runs(mirror)
    assert run.info.run_id == run_id == fit.run_id  # with the losses that led there
    assert (run.info.status, tag(run, STATE), tag(run, CURRENT)) == ("FAILED", COMPLETE, "yes")
    assert tag(run, "failed.reason") == "FloatingPointError: loss is nan"
    assert tag(run, "failed.where") == "training"
    assert run.data.params["module"] == "vae"
    assert mirror.cell(read(mirror)) == run_id
    assert not run.outputs.model_outputs
    assert [child.info.status for child in children(mirror, run_id).values()] == ["FAILED"]
    make_cell(mirror.workspace)  # it was mended
    whole = mirror.cell(read(mirror))
    assert {r.info.run_id: tag(r, CURRENT) for r in runs(mirror)} == {run_id: "no", whole: "yes"}


def synchronise(mirror: Mirror, *cells: str, seen: list[tuple[str, int, int]] | None = None) -> Summary:
    summary = Summary()
    patience = Patience(mirror.workspace, mirror.destination)
    progress = (lambda *at: None) if seen is None else (lambda *at: seen.append(at))
    sync(mirror, patience, [a_cell(cell) for cell in cells], Comparison(), summary, progress)
    return summary


def test_sync_mirrors_what_is_missing_and_sweeps_what_was_left(mirror: Mirror) -> None:
    for cell in ("flowers-a", "flowers-b"):
        make_cell(mirror.workspace, cell, seed=2)
    make_cell(mirror.workspace, "trees-a", seed=3)
    mirror.cell(read(mirror, "flowers-a"))
    experiment = mirror.experiment("flowers")
    left = {"versus.origin": "here", "cell": "flowers-a"}
    for state in (WRITING, TRAINING):
        mirror.client.create_run(experiment, tags={**left, STATE: state})
    mirror.client.create_run(experiment, tags={**left, STATE: TRAINING, "cell": "flowers-never"})
    mirror.client.create_run(experiment, tags={**left, STATE: TRAINING, "cell": "flowers-now"})
    (mirror.workspace.evaluation("flowers-broken")).mkdir()
    (mirror.workspace.evaluation("flowers-broken") / "evaluation.json").write_text("{")
    cells = ["flowers-a", "flowers-b", "flowers-broken", CELL, "trees-a", "flowers-now", "flowers-never"]

    seen: list[tuple[str, int, int]] = []
    lock = unfinished.lock(mirror.workspace.unfinished("flowers-now"))
    lock.parent.mkdir(parents=True)
    with FileLock(lock):  # as its fit holds
        summary = synchronise(mirror, *cells, seen=seen)
    assert summary.already == ["flowers-a"]
    assert summary.mirrored == ["flowers-b", CELL, "trees-a"]
    assert list(summary.failed) == ["flowers-broken"]
    assert seen == [("flowers-b", 2, 4), (CELL, 3, 4), ("trees-a", 4, 4)]
    states = sorted((tag(r, "cell"), tag(r, STATE), r.info.status) for r in runs(mirror))
    assert states == [
        ("flowers-a", COMPLETE, "FINISHED"),
        ("flowers-b", COMPLETE, "FINISHED"),
        ("flowers-never", TRAINING, "KILLED"),
        ("flowers-now", TRAINING, "RUNNING"),
        (CELL, COMPLETE, "FINISHED"),
    ]
    assert synchronise(mirror, *cells).mirrored == []


def test_a_cell_that_is_no_longer_compared_leaves_the_leaderboard(mirror: Mirror) -> None:
    mirror.cell(read(mirror))
    make_cell(mirror.workspace, "flowers-b", seed=2)
    elsewhere(mirror).cell(read(mirror, "flowers-b"))
    make_cell(mirror.workspace, "flowers-c", seed=3)
    synchronise(mirror, "flowers-c")
    current = {tag(r, "cell") for r in runs(mirror) if tag(r, CURRENT) == "yes"}
    assert current == {"flowers-b", "flowers-c"}  # another workspace still compares b
    assert len(runs(mirror)) == 3


def test_sync_names_the_cells_that_it_could_not_mirror(mirror: Mirror) -> None:
    make_cell(mirror.workspace, "flowers-b", seed=2)
    make_cell(mirror.workspace, "flowers-c", seed=3)
    (mirror.workspace.evaluation("flowers-c") / "scores.csv").unlink()
    make_cell(mirror.workspace, "flowers-d", seed=4)
    (mirror.workspace.evaluation("flowers-d") / "confusion.csv").write_text("true,predicted\n0,0\n")
    (mirror.workspace.reports / "report.md").write_text("# one")
    summary = synchronise(mirror, "flowers-d", "flowers-c", "flowers-b", "flowers-not_yet")
    assert summary.mirrored == ["flowers-b"]
    assert sorted(summary.failed) == ["flowers-c", "flowers-d"]
    assert "scores.csv" in summary.failed["flowers-c"]
    assert len(runs(mirror, "versus-comparison")) == 1  # the report is not left out


def test_sweep_without_leftovers_deletes_nothing(mirror: Mirror) -> None:
    mirror.cell(read(mirror))
    sweep(mirror, "flowers", {CELL})
    assert len(runs(mirror)) == 1


def test_the_report_is_one_run_for_each_report(mirror: Mirror) -> None:
    def log() -> str:
        return mirror_report(mirror, report_files(mirror.workspace), 1)

    assert report_files(mirror.workspace) == []
    page = mirror.workspace.reports / "report.html"
    page.write_text("<h1>one</h1>")
    first = log()
    assert log() == first
    page.write_text("<h1>two</h1>")
    second = log()
    found = {r.info.run_id: tag(r, CURRENT) for r in runs(mirror, "versus-comparison")}
    assert found == {first: "no", second: "yes"}
    assert names(mirror, second) == {"report.html"}
    kept = mirror.client.get_experiment_by_name("versus-comparison")
    where = f"#/experiments/{kept.experiment_id}/runs/{second}/artifacts/report.html?workflowType=machine_learning"
    assert where in kept.tags["mlflow.note.content"]
    assert where in mirror.client.get_run(second).data.tags["mlflow.note.content"]
    assert kept.tags["mlflow.experimentKind"] == "custom_model_development"  # opens at the runs
    page.write_text("<h1>one</h1>")
    assert log() == first
    found = {r.info.run_id: tag(r, CURRENT) for r in runs(mirror, "versus-comparison")}
    assert found == {first: "yes", second: "no"}


def test_a_copied_project_has_its_artifacts_beside_its_store(mirror: Mirror, tmp_path: Path) -> None:
    run_id, old = mirror.cell(read(mirror)), mirror.workspace.root
    copied = Workspace(tmp_path / "copied project")
    copied.root.mkdir()
    for name in ("data", "reports", "mlruns"):
        shutil.copytree(old / name, copied.root / name)
    for file in old.glob("mlflow.db*"):
        shutil.copy(file, copied.root)
    shutil.rmtree(old / "mlruns")  # as if it was moved
    to = destination.find(copied.root)
    assert store.former_artifacts(to) == (old / "mlruns").as_uri()
    there = Mirror(store.open_store(to), to, copied, "there")
    assert store.former_artifacts(to) == ""
    assert {"confusion.svg", "evaluation"} <= names(there, run_id)
    make_cell(copied, CELL, seed=7)
    written = there.client.get_run(there.cell(read(there)))
    assert written.info.artifact_uri.startswith((copied.root / "mlruns").as_uri())
    assert not (old / "mlruns").exists()
    (model,) = there.client.search_logged_models([written.info.experiment_id], f"source_run_id = '{run_id}'")
    assert model.artifact_location.startswith((copied.root / "mlruns").as_uri())
