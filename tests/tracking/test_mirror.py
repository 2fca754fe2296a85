import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run, ViewType

from tests.tracking.conftest import CELL
from tests.tracking.workspaces import REPEATS, history, make_cell, make_costs, make_dataset
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.tracking import comparison, destination, pictures, record, store, sync
from versus.tracking.live_runs import LONG, LiveRun, sweep
from versus.tracking.mirror import LONGEST_WRITE, Mirror
from versus.tracking.record import Point, curve_key
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, SINCE, STATE, TRAINING, WRITING, tag
from versus.workspace import Workspace


@pytest.fixture
def mirror(stored: Workspace) -> Mirror:
    to = destination.find(stored.root)
    return Mirror(store.open_store(to), to, stored, "here")


def runs(mirror: Mirror, experiment: str = "flowers") -> list[Run]:
    """Everything in an experiment that is not deleted."""
    found = mirror.client.get_experiment_by_name(experiment)
    return [] if found is None else mirror.client.search_runs([found.experiment_id], "", ViewType.ACTIVE_ONLY)


def names(mirror: Mirror, run_id: str, folder: str | None = None) -> set[str]:
    return {Path(item.path).name for item in mirror.client.list_artifacts(run_id, folder)}


def elsewhere(mirror: Mirror) -> Mirror:
    """Another machine's mirror to the same store."""
    return Mirror(mirror.client, mirror.destination, mirror.workspace, "elsewhere")


def test_a_run_holds_all_that_the_cells_files_hold(mirror: Mirror) -> None:
    found = record.read(mirror.workspace, CELL)
    run = mirror.client.get_run(mirror.cell(found))
    assert run.info.run_name == "vae"
    assert run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (int(found.started * 1000), int(found.ended * 1000))
    assert run.data.params == found.params
    assert found.tags.items() <= run.data.tags.items()
    assert run.data.tags["kind"] == "table"
    for point in (*found.scores, *found.costs):
        if not point.key.startswith("repeats/"):
            assert run.data.metrics[point.key] == point.value
    shown = mirror.shown(run)
    assert shown == {(p.key, p.step): p.value for p in found.curves}
    steps = mirror.client.get_metric_history(run.info.run_id, "repeats/log_loss")
    assert [m.step for m in steps] == list(range(REPEATS))
    assert names(mirror, run.info.run_id) == {"confusion.svg", "reliability.svg", "samples.csv", "evaluation"}
    files = {"scores.csv", "predictions.npy", "evaluation.json", "training_cost.json", "usage_cost.json"}
    assert files <= names(mirror, run.info.run_id, "evaluation")


def test_the_data_set_is_an_input_with_its_hash_and_columns(mirror: Mirror) -> None:
    run = mirror.client.get_run(mirror.cell(record.read(mirror.workspace, CELL)))
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "flowers"
    assert '"colour"' in given.dataset.schema
    assert mlflow.data.get_source(given.dataset).uri == "data/prepared/flowers"
    path = mirror.workspace.prepared("flowers") / "y.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    other = mirror.client.get_run(mirror.cell(record.read(mirror.workspace, CELL)))
    assert other.info.run_id != run.info.run_id
    assert other.inputs.dataset_inputs[0].dataset.digest != given.dataset.digest


def test_mirroring_again_changes_nothing(mirror: Mirror) -> None:
    first = mirror.cell(record.read(mirror.workspace, CELL))
    before = mirror.client.get_run(first).to_dictionary()
    assert mirror.cell(record.read(mirror.workspace, CELL)) == first
    assert mirror.client.get_run(first).to_dictionary() == before
    assert len(runs(mirror)) == 1


def test_a_second_workspace_with_the_same_results_has_the_same_run(mirror: Mirror) -> None:
    first = mirror.cell(record.read(mirror.workspace, CELL))
    assert elsewhere(mirror).cell(record.read(mirror.workspace, CELL)) == first
    assert len(runs(mirror)) == 1


def test_costs_measured_anew_join_the_same_run(mirror: Mirror) -> None:
    first = mirror.cell(record.read(mirror.workspace, CELL))
    make_costs(mirror.workspace, CELL, seed=4)
    assert mirror.cell(record.read(mirror.workspace, CELL)) == first
    assert mirror.client.get_run(first).data.metrics["cost/training_seconds"] == 5.0
    assert len(mirror.client.get_metric_history(first, "cost/training_seconds")) == 2
    assert len(mirror.client.get_metric_history(first, "accuracy_score")) == 1


def test_newer_results_supersede_and_older_ones_can_come_back(mirror: Mirror) -> None:
    old = record.read(mirror.workspace, CELL)
    first = mirror.cell(old)
    make_cell(mirror.workspace, CELL, seed=1)
    second = mirror.cell(record.read(mirror.workspace, CELL))
    assert {r.info.run_id: tag(r, CURRENT) for r in runs(mirror)} == {first: "no", second: "yes"}
    make_cell(mirror.workspace, CELL, seed=0)  # what `dvc checkout` of an older commit does
    assert mirror.cell(record.read(mirror.workspace, CELL)) == first
    assert {r.info.run_id: tag(r, CURRENT) for r in runs(mirror)} == {first: "yes", second: "no"}


class KilledError(BaseException):
    """Stands where SIGKILL stops the process."""


@pytest.mark.parametrize("call", ["log_inputs", "log_artifacts", "set_terminated"])
@pytest.mark.parametrize("after", [False, True])
def test_what_a_killed_publisher_left_is_replaced(
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
            mirror.cell(record.read(mirror.workspace, CELL))
    (half,) = runs(mirror)
    assert tag(half, STATE) == WRITING
    whole = mirror.cell(record.read(mirror.workspace, CELL))
    assert [r.info.run_id for r in runs(mirror)] == [whole]
    assert tag(runs(mirror)[0], STATE) == COMPLETE


def test_two_publishers_that_write_the_same_at_once_keep_one_run(mirror: Mirror) -> None:
    found, other = record.read(mirror.workspace, CELL), elsewhere(mirror)
    experiment = mirror.experiment("flowers")
    written = [m._write(experiment, found, []) for m in (mirror, other)]  # neither saw the other's
    assert len(runs(mirror)) == 2
    kept = {m._agree(experiment, found, run) for m, run in zip((other, mirror), written, strict=True)}
    assert kept == {min(written)}
    assert [r.info.run_id for r in runs(mirror)] == [min(written)]


def test_another_machines_unfinished_run_is_left_until_it_is_old(mirror: Mirror) -> None:
    experiment = mirror.experiment("flowers")
    for age in (0, LONGEST_WRITE + 60):
        tags = {"cell": CELL, STATE: WRITING, "versus.origin": "elsewhere", SINCE: str(int(time.time() - age))}
        run_id = mirror.client.create_run(experiment, tags=tags).info.run_id
        mirror.cell(record.read(mirror.workspace, CELL))
        assert (run_id in {r.info.run_id for r in runs(mirror)}) == (age == 0)


def show(mirror: Mirror, last: int, first: int = 1, seed: int = 0) -> LiveRun:
    """What a fit shows of repeat 0 while it goes on."""
    live = LiveRun(CELL)
    rows = [row for row in history(last, seed) if row[0] == 0 and row[1] >= first]
    live.points = [Point(curve_key(name, repeat), float(value), step) for repeat, step, name, value in rows]
    live.flush(mirror)
    return live


def test_a_fit_is_seen_while_it_goes_on_and_becomes_the_cells_run(mirror: Mirror) -> None:
    live = show(mirror, last=12)
    (run,) = runs(mirror)
    assert (run.info.status, run.info.run_name, tag(run, STATE)) == ("RUNNING", "vae", TRAINING)
    assert len(mirror.shown(run)) == 24
    live.end(mirror)
    found = record.read(mirror.workspace, CELL)
    assert mirror.cell(found) == run.info.run_id
    (run,) = runs(mirror)
    assert (run.info.status, tag(run, STATE)) == ("FINISHED", COMPLETE)
    for key in {p.key for p in found.curves}:
        steps = [m.step for m in mirror.client.get_metric_history(run.info.run_id, key)]
        assert sorted(steps) == list(range(1, 21))  # each once, also those that were shown live


def test_a_fit_that_was_killed_is_resumed_in_its_run(mirror: Mirror) -> None:
    show(mirror, last=8)
    show(mirror, first=9, last=15)
    (run,) = runs(mirror)
    assert len(mirror.shown(run)) == 30


def test_a_fit_that_starts_over_gets_a_new_run(mirror: Mirror) -> None:
    show(mirror, last=8, seed=1)
    (before,) = runs(mirror)
    show(mirror, last=5)
    (run,) = runs(mirror)
    assert run.info.run_id != before.info.run_id


def test_a_live_run_of_other_results_does_not_become_the_cells(mirror: Mirror) -> None:
    show(mirror, last=8, seed=1)
    (live,) = runs(mirror)
    assert mirror.cell(record.read(mirror.workspace, CELL)) != live.info.run_id
    assert len(runs(mirror)) == 1


def test_losses_that_are_not_finite_are_shown_too(mirror: Mirror) -> None:
    live = LiveRun(CELL)
    live.points = [Point("training/loss_repeat_0", float("nan"), 1), Point("training/loss_repeat_0", 2.0, 2)]
    live.flush(mirror)
    (run,) = runs(mirror)
    assert np.isnan(mirror.shown(run)["training/loss_repeat_0", 1])


def test_a_long_fit_shows_the_load_of_the_machine(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    live = show(mirror, last=3)
    live.began -= LONG
    live.points = [Point("training/loss_repeat_0", 1.0, 4)]
    live.flush(mirror)
    end = time.monotonic() + 20
    while "system/cpu_utilization_percentage" not in runs(mirror)[0].data.metrics:
        assert time.monotonic() < end
        time.sleep(0.1)
    live.end(mirror)
    assert live.monitor is not None


def test_sync_mirrors_what_is_missing_and_sweeps_what_was_left(mirror: Mirror) -> None:
    for cell in ("flowers-a", "flowers-b"):
        make_cell(mirror.workspace, cell, seed=2)
    make_cell(mirror.workspace, "trees-a", seed=3)
    mirror.cell(record.read(mirror.workspace, "flowers-a"))
    experiment = mirror.experiment("flowers")
    left = {"versus.origin": "here", "cell": "flowers-a"}
    for state in (WRITING, TRAINING):
        mirror.client.create_run(experiment, tags={**left, STATE: state})
    mirror.client.create_run(experiment, tags={**left, STATE: TRAINING, "cell": "flowers-never"})
    mirror.client.create_run(experiment, tags={**left, STATE: TRAINING, "cell": "flowers-now"})
    (mirror.workspace.evaluation("flowers-broken")).mkdir()
    (mirror.workspace.evaluation("flowers-broken") / "evaluation.json").write_text("{")

    seen = []
    summary = sync.sync(mirror, None, {"flowers-now"}, lambda *at: seen.append(at))
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
    again = sync.sync(mirror, None, set(), lambda *at: None)
    assert again.mirrored == []


def test_a_cell_that_is_no_longer_compared_leaves_the_leaderboard(mirror: Mirror) -> None:
    mirror.cell(record.read(mirror.workspace, CELL))
    make_cell(mirror.workspace, "flowers-b", seed=2)
    elsewhere(mirror).cell(record.read(mirror.workspace, "flowers-b"))
    make_cell(mirror.workspace, "flowers-c", seed=3)
    sync.sync(mirror, ["flowers-c"], set(), lambda *at: None)
    current = {tag(r, "cell") for r in runs(mirror) if tag(r, CURRENT) == "yes"}
    assert current == {"flowers-b", "flowers-c"}  # another workspace still compares b
    assert len(runs(mirror)) == 3


def test_sync_names_the_cells_that_it_could_not_mirror(mirror: Mirror) -> None:
    make_cell(mirror.workspace, "flowers-b", seed=2)
    make_cell(mirror.workspace, "flowers-c", seed=3)
    (mirror.workspace.evaluation("flowers-c") / "scores.csv").unlink()
    (mirror.workspace.reports / "report.md").write_text("# one")
    summary = sync.sync(mirror, ["flowers-b", "flowers-c", "flowers-not_yet"], set(), lambda *at: None)
    assert summary.mirrored == ["flowers-b"]
    assert list(summary.failed) == ["flowers-c"]
    assert "scores.csv" in summary.failed["flowers-c"]
    assert len(runs(mirror, "versus-comparison")) == 1  # the report is not left out


def test_sweep_without_leftovers_deletes_nothing(mirror: Mirror) -> None:
    mirror.cell(record.read(mirror.workspace, CELL))
    sweep(mirror, mirror.experiment("flowers"), {CELL}, set())
    assert len(runs(mirror)) == 1


def test_the_report_is_one_run_for_each_report(mirror: Mirror) -> None:
    with pytest.raises(FileNotFoundError, match="dvc repro compare"):
        comparison.mirror_comparison(mirror)
    page = mirror.workspace.reports / "report.html"
    page.write_text("<h1>one</h1>")
    first = comparison.mirror_comparison(mirror)
    assert comparison.mirror_comparison(mirror) == first
    page.write_text("<h1>two</h1>")
    second = comparison.mirror_comparison(mirror)
    found = {r.info.run_id: tag(r, CURRENT) for r in runs(mirror, "versus-comparison")}
    assert found == {first: "no", second: "yes"}
    assert names(mirror, second) == {"report.html"}


def test_an_experiment_says_what_its_data_set_is(mirror: Mirror) -> None:
    mirror.dataset("flowers", {"source": "embedded", "nested": {}})
    mirror.dataset("flowers", {"source": "embedded", "nested": {}})
    found = mirror.client.get_experiment_by_name("flowers")
    assert (
        "table, 3 columns, 1 of them categorical, 150 rows, 3 classes (setosa, versicolor, virginica)"
        in found.tags["mlflow.note.content"]
    )
    assert found.artifact_location == (mirror.workspace.root / "mlruns" / "flowers").as_uri()


def test_a_deleted_experiment_is_named_with_what_brings_it_back(mirror: Mirror) -> None:
    mirror.client.delete_experiment(mirror.experiment("flowers"))
    with pytest.raises(ValueError, match="mlflow experiments restore -x"):
        Mirror(mirror.client, mirror.destination, mirror.workspace, "here").experiment("flowers")


def test_more_than_mlflow_takes_at_once_is_logged_in_parts(mirror: Mirror) -> None:
    found = record.read(mirror.workspace, CELL)
    curves = [Point("training/loss_repeat_0", float(step), step) for step in range(2500)]
    many = {f"args.{i}": "x" * 7000 for i in range(150)}
    run_id = mirror.cell(dataclasses.replace(found, curves=curves, params=many))
    run = mirror.client.get_run(run_id)
    assert len(mirror.shown(run)) == 2500
    assert len(run.data.params) == 150
    assert tag(run, FINGERPRINT) == found.fingerprint


def test_samples_of_images_become_a_sheet(tmp_path: Path) -> None:
    from PIL import Image as Picture

    schema = Schema(Image((8, 8), 17), Classes(("0", "1")))
    np.save(tmp_path / "samples.npy", np.full((10, 8, 8), 16, dtype=np.uint8) * (np.arange(10) % 2)[:, None, None])
    np.save(tmp_path / "sample_labels.npy", np.arange(10) % 2)
    about = {"capabilities": ["sample"], "skipped": [], "n_test": 1, "repeats": 1}
    (tmp_path / "evaluation.json").write_text(json.dumps(about))
    pictures.draw(tmp_path, schema, tmp_path)
    sheet = np.asarray(Picture.open(tmp_path / "samples.png"))
    # 10 samples, 4 in a row, 8 pixels and a line between, 6 screen pixels each
    assert sheet.shape == ((3 * 9 - 1) * 6, (4 * 9 - 1) * 6)
    assert sheet[20, 20] == 0  # class 0 comes first
    assert sheet[20 + 2 * 54, 20] == 255


def test_samples_of_tables_carry_the_original_names(stored: Workspace) -> None:
    schema = make_dataset(stored)
    pictures.draw(stored.evaluation(CELL), schema, stored.root)
    lines = (stored.root / "samples.csv").read_text().splitlines()
    assert lines[0] == "length,width,colour,species"
    assert lines[1].split(",")[2] in ("blue", "red")
    assert lines[1].split(",")[3] == "setosa"
