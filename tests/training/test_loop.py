import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from versus.training.devices import PRECISIONS
from versus.training.divergence import TrainingDiverged
from versus.training.loop import Training, scheduled_learning_rate
from versus.training.updates import Descent

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype(np.float32)
HELD_OUT = RNG.normal(size=(20, 3)).astype(np.float32), RNG.normal(size=(20, 1)).astype(np.float32)


def squared_error(network, batch, generator, progress):
    x, y = batch
    # noise, so that the generator's part in a resume is tested too
    x = x + 0.1 * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return {"loss": functional.mse_loss(network(x), y)}


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))


def training(net, **changes):
    arguments = {"epochs": 6, "batch_size": 16, "learning_rate": 0.01, "random_state": 3, "device": "cpu"} | changes
    data, validation = arguments.pop("data", (X, Y)), arguments.pop("validation", None)
    of_update = {n: arguments.pop(n) for n in ("learning_rate", "max_gradient_norm") if n in arguments}
    return Training(Descent(net, arguments.pop("objective", squared_error), **of_update), data, validation, **arguments)


def weights(net):
    return [p.detach().numpy().copy() for p in net.parameters()]


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def test_a_linear_map_is_found():
    net = nn.Linear(3, 1)

    def exact(network, batch, generator, progress):
        return {"loss": functional.mse_loss(network(batch[0]), batch[1])}

    steps = list(training(net, epochs=100, learning_rate=0.05, objective=exact).steps())
    assert steps[-1].losses["train_loss"] < 1e-4 < 0.1 < steps[0].losses["train_loss"]
    np.testing.assert_allclose(net.weight.detach().numpy(), [[1.0, -2.0, 0.5]], atol=0.01)
    assert [s.step for s in steps] == list(range(1, 101))


def test_same_seed_same_bits_whatever_the_global_generator_did_and_another_seed_other_bits():
    first, again, other = network(), network(), network()
    list(training(first).steps())
    torch.manual_seed(99)
    list(training(again).steps())
    list(training(other, random_state=4).steps())
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


def test_the_global_generator_is_given_back():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    net = nn.Linear(3, 1)  # draws from the global generator, so it is seeded again below
    torch.manual_seed(5)
    list(training(net).steps())
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("stop_after", [1, 3, 5])
@pytest.mark.parametrize("validation", [None, HELD_OUT])
def test_resuming_ends_with_the_same_bits(stop_after, validation):
    whole, half, rest = network(), network(), network(seed=1)
    losses = [s.losses for s in training(whole, validation=validation).steps()]
    state = list(itertools.islice(training(half, validation=validation).steps(), stop_after))[-1].state()
    resumed = [s.losses for s in training(rest, validation=validation).steps(state)]
    assert resumed == losses[stop_after:]
    assert same(weights(whole), weights(rest))


def test_resuming_without_a_seed_goes_on_with_the_one_that_was_drawn():
    whole, rest = network(), network(seed=1)
    states = [s.state() for s in training(whole, random_state=None).steps()]
    list(training(rest, random_state=None).steps(states[2]))
    assert same(weights(whole), weights(rest))


def test_early_stopping_keeps_the_best_epoch_and_a_resume_keeps_what_it_remembers():
    memorised = (X[:4], Y[:4] + 3)  # what helps on the training rows soon hurts here
    whole = network()
    run = training(whole, epochs=200, patience=4, learning_rate=0.05, validation=memorised)
    states, losses, seen = [], [], []
    for step in run.steps():
        states.append(step.state())
        losses.append(step.losses["validation_loss"])
        seen.append(weights(whole))
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 4 < 200
    assert same(weights(whole), seen[best])
    for state in states[best:]:
        rest = network(seed=1)
        list(training(rest, epochs=200, patience=4, learning_rate=0.05, validation=memorised).steps(state))
        assert same(weights(whole), weights(rest))


def test_unjudged_epochs_are_never_the_best():
    net = network()
    run = training(net, epochs=60, learning_rate=0.05, unjudged_epochs=30, validation=(X[:4], Y[:4] + 3))
    losses = [s.losses["validation_loss"] for s in run.steps()]
    assert run.stopping.best_epoch == 31 + int(np.argmin(losses[30:]))
    assert np.argmin(losses) < 30  # or the test would show nothing


def test_no_held_out_rows_train_all_epochs():
    net = network()
    assert len(list(training(net, patience=1, validation=(X[:0], Y[:0])).steps())) == 6


@pytest.mark.parametrize("validation", [None, HELD_OUT])
def test_an_absurd_learning_rate_stops_with_advice(validation):
    with pytest.raises(TrainingDiverged, match=r"epoch \d+.*learning_rate than 1e\+30"):
        list(training(network(), learning_rate=1e30, epochs=50, validation=validation).steps())


def test_a_nan_in_the_data_stops_in_the_first_epoch():
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(TrainingDiverged, match=r"diverged in epoch 1: the training loss .*loss nan"):
        list(training(network(), data=(bad, Y)).steps())


def test_an_infinite_gradient_under_a_finite_loss_is_noticed():
    def steep(network, batch, generator, progress):
        return {"loss": torch.sqrt((network(batch[0]) * 0.0).sum())}  # 0, with slope 0 · inf

    with pytest.raises(TrainingDiverged):
        list(training(network(), objective=steep, epochs=1).steps())


def test_a_loss_that_explodes_stops_though_it_is_finite():
    seen = []

    def exploding(network, batch, generator, progress):
        seen.append(progress)
        return {"loss": (network(batch[0]) ** 2).mean() * 0 + (1.0 if len(seen) < 4 else 1e7)}

    with pytest.raises(TrainingDiverged, match=r"epoch 4: loss is 1e\+07, after 1 in the first epoch.*than 0\.01"):
        list(training(network(), objective=exploding, batch_size=60).steps())


def test_gradients_are_clipped_to_their_norm():
    net = nn.Linear(3, 1, bias=False)

    def steep(network, batch, generator, progress):
        return {"loss": 1e4 * functional.mse_loss(network(batch[0]), batch[1])}

    list(training(net, max_gradient_norm=0.5, objective=steep, epochs=1, batch_size=60).steps())
    assert torch.linalg.vector_norm(net.weight.grad) == pytest.approx(0.5, rel=1e-4)


def test_schedule_rises_then_falls_to_nothing():
    rates = [scheduled_learning_rate(2.0, t, 1000) for t in range(1000)]
    assert rates[0] == pytest.approx(2.0 / 20, rel=1e-6)
    assert max(rates) == pytest.approx(2.0, rel=2e-3)
    assert rates[500] == pytest.approx(1.0)
    assert all(a > b for a, b in itertools.pairwise(rates[25:]))
    assert 0 < rates[-1] < 1e-4
    assert scheduled_learning_rate(2.0, 0, 1) == 2.0  # a single step is not wasted on warming up


def test_each_phase_has_the_whole_schedule_by_its_own_factor():
    """Parts of a network that are trained one after the other each begin with a high rate."""
    run, rates = training(network(), epochs=10, batch_size=1), []
    run.update.phases = {0.25: 1.0, 0.6: 0.1}

    def noted(*given, step=run.update.step):
        rates.append(run.update.optimizers[0].param_groups[0]["lr"])
        return step(*given)

    run.update.step = noted
    list(run.steps())
    expected = [
        scheduled_learning_rate(base, t, n) for base, n in ((0.01, 150), (0.01, 210), (0.001, 240)) for t in range(n)
    ]
    np.testing.assert_allclose(rates, expected)


def test_state_of_another_network_is_refused_by_name():
    state = next(training(network()).steps()).state()
    wider = nn.Sequential(nn.Linear(3, 9), nn.ReLU(), nn.Dropout(0.2), nn.Linear(9, 1))
    with pytest.raises(ValueError, match=r"'0\.bias' have shape \(8,\), wanted \(9,\)"):
        list(training(wider).steps(state))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": 0.0}, "learning_rate=0.0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"patience": 0}, "patience=0"),
        ({"random_state": -1}, "random_state=-1"),
        ({"device": "gpu"}, "device='gpu'; accepted are 'auto'"),
        ({"precision": "16-mixed"}, "precision='16-mixed'; accepted are 'auto'"),
    ],
)
def test_arguments_out_of_range_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        training(network(), **changes)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_that_params_accept_trains(precision):
    net = nn.Linear(3, 1)
    steps = list(training(net, precision=precision, epochs=20, learning_rate=0.1).steps())
    assert steps[-1].losses["train_loss"] < 0.2 < 1.0 < steps[0].losses["train_loss"]
    assert {p.dtype for p in net.parameters()} == {torch.float64 if precision == "64-true" else torch.float32}


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_on_cuda_the_same_map_is_found(precision, device):
    net = nn.Linear(3, 1)

    def exact(network, batch, generator, progress):
        return {"loss": functional.mse_loss(network(batch[0]), batch[1])}

    run = training(net, epochs=100, learning_rate=0.05, device=device, precision=precision, objective=exact)
    list(run.steps())
    assert next(net.parameters()).device.type == device
    np.testing.assert_allclose(net.weight.detach().cpu().numpy(), [[1.0, -2.0, 0.5]], atol=0.05)
