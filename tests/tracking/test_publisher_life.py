import signal
import threading
import time

import pytest
from mlflow import MlflowClient

from tests.tracking.conftest import CELL
from tests.tracking.processes import in_a_stage, publishers, runs, wait_for
from tests.tracking.workspaces import make_cell
from versus.tracking import client, destination, reach
from versus.tracking.run_log import COMPLETE, STATE, tag
from versus.workspace import Workspace


def test_a_stage_is_served_from_nothing_and_never_imports_mlflow(evaluated: Workspace) -> None:
    found = in_a_stage(
        evaluated,
        "import sys\n"
        "assert client.mirror_prepared(workspace, 'flowers').ok\n"
        f"assert client.mirror_cell(workspace, {CELL!r}).ok\n"
        "print(sorted({'mlflow', 'sqlalchemy', 'pandas', 'numpy'} & set(sys.modules)))",
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")
    assert [tag(r, STATE) for r in runs(evaluated)] == [COMPLETE]
    began = time.monotonic()
    in_a_stage(evaluated, f"assert client.mirror_cell(workspace, {CELL!r}).ok")
    assert time.monotonic() - began < 2.0  # the publisher is still there
    assert len(publishers(evaluated)) == 1


def test_stages_that_start_at_once_share_one_publisher_and_one_store(evaluated: Workspace) -> None:
    cells = [f"flowers-m{i}" for i in range(6)]
    for number, cell in enumerate(cells):
        make_cell(evaluated, cell, seed=number)
    code = "import sys\nassert client.mirror_cell(workspace, {!r}).ok"
    threads = [threading.Thread(target=in_a_stage, args=(evaluated, code.format(cell))) for cell in cells]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(publishers(evaluated)) == 1
    assert sorted(tag(r, "cell") for r in runs(evaluated)) == cells


def test_it_leaves_when_nobody_asks(stored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSUS_PUBLISHER_IDLE", "0.5")
    assert client.mirror_cell(stored, CELL).ok
    wait_for(lambda: not publishers(stored))
    assert not list(stored.private.glob("*.sock"))


def test_it_leaves_when_its_workspace_is_deleted(stored: Workspace) -> None:
    assert client.mirror_cell(stored, CELL).ok
    reach.address(stored).unlink()
    wait_for(lambda: not publishers(stored))


def test_a_store_that_was_deleted_is_made_anew(stored: Workspace) -> None:
    assert client.mirror_cell(stored, CELL).ok
    for path in stored.root.glob("mlflow.db*"):
        path.unlink()
    assert client.mirror_cell(stored, CELL).ok
    assert [tag(r, STATE) for r in runs(stored)] == [COMPLETE]


def test_a_publisher_killed_at_any_time_leaves_no_second_and_no_half_run(stored: Workspace) -> None:
    for attempt in range(5):
        make_cell(stored, CELL, seed=attempt % 2, steps=200)
        asking = threading.Thread(target=client.mirror_cell, args=(stored, CELL))
        asking.start()
        wait_for(lambda: publishers(stored))
        time.sleep(0.1 * attempt)
        for process in publishers(stored):
            process.send_signal(signal.SIGKILL)
        asking.join()  # asked again, of a new publisher
    for seed in (0, 1):
        make_cell(stored, CELL, seed=seed, steps=200)
        assert client.mirror_cell(stored, CELL).ok
    found = runs(stored)
    assert [tag(r, STATE) for r in found] == [COMPLETE] * 2
    assert len({tag(r, "versus.fingerprint") for r in found}) == 2
    for run in found:
        whole = MlflowClient(destination.find(stored.root).uri)
        assert len(whole.get_metric_history(run.info.run_id, "training/train_loss_repeat_2")) == 200
        assert {i.path for i in whole.list_artifacts(run.info.run_id)} >= {"evaluation"}


def test_a_broken_store_is_warned_of_and_keeps_the_stage_going(evaluated: Workspace) -> None:
    (evaluated.root / "mlflow.db").write_bytes(b"this is not a database" * 100)
    found = in_a_stage(evaluated, f"client.mirror_cell(workspace, {CELL!r})\nprint('done')")
    assert found.stdout == "done\n"
    assert found.stderr.startswith("warning: tracking: ")
    assert found.stderr.count("\n") == 1


def test_no_secret_reaches_the_log(stored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:c4nary-pass@127.0.0.1:9/")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "c4nary-token")
    outcome = client.mirror_cell(stored, CELL)
    assert not outcome.ok
    everything = outcome.reason + (stored.private / "publisher.log").read_text() + str(list(stored.private.iterdir()))
    assert "127.0.0.1" in everything
    assert "c4nary" not in everything
