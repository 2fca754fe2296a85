import dataclasses
import json
import shutil
import time
from itertools import product
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from filelock import FileLock
from mlflow.entities import Run, ViewType
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tests.models.small_text import documents, sentences
from tests.tracking.workspaces import (
    CELL,
    REPEATS,
    a_cell,
    history,
    make_cell,
    make_costs,
    make_dataset,
    make_failed,
    write_csv,
)
from versus.data import findings, prepared
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.fitting import unfinished
from versus.models.classical_generative.bayesian_network import ChowLiuTree
from versus.models.classical_generative.hidden_markov import HiddenMarkovModel
from versus.models.classical_generative.markov_chain import MarkovChainClassifier
from versus.models.classical_generative.restricted_boltzmann import RestrictedBoltzmannMachine
from versus.models.classical_generative.topics import LatentDirichletAllocation
from versus.settings import Comparison
from versus.tracking import destination, drawings, record, store
from versus.tracking.answers import Summary
from versus.tracking.fit_run import FitRun
from versus.tracking.mirror import LONGEST_WRITE, Mirror
from versus.tracking.patience import Patience
from versus.tracking.record import CellRecord, Point, RepeatRecord, losses_at
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, SINCE, STATE, TRAINING, WRITING, tag
from versus.tracking.sync import mirror_report, report_files, sweep, sync
from versus.workspace import Workspace


@pytest.fixture
def mirror(stored: Workspace) -> Mirror:
    to = destination.find(stored.root)
    return Mirror(store.open_store(to), to, stored, "here")


def runs(mirror: Mirror, experiment: str = "flowers") -> list[Run]:
    """Everything in an experiment that is not deleted, children aside."""
    return [run for run in every_run(mirror, experiment) if MLFLOW_PARENT_RUN_ID not in run.data.tags]


def every_run(mirror: Mirror, experiment: str = "flowers") -> list[Run]:
    found = mirror.client.get_experiment_by_name(experiment)
    return [] if found is None else mirror.client.search_runs([found.experiment_id], "", ViewType.ACTIVE_ONLY)


def children(mirror: Mirror, parent: str) -> dict[str, Run]:
    """The runs below a run, by name."""
    found = (run for run in every_run(mirror) if run.data.tags.get(MLFLOW_PARENT_RUN_ID) == parent)
    return {run.info.run_name: run for run in found}


def names(mirror: Mirror, run_id: str, folder: str | None = None) -> set[str]:
    return {Path(item.path).name for item in mirror.client.list_artifacts(run_id, folder)}


def read(mirror: Mirror, cell: str = CELL, confidence: float = 0.95) -> CellRecord:
    return record.read(mirror.workspace, a_cell(cell), confidence)


def elsewhere(mirror: Mirror) -> Mirror:
    """Another machine's mirror to the same store."""
    return Mirror(mirror.client, mirror.destination, mirror.workspace, "elsewhere")


def test_a_run_holds_all_that_the_cells_files_hold(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "brave-name")
    found = read(mirror)
    run = mirror.client.get_run(mirror.cell(found))
    assert run.info.run_name == "vae"
    assert run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (int(found.started * 1000), int(found.ended * 1000))
    assert run.data.params == found.params
    assert found.tags.items() <= run.data.tags.items()
    assert (run.data.tags["kind"], run.data.tags["dvc.experiment"]) == ("table", "brave-name")
    assert run.data.tags["interval.log_loss"] == found.intervals["log_loss"]
    for point in (*found.scores, *found.passing):
        assert run.data.metrics[point.key] == point.value
    groups = {key.split("/")[0] for key in run.data.metrics}
    assert groups == {"accuracy_score", "log_loss", "cost", "training"}  # neither intervals nor single repeats
    mean = mirror.client.get_metric_history(run.info.run_id, "training/validation_loss")
    assert {m.step: m.value for m in mean} == {p.step: p.value for p in found.mean_losses if "validation" in p.key}
    assert names(mirror, run.info.run_id) == {
        *("confusion.svg", "reliability.svg", "samples.csv", "scores.csv", "evaluation")
    }
    table = Path(mirror.client.download_artifacts(run.info.run_id, "scores.csv", str(tmp_path))).read_text()
    assert table.splitlines()[0] == "score,mean,low,high,repeat 0,repeat 1,repeat 2"
    files = {"scores.csv", "predictions.npy", "evaluation.json", "training_cost.json", "usage_cost.json"}
    assert files <= names(mirror, run.info.run_id, "evaluation")


def test_repeats_are_child_runs_whose_curves_have_the_same_names(mirror: Mirror) -> None:
    found = read(mirror)
    parent = mirror.cell(found)
    below = children(mirror, parent)
    assert sorted(below) == [f"repeat {repeat}" for repeat in range(REPEATS)]
    assert {run.info.status for run in below.values()} == {"FINISHED"}
    losses = ["training/train_loss", "training/validation_loss"]  # beside each other, the repeats in one chart
    assert all(sorted(run.data.metrics) == ["accuracy_score", "log_loss", *losses] for run in below.values())
    assert below["repeat 1"].data.params == {"repeat": "1", "random_state": "8"}
    assert not [run for run in below.values() if CURRENT in run.data.tags or "cell" in run.data.tags]
    points = {(r, p.key, p.step): p.value for r, fit in found.repeats.items() for p in fit.losses}
    assert mirror.shown(mirror.client.get_run(parent)) == points
    mean = mirror.client.get_run(parent).data.metrics["log_loss"]
    assert mean == pytest.approx(np.mean([run.data.metrics["log_loss"] for run in below.values()]))
    make_cell(mirror.workspace, "flowers-tree", steps=0)
    assert children(mirror, mirror.cell(read(mirror, "flowers-tree"))) == {}  # no curves, no children


def test_what_a_model_learned_goes_along(mirror: Mirror, tmp_path: Path) -> None:
    X, y, schema = sentences(20)
    steps = HiddenMarkovModel(schema=schema).fit(X, y).transitions()
    X, y, schema = documents(40)
    topics = LatentDirichletAllocation(n_components=2, max_iter=2, random_state=0, schema=schema).fit(X, y).topics()
    tree = ChowLiuTree().fit(np.random.default_rng(0).integers(0, 3, (60, 4)).astype(float), np.arange(60) % 2)
    folder = mirror.workspace.evaluation(CELL)
    about = json.loads((folder / "evaluation.json").read_text()) | {"topics": topics, "transitions": steps}
    (folder / "evaluation.json").write_text(json.dumps(about))
    (folder / "graphs.json").write_text(json.dumps({"graphs": [dataclasses.asdict(g) for g in tree.graphs()]}))
    run_id = mirror.cell(read(mirror))

    def content(name: str) -> str:
        return Path(mirror.client.download_artifacts(run_id, name, str(tmp_path))).read_text(encoding="utf-8")

    header, *rows = [line.split(",") for line in content("transitions.csv").splitlines()]
    assert header == ["from", *steps["to"]]
    assert [row[0] for row in rows] == steps["from"]
    np.testing.assert_array_equal([list(map(float, row[1:])) for row in rows], steps["values"])
    assert content("learned.txt").splitlines()[0].split()[1:] == topics[0]["words"]
    drawn = content("graph_0.svg")
    assert drawn.startswith("<svg")
    assert all(f">{name}<" in drawn for name in tree.graphs()[0].nodes)


def test_filters_fantasies_and_sampled_texts_go_along(mirror: Mirror, tmp_path: Path) -> None:
    """Of the rows and splits of the flowers, with bits and with texts for events."""
    from PIL import Image as Picture

    data = prepared.read(mirror.workspace.prepared("flowers"))
    bits = np.random.default_rng(0).integers(0, 2, (150, 4, 4), dtype=np.uint8)
    images = dataclasses.replace(data, X=bits, schema=Schema(Image((4, 4), 2), data.schema.y))
    machine = RestrictedBoltzmannMachine(n_components=3, epochs=1, schema=images.schema, random_state=0, device="cpu")
    machine.fit(bits, data.y)
    X, _, schema = documents(150)
    texts = dataclasses.replace(data, X=X, schema=Schema(schema.x, data.schema.y))
    chain = MarkovChainClassifier(order=1, schema=texts.schema).fit(X, data.y)
    drawn_images, drawn_texts = (m.sample(20, np.arange(20) % 3, random_state=0) for m in (machine, chain))
    for name, given, drawn in (("shapes", images, drawn_images), ("stories", texts, drawn_texts)):
        prepared.write(mirror.workspace.prepared(name), given)
        make_cell(mirror.workspace, f"{name}-vae")
        prepared.save_events(mirror.workspace.evaluation(f"{name}-vae"), "samples", drawn)
    np.save(mirror.workspace.evaluation("shapes-vae") / "filters.npy", machine.filters())
    told = [{"prompt": "once", "temperature": 0.5, "text": "upon"}]
    about = mirror.workspace.evaluation("stories-vae") / "evaluation.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"continuations": told}))
    shapes, stories = (mirror.cell(read(mirror, f"{name}-vae")) for name in ("shapes", "stories"))

    def file(run_id: str, name: str) -> Path:
        return Path(mirror.client.download_artifacts(run_id, name, str(tmp_path)))

    for name, rows in (("filters.png", 1), ("samples.png", 5)):
        picture = np.asarray(Picture.open(file(shapes, name)))
        assert picture.shape[0] >= 4 * rows
        assert picture.min() < picture.max()
    assert file(stories, "learned.txt").read_text() == "--- temperature 0.5\nonce|upon\n"
    header, *lines = file(stories, "samples.csv").read_text().splitlines()
    assert header.split(",")[-1] == "species"
    assert {word for line in lines for word in line.split(",")[-2].split()} <= set(schema.x.vocabulary)


def test_the_trials_of_a_tuning_are_child_runs(mirror: Mirror) -> None:
    header = "repeat,trial,loss,chosen,arguments,edges,failed"
    rows = [(0, 0, 0.5, 0, "{}", "{}", ""), (0, 1, 0.25, 1, '{"n_latent": 4}', '{"n_latent": "lower"}', "")]
    rows += [(1, 0, 0.75, 1, "{}", "{}", ""), (1, 1, "", 0, '{"n_latent": 4}', '{"n_latent": "lower"}', "diverged")]
    write_csv(mirror.workspace.evaluation(CELL) / "trials.csv", header, rows)
    parent = mirror.cell(read(mirror))
    assert mirror.cell(read(mirror)) == parent  # again, and nothing is added
    below = children(mirror, parent)
    assert (len(every_run(mirror)), len(below)) == (1 + REPEATS + 2, REPEATS + 2)
    default, other = below["trial 0"], below["trial 1"]
    assert below["repeat 0"].data.params == {"repeat": "0", "random_state": "7", "args.n_latent": "4"}  # as chosen
    assert (default.info.run_name, default.info.status, default.data.params) == ("trial 0", "FINISHED", {})
    assert default.data.metrics["validation_loss"] == 0.625
    assert (other.info.status, other.data.params) == ("FAILED", {"args.n_latent": "4"})
    assert (other.data.metrics["validation_loss"], other.data.metrics["chosen_in_repeats"]) == (0.25, 1)
    assert CURRENT not in other.data.tags  # the leaderboard lists cells alone
    mirror.delete(mirror.client.get_run(parent))
    assert every_run(mirror) == []


def test_the_data_set_is_an_input_with_its_hash_and_columns(mirror: Mirror) -> None:
    run = mirror.client.get_run(mirror.cell(read(mirror)))
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "flowers"
    assert '"colour"' in given.dataset.schema
    assert mlflow.data.get_source(given.dataset).uri == "data/prepared/flowers"
    path = mirror.workspace.prepared("flowers") / "contents.txt"
    path.write_text(path.read_text().replace("a", "b"))
    other = mirror.client.get_run(mirror.cell(read(mirror)))
    assert other.info.run_id != run.info.run_id
    assert other.inputs.dataset_inputs[0].dataset.digest != given.dataset.digest


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


def test_a_model_page_shows_what_the_model_is_and_how_good(mirror: Mirror) -> None:
    found = read(mirror)
    run = mirror.client.get_run(mirror.cell(found))
    (output,) = run.outputs.model_outputs
    model = mirror.client.get_logged_model(output.model_id)
    assert (model.name, model.model_type, str(model.status)) == ("vae", "deep generative", "READY")
    assert model.params == found.params
    assert model.source_run_id == run.info.run_id
    assert model.tags["path"] == f"models/{CELL}"
    shown = {m.key: (m.value, m.dataset_name, m.dataset_digest) for m in model.metrics}
    data = run.inputs.dataset_inputs[0].dataset
    assert shown["accuracy_score"] == (run.data.metrics["accuracy_score"], "flowers", data.digest)
    assert "cost/training_seconds" in shown
    assert not [key for key in shown if key.startswith("training/")]


def test_intervals_have_the_confidence_of_the_comparison(mirror: Mirror, tmp_path: Path) -> None:
    def width(confidence: float) -> float:
        run = mirror.client.get_run(mirror.cell(read(mirror, confidence=confidence)))
        words = run.data.tags["interval.log_loss"].split()
        assert words[3] == f"({confidence:.0%}".replace("%", "")
        rows = Path(mirror.client.download_artifacts(run.info.run_id, "scores.csv", str(tmp_path))).read_text()
        low, high = next(line.split(",")[2:4] for line in rows.splitlines() if line.startswith("log_loss"))
        assert (float(words[0]), float(words[2])) == pytest.approx((float(low), float(high)), abs=1e-3)
        return float(high) - float(low)

    assert 0 < width(0.6) < width(0.8)
    assert width(0.6) < width(0.8)  # back and forth: the last one counts
    assert len(runs(mirror)) == 1


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


def test_an_experiment_says_what_its_data_set_is(mirror: Mirror) -> None:
    mirror.dataset("flowers", {})
    assert mirror.client.get_experiment_by_name("flowers").tags["findings"] == "none"
    leak = findings.Finding("leak-target", "column 'a'", "it determines all", "It is late", "drop it")
    findings.write(mirror.workspace.prepared("flowers"), findings.Findings((leak,)))
    mirror.dataset("flowers", {})
    found = mirror.client.get_experiment_by_name("flowers")
    assert found.tags["findings"] == "leak-target"
    assert f"finding: {leak}" in found.tags["mlflow.note.content"]
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
    found = read(mirror)
    long = RepeatRecord({}, [], [point for step in range(2500) for point in losses_at(step, {"loss": float(step)})])
    many = {f"args.{i}": "x" * 7000 for i in range(150)}
    run_id = mirror.cell(dataclasses.replace(found, repeats={0: long}, params=many))
    run = mirror.client.get_run(run_id)
    assert len(mirror.shown(run)) == 2500
    assert len(run.data.params) == 150
    assert tag(run, FINGERPRINT) == found.fingerprint


def test_samples_of_images_become_a_sheet(tmp_path: Path) -> None:
    from PIL import Image as Picture

    schema = Schema(Image((8, 8), 17), Classes(("0", "1")))
    np.save(tmp_path / "samples.npy", np.full((10, 8, 8), 16, dtype=np.uint8) * (np.arange(10) % 2)[:, None, None])
    np.save(tmp_path / "sample_labels.npy", np.arange(10) % 2)
    np.savez(tmp_path / "pictures.npz", interpolations=np.full((2, 3, 8, 8), 16, dtype=np.uint8))
    about = {"cell": "digits-vae", "capabilities": ["sample"], "skipped": [], "n_test": 1, "repeats": 1}
    (tmp_path / "evaluation.json").write_text(json.dumps(about))
    drawings.draw(tmp_path, schema, tmp_path)
    sheet = np.asarray(Picture.open(tmp_path / "samples.png"))
    ways = np.asarray(Picture.open(tmp_path / "interpolations.png"))
    assert ways.shape == ((2 * 9 - 1) * 4, (3 * 9 - 1) * 4)
    # 10 samples, 4 in a row, 8 pixels and a line between, 6 screen pixels each
    assert sheet.shape == ((3 * 9 - 1) * 6, (4 * 9 - 1) * 6)
    assert sheet[20, 20] == 0  # class 0 comes first
    assert sheet[20 + 2 * 54, 20] == 255


def test_samples_of_tables_carry_the_original_names(stored: Workspace) -> None:
    schema = make_dataset(stored)
    drawings.draw(stored.evaluation(CELL), schema, stored.root)
    lines = (stored.root / "samples.csv").read_text().splitlines()
    assert lines[0] == "length,width,colour,species"
    assert lines[1].split(",")[2] in ("blue", "red")
    assert lines[1].split(",")[3] == "setosa"
