"""What the runs of cells, and their experiments, hold."""

import dataclasses
import json
from pathlib import Path

import mlflow
import numpy as np
import pytest

from tests.models.small_text import documents, sentences
from tests.tracking.workspaces import (
    CELL,
    REPEATS,
    children,
    every_run,
    make_cell,
    make_dataset,
    names,
    read,
    runs,
    write_csv,
)
from versus.data import findings, prepared
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.models.classical_generative.bayesian_network import ChowLiuTree
from versus.models.classical_generative.hidden_markov import HiddenMarkovModel
from versus.models.classical_generative.markov_chain import MarkovChainClassifier
from versus.models.classical_generative.restricted_boltzmann import RestrictedBoltzmannMachine
from versus.models.classical_generative.topics import LatentDirichletAllocation
from versus.tracking import drawings
from versus.tracking.mirror import Mirror
from versus.tracking.record import RepeatRecord, losses_at
from versus.tracking.run_log import CURRENT, FINGERPRINT, tag
from versus.workspace import Workspace


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
