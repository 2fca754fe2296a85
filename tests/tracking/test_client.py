"""What stages say to MLflow: in processes of their own, at the same time, killed, and over damaged stores."""

import os
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

from tests.tracking.processes import PROLOGUE, SOURCE, Stage, curve, in_a_stage, runs, wait_for
from tests.tracking.workspaces import CELL, a_cell, make_cell
from versus.settings import Comparison
from versus.tracking import client, destination
from versus.tracking.run_log import COMPLETE, STATE, tag
from versus.workspace import Workspace

MIRROR = "assert client.mirror_cell(workspace, a_cell({!r}), 0.95).ok"
SYNC = "assert client.sync(workspace, [a_cell(c) for c in {!r}], Comparison()).ok"


def test_an_evaluation_leaves_its_run_to_compare_where_mlflow_is_not_loaded(stored: Workspace) -> None:
    code = f"import sys\nprint(client.mirror_cell(workspace, a_cell({CELL!r}), 0.95))\nprint('mlflow' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": f"{SOURCE}{os.pathsep}{SOURCE.parent}", "VERSUS_MIRROR": "0"}
    command = [sys.executable, "-c", PROLOGUE + code]
    done = subprocess.run(command, cwd=stored.root, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout.splitlines()[1], done.stderr) == ("False", "")
    assert runs(stored) == []
    in_a_stage(stored, MIRROR.format(CELL), VERSUS_MIRROR="0")  # where it is loaded
    assert [tag(r, STATE) for r in runs(stored)] == [COMPLETE]


def test_stages_that_start_at_once_share_one_store_that_is_made_by_one(evaluated: Workspace) -> None:
    cells = [f"flowers-m{i}" for i in range(2)]
    for number, cell in enumerate(cells):
        make_cell(evaluated, cell, seed=number)
    stages = [Stage(evaluated, code) for code in (*map(MIRROR.format, cells), SYNC.format(cells))]
    assert [(stage.end(), stage.said("err")) for stage in stages] == [(0, "")] * 3
    assert sorted(tag(r, "cell") for r in runs(evaluated)) == cells
    assert {(tag(r, STATE), r.info.status) for r in runs(evaluated)} == {(COMPLETE, "FINISHED")}


def test_a_stage_killed_at_any_time_leaves_no_second_and_no_half_run(stored: Workspace) -> None:
    for attempt in range(5):
        make_cell(stored, CELL, seed=attempt % 2, steps=200)
        stage = Stage(stored, f"client.connect(workspace)\nprint('at it', flush=True)\n{MIRROR.format(CELL)}")
        wait_for(stage.said, 60)
        time.sleep(0.08 * attempt)
        stage.process.kill()
        stage.end()
    for seed in (0, 1):
        make_cell(stored, CELL, seed=seed, steps=200)
        assert client.mirror_cell(stored, a_cell(), 0.95).ok
    found = runs(stored)
    assert [(tag(r, STATE), r.info.status) for r in found] == [(COMPLETE, "FINISHED")] * 2
    assert len({tag(r, "versus.fingerprint") for r in found}) == 2
    for run in found:
        whole = MlflowClient(destination.find(stored.root).uri)
        assert len(curve(stored, run, repeat=2)) == 200
        assert {i.path for i in whole.list_artifacts(run.info.run_id)} >= {"evaluation"}


def test_a_store_that_was_deleted_is_made_anew(stored: Workspace) -> None:
    in_a_stage(stored, MIRROR.format(CELL))
    for path in stored.root.glob("mlflow.db*"):
        path.unlink()
    in_a_stage(stored, SYNC.format([CELL]))
    assert [tag(r, STATE) for r in runs(stored)] == [COMPLETE]


def test_what_cannot_be_mirrored_is_warned_of_in_one_line(
    stored: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (stored.evaluation(CELL) / "scores.csv").unlink()
    assert not client.mirror_cell(stored, a_cell(), 0.95).ok
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"warning: tracking: cell {CELL} is not in MLflow: FileNotFoundError")
    assert "versus sync" in error


def test_sync_tells_how_far_it_is(stored: Workspace) -> None:
    cells = [a_cell("flowers-sync_a"), a_cell("flowers-sync_b")]
    for number, cell in enumerate(cells):
        make_cell(stored, cell.name, seed=number)
    seen: list[tuple[str, int, int]] = []
    summary = client.sync(stored, cells, Comparison(), to_the_end=True, progress=lambda *at: seen.append(at))
    assert summary.mirrored == ["flowers-sync_a", "flowers-sync_b"]
    assert seen == [("flowers-sync_a", 1, 2), ("flowers-sync_b", 2, 2)]
    assert str(summary) == "2 cells logged to MLflow, 0 were there already"
    assert client.sync(stored, cells, Comparison()).already == summary.mirrored


def test_tracking_can_be_turned_off(stored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    assert not client.mirror_cell(stored, a_cell(), 0.95).ok
    assert not client.sync(stored, [a_cell()], Comparison()).ok
    with client.live(stored, a_cell()) as live:
        live.log(1, {"loss": 1.0})
    assert not stored.private.exists()


def test_a_broken_store_is_warned_of_and_keeps_the_stage_going(evaluated: Workspace) -> None:
    (evaluated.root / "mlflow.db").write_bytes(b"this is not a database" * 100)
    out, err = in_a_stage(evaluated, f"client.mirror_cell(workspace, a_cell({CELL!r}), 0.95)\nprint('done')")
    assert out == "done\n"
    assert err.startswith("warning: tracking: ")
    assert err.count("\n") == 1


def test_no_secret_is_said_or_kept(stored: Workspace) -> None:
    uri = "http://anna:c4nary-pass@127.0.0.1:9/"
    code = f"print(client.mirror_cell(workspace, a_cell({CELL!r}), 0.95))"
    out, err = in_a_stage(stored, code, MLFLOW_TRACKING_URI=uri, MLFLOW_TRACKING_TOKEN="c4nary-token")
    everything = out + err + "".join(p.read_text() for p in stored.private.iterdir())
    assert "127.0.0.1" in everything
    assert "c4nary" not in everything
