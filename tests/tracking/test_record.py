import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.tracking.workspaces import CELL, REPEATS, a_cell, make_cell, make_costs, make_failed
from versus.models.deep_generative.vae import VAE
from versus.report import results
from versus.settings import Comparison
from versus.tracking import record
from versus.workspace import Workspace


def test_every_score_is_there_as_mean_interval_and_repeats(evaluated: Workspace) -> None:
    found = record.read(evaluated, a_cell())
    values = {p.key: p.value for p in found.scores}
    header, *rows = found.score_table
    assert header == ("score", "mean", "low", "high", "repeat 0", "repeat 1", "repeat 2")
    assert set(values) == {"accuracy_score", "log_loss"} == {row[0] for row in rows}
    for name, mean, low, high, *repeats in rows:
        assert low < mean < high
        assert values[name] == mean == pytest.approx(np.mean(repeats), rel=1e-15)
        assert [p.value for fit in found.repeats.values() for p in fit.scores if p.key == name] == repeats
    assert found.intervals["accuracy_score"].endswith("%)")


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_intervals_are_those_of_the_report(evaluated: Workspace, confidence: float) -> None:
    found = {row[0]: row[2:4] for row in record.read(evaluated, a_cell(), confidence).score_table}
    (dataset,) = results.read(evaluated, [a_cell()], comparison=Comparison(confidence=confidence)).datasets
    for metric, scores in dataset.evaluations[0].scores.items():
        ends = found[metric]
        assert ends == dataset.interval(dataset.evaluations[0], metric)
        assert ends[0] < scores.mean() < ends[1]


def test_one_repeat_has_no_interval(evaluated: Workspace) -> None:
    path = evaluated.evaluation(CELL) / "scores.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if line[0] in "r0") + "\n")
    found = record.read(evaluated, a_cell())
    assert found.intervals == {}
    assert {row[2:4] for row in found.score_table[1:]} == {("", "")}


def test_params_curves_costs_and_tags_are_those_of_the_files(evaluated: Workspace) -> None:
    found = record.read(evaluated, a_cell())
    assert found.params["args.hidden_layer_sizes"] == "[32, 32]"
    assert found.params["args.likelihood"] == "gaussian"
    assert (found.params["data"], found.params["module"], found.params["class"]) == ("flowers", "vae", "VAE")
    assert found.params["args.batch_size"] == json.dumps(VAE.batch_size)  # by default
    assert (found.params["seed"], found.repeats[2].params["random_state"]) == ("7", "9")
    assert sum(len(fit.losses) for fit in found.repeats.values()) == REPEATS * 20 * 2
    last = [p.value for fit in found.repeats.values() for p in fit.losses if p.step == 20 and "train_loss" in p.key]
    (mean,) = [p.value for p in found.mean_losses if p.step == 20 and "train_loss" in p.key]
    assert mean == pytest.approx(sum(last) / REPEATS)
    costs = {p.key: p.value for p in found.passing}
    assert costs["cost/training_seconds"] == 1.0
    assert costs["cost/training_peak_rss_bytes"] == 2e8
    assert costs["cost/latency_ms_1_p95"] == 0.7
    assert found.tags["dvc_stage"] == "evaluate_deep_generative@flowers-vae"
    assert found.tags["family"] == "deep generative"  # as on the page
    assert found.ended - found.started == pytest.approx(REPEATS * 1.0, abs=1e-3)
    assert "cost/training_energy_wh" not in costs
    path = evaluated.training_cost(CELL)
    path.write_text(path.read_text().replace('"device"', '"energy_wh": 0.5, "energy_by": "RAPL", "device"'))
    measured = record.read(evaluated, a_cell())
    assert ("cost/training_energy_wh", 0.5) in {(p.key, p.value) for p in measured.passing}
    assert measured.tags["energy_by"] == "RAPL"


def test_a_cell_that_failed_has_its_reason_and_no_scores(workspace: Workspace) -> None:
    make_failed(workspace)
    found = record.read(workspace, a_cell())
    assert found.failed == found.tags["failed.reason"] == "FloatingPointError: loss is nan"
    assert found.tags["failed.where"] == "training"
    assert (found.scores, found.repeats, found.passing) == ([], {}, [])
    make_failed(workspace, reason="another")
    assert record.read(workspace, a_cell()).fingerprint != found.fingerprint


def test_the_fingerprint_follows_results_and_data_but_not_costs_or_time(evaluated: Workspace) -> None:
    before = record.read(evaluated, a_cell())
    assert record.fingerprint(evaluated, a_cell()) == before.fingerprint
    assert record.read(evaluated, a_cell(), confidence=0.5).fingerprint == before.fingerprint
    make_costs(evaluated, CELL, seed=5)
    slower = record.read(evaluated, a_cell())
    assert slower.fingerprint == before.fingerprint
    assert slower.passing_fingerprint != before.passing_fingerprint

    folder = evaluated.evaluation(CELL)
    restored = folder.with_name("restored")
    shutil.copytree(folder, restored)  # as DVC's cache gives files back: other times, other inodes
    shutil.rmtree(folder)
    restored.rename(folder)
    assert record.read(evaluated, a_cell()).fingerprint == before.fingerprint

    for path in (folder / "scores.csv", folder / "predictions.npy", evaluated.prepared("flowers") / "contents.txt"):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + b"7")
        assert record.read(evaluated, a_cell()).fingerprint != before.fingerprint, path.name
        path.write_bytes(content)
    assert record.read(evaluated, a_cell()).fingerprint == before.fingerprint


def test_the_fingerprint_does_not_depend_on_where_the_workspace_lies(evaluated: Workspace, tmp_path: Path) -> None:
    elsewhere = Workspace(tmp_path / "clone")
    shutil.copytree(evaluated.root / "reports", elsewhere.root / "reports")
    shutil.copytree(evaluated.root / "data", elsewhere.root / "data")
    assert record.read(elsewhere, a_cell()).fingerprint == record.read(evaluated, a_cell()).fingerprint


def test_a_cell_without_evaluation_or_with_a_damaged_one_is_named(workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError, match="flowers-vae"):
        record.read(workspace, a_cell())
    make_cell(workspace, CELL)
    (workspace.evaluation(CELL) / "evaluation.json").write_text('{"cell": ')
    with pytest.raises(ValueError, match=r"evaluation.json is not JSON"):
        record.read(workspace, a_cell())
    (workspace.evaluation(CELL) / "evaluation.json").write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="needs an object"):
        record.read(workspace, a_cell())
