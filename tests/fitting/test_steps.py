import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from versus.fitting import steps as run
from versus.fitting.steps import run_steps
from versus.models.discriminative.perceptron import MLPClassifier

RNG = np.random.default_rng(1)
X = RNG.normal(size=(80, 4))
Y = (X[:, 0] > 0).astype(np.int64)
HELD_OUT = X[60:], Y[60:]


def model(**changes):
    return MLPClassifier(
        **({"hidden_layer_sizes": (8,), "epochs": 8, "patience": 3, "random_state": 0, "device": "cpu"} | changes)
    )


class KilledError(Exception):
    """Stands for a kill in the middle of a fit."""


def killed_after(epochs):
    def on_step(step):
        if step.step == epochs:
            raise KilledError

    return on_step


@pytest.fixture
def checkpoint_each_epoch(monkeypatch):
    monkeypatch.setattr(run, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(run, "CHECKPOINT_SHARE", 1e9)


def test_history_has_each_epoch_and_loss_and_short_fits_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "SECONDS_BETWEEN_CHECKPOINTS", 3600.0)  # short beside it, however busy the machine is
    seen = []
    history = run_steps(model(patience=None), X, Y, HELD_OUT, tmp_path / "fit", seen.append)
    assert [(e, n) for e, n, _ in history] == list(itertools.product(range(1, 9), ("train_loss", "validation_loss")))
    assert [s.step for s in seen] == list(range(1, 9))
    assert history[-1][2] == seen[-1].losses["validation_loss"]
    assert not (tmp_path / "fit").exists()


@pytest.mark.parametrize("killed_at", [2, 5, 8])
def test_a_killed_fit_goes_on_to_the_same_model_and_history(tmp_path, checkpoint_each_epoch, killed_at):
    whole, rest, path = model(patience=None), model(patience=None), tmp_path / "fit"
    history = run_steps(whole, X, Y, HELD_OUT)
    with pytest.raises(KilledError):
        run_steps(model(patience=None), X, Y, HELD_OUT, path, killed_after(killed_at))
    resumed = []
    assert run_steps(rest, X, Y, HELD_OUT, path, resumed.append) == history
    assert resumed[0].step == killed_at  # epochs up to the last checkpoint are not trained again
    assert np.array_equal(whole.predict_proba(X), rest.predict_proba(X))


SOURCE = str(Path(__file__).resolve().parents[2] / "src")
KILLED_AT = (1, 5, 6, 13, 22, 39)  # steps of an optimizer: at the start, in the middle and at the end of epochs
MADE = """
import numpy as np
from versus.models.deep_generative.gan import GAN
from versus.models.discriminative.perceptron import MLPClassifier

rng = np.random.default_rng(1)
X = rng.normal(size=(80, 4))
Y = (X[:, 0] > 0).astype(np.int64)
SMALL = {"hidden_layer_sizes": (8,), "epochs": 8, "batch_size": 16, "random_state": 0, "device": "cpu"}

def made(kind):
    if kind == "descent":
        return MLPClassifier(**SMALL, patience=None, ema_decay=0.9), (X, Y, (X[60:], Y[60:]))
    return GAN(**{**SMALL, "epochs": 4}, n_latent=2, critic_turns=1), (X, Y)
"""
# Children are forked before this process has computed a gradient, as torch asks.
DYING = (
    MADE
    + """
import os, signal, sys
from pathlib import Path
import torch._dynamo  # which each child would load for its optimizer
from versus.fitting import steps as run
from versus.training.updates import Update

run.SECONDS_BETWEEN_CHECKPOINTS, run.CHECKPOINT_SHARE = 0.0, 1e9
move, taken = Update._move, 0

for kind in ("descent", "adversarial"):
    for last in map(int, sys.argv[2:]):
        if child := os.fork():
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            continue

        def counted(self, optimizer):
            global taken
            taken += 1
            if taken > last:
                os.kill(os.getpid(), signal.SIGKILL)
            return move(self, optimizer)

        Update._move = counted
        model, rows = made(kind)
        run.run_steps(model, *rows, checkpoint=Path(sys.argv[1], f"{kind}-{last}"))
        os._exit(0)
"""
)


def test_a_kill_at_any_step_costs_no_more_than_its_epoch_and_no_bit(tmp_path):
    command = [sys.executable, "-c", DYING, str(tmp_path), *map(str, KILLED_AT)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": SOURCE}, check=True)
    names = {}
    exec(MADE, names)
    for kind, steps_an_epoch in (("descent", 5), ("adversarial", 10)):
        whole, rows = names["made"](kind)
        history = run_steps(whole, *rows)
        for last in KILLED_AT:
            rest, resumed = names["made"](kind)[0], []
            assert run_steps(rest, *rows, checkpoint=tmp_path / f"{kind}-{last}", on_step=resumed.append) == history
            # The last checkpoint is that of the last whole epoch.
            assert [step.step for step in resumed] == list(range(last // steps_an_epoch + 1, whole.epochs + 1))
            found, expected = rest.get_arrays(), whole.get_arrays()
            assert all(np.array_equal(found[name], expected[name]) for name in expected), (kind, last)


@pytest.mark.parametrize("changes", [{"learning_rate": 0.5}, {"hidden_layer_sizes": (9,)}, {"random_state": 1}])
def test_a_checkpoint_of_other_arguments_is_not_gone_on_from(tmp_path, checkpoint_each_epoch, changes):
    with pytest.raises(KilledError):
        run_steps(model(), X, Y, HELD_OUT, tmp_path / "fit", killed_after(3))
    with pytest.warns(UserWarning, match="starts from the first epoch"):
        history = run_steps(model(**changes), X, Y, HELD_OUT, tmp_path / "fit")
    assert history == run_steps(model(**changes), X, Y, HELD_OUT)


def test_a_checkpoint_that_is_slow_to_write_is_written_less_often(tmp_path, monkeypatch):
    clock, written = [0.0], []
    monkeypatch.setattr(run.time, "monotonic", lambda: clock[0])

    def slow_write(path, checkpoint):
        written.append(clock[0])
        clock[0] += 10.0

    monkeypatch.setattr(run.checkpoints, "write", slow_write)

    def minute(step):
        clock[0] += 60.0

    run_steps(model(patience=None), X, Y, None, tmp_path / "fit", minute)
    assert written == [60.0, 60.0 + 10 + 240]  # a share of 1/20 is 200 s after a write of 10 s


def test_nothing_is_drawn_where_there_is_no_terminal(capfd):
    run_steps(model(epochs=1), X, Y)
    assert capfd.readouterr() == ("", "")


def everything_from(leader):
    """What was written to a terminal that is closed by now; the system hands it out piece by piece."""
    pieces = []
    try:
        while piece := os.read(leader, 100_000):
            pieces.append(piece)
    except OSError:  # Linux's way to say that nothing is left
        pass
    os.close(leader)
    return b"".join(pieces).decode()


def test_a_terminal_gets_a_bar_with_the_loss(monkeypatch):
    import pty

    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        run_steps(model(patience=None), X, Y, HELD_OUT, title="moons-mlp 1/5")
    shown = everything_from(leader)
    assert "moons-mlp 1/5" in shown
    assert "train_loss" in shown
    assert "validation_loss" in shown
