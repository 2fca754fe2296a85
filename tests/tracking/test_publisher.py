import time

import pytest
from mlflow import MlflowClient

from tests.tracking.processes import publishers, runs, wait_for
from tests.tracking.workspaces import history, make_cell, make_costs
from versus.tracking import channel, client, destination, reach
from versus.tracking.run_log import STATE, TRAINING, tag
from versus.workspace import Workspace


def test_a_publisher_that_hangs_costs_a_stage_less_than_ten_seconds(
    served: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = "flowers-hanging"
    make_cell(served, cell)
    assert client.mirror_cell(served, cell).ok
    (process,) = publishers(served)
    process.suspend()
    make_cell(served, cell, seed=1)
    monkeypatch.delenv("VERSUS_TRACKING_PATIENCE")
    monkeypatch.setattr(client, "_waited", 0.0)
    began = time.monotonic()
    outcomes = [client.mirror_cell(served, cell), client.mirror_report(served)]
    assert not any(outcome.ok for outcome in outcomes)
    assert time.monotonic() - began < 10.0
    process.resume()
    wait_for(lambda: len(runs(served, cell)) == 2)  # what was asked is done when it goes on


def test_what_cannot_be_mirrored_is_warned_of_in_one_line(
    served: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    make_cell(served, "flowers-partial")
    (served.evaluation("flowers-partial") / "scores.csv").unlink()
    outcome = client.mirror_cell(served, "flowers-partial")
    assert not outcome.ok
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("warning: tracking: cell flowers-partial is not in MLflow: FileNotFoundError")
    assert "make sync" in error


def test_sync_tells_how_far_it_is(served: Workspace) -> None:
    cells = ["flowers-sync_a", "flowers-sync_b"]
    for number, cell in enumerate(cells):
        make_cell(served, cell, seed=number)
    seen: list[tuple[str, int, int]] = []
    summary = client.sync(served, cells, to_the_end=True, progress=lambda *at: seen.append(at))
    assert summary.mirrored == tuple(cells)
    assert seen == [(cells[0], 1, 2), (cells[1], 2, 2)]
    assert str(summary) == "2 cells logged to MLflow, 0 were there already"
    assert client.sync(served, cells).already == tuple(cells)


def test_a_fit_appears_while_it_goes_on(served: Workspace) -> None:
    cell = "flowers-live"
    make_cell(served, cell)
    losses = [(step, {"train_loss": float(value)}) for r, step, name, value in history(20) if r == 0 and "tr" in name]
    with client.live(served, cell) as live:
        for step, values in losses[:10]:
            live.log(step, values)
            live._next = min(live._next, time.monotonic() + 0.05)
            time.sleep(0.1)
        wait_for(lambda: runs(served, cell) and runs(served, cell)[0].data.metrics)
        (run,) = runs(served, cell)
        assert (tag(run, STATE), run.info.status) == (TRAINING, "RUNNING")
        for step, values in losses[10:]:
            live.log(step, values)
    assert client.mirror_cell(served, cell).run_id == run.info.run_id
    history_of = MlflowClient(destination.find(served.root).uri).get_metric_history
    assert len(history_of(run.info.run_id, "training/train_loss_repeat_0")) == 20


def test_logging_a_step_never_waits(served: Workspace) -> None:
    with client.live(served, "flowers-fast") as live:
        longest = 0.0
        for step in range(2000):
            began = time.monotonic()
            live.log(step, {"loss": 1.0})
            longest = max(longest, time.monotonic() - began)
    assert longest < 0.5


def test_strangers_on_the_socket_do_not_harm(served: Workspace) -> None:
    cell = "flowers-strangers"
    make_cell(served, cell)
    assert client.mirror_cell(served, cell).ok
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"do": "unknown"}\n', b'{"do": "cell"}\n', b"{}\n", b""):
        line = channel.connect(reach.address(served))
        line._connection.sendall(garbage)
        line.close()
    make_costs(served, cell, seed=2)
    assert client.mirror_cell(served, cell).ok
    assert len(publishers(served)) == 1


def test_tracking_can_be_turned_off(stored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    assert not client.mirror_cell(stored, "flowers-vae").ok
    assert not client.sync(stored).ok
    with client.live(stored, "flowers-vae") as live:
        live.log(1, {"loss": 1.0})
    assert not stored.private.exists()
