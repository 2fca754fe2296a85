import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from versus.training.kept_weights import MovingAverage
from versus.training.loop import Training
from versus.training.updates import Descent

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + RNG.normal(size=(48, 1))).astype(np.float32)


def squared_error(network, batch, generator, progress):
    return {"loss": functional.mse_loss(network(batch[0]), batch[1])}


def training(net, **changes):
    arguments = {"epochs": 5, "batch_size": 16, "random_state": 3, "device": "cpu", "ema_decay": 0.9} | changes
    validation = arguments.pop("validation", None)
    return Training(Descent(net, squared_error, learning_rate=0.05), (X, Y), validation, **arguments)


def linear(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(3, 1)


def test_the_average_is_the_recursion_of_its_formula():
    net = linear()
    average = MovingAverage(net, 0.5)
    expected = net.weight.detach().numpy().astype(float)
    for step in range(20):
        with torch.no_grad():
            net.weight.add_(torch.randn(1, 3))
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * net.weight.detach().numpy()
        average.follow(step)
    np.testing.assert_allclose(average.arrays()["weight"], expected, rtol=1e-5)


def test_weights_are_lent_and_given_back():
    net = linear()
    average = MovingAverage(net, 0.9)
    with torch.no_grad():
        net.weight.fill_(7.0)
    kept = average.arrays()["weight"]
    with average.lent():
        np.testing.assert_array_equal(net.weight.detach().numpy(), kept)
    assert (net.weight == 7.0).all()


def test_training_is_the_same_and_ends_with_the_average():
    plain, averaged = linear(), linear()
    run = training(averaged)
    with_losses = [step.losses for step in run.steps()]
    assert with_losses == [step.losses for step in training(plain, ema_decay=None).steps()]
    # After the last step the loop has put the average in, and holds the weights that were trained.
    np.testing.assert_array_equal(run.average.arrays()["weight"], plain.weight.detach().numpy())
    assert not torch.equal(averaged.weight, plain.weight)


@pytest.mark.parametrize("validation", [None, (X[:9], Y[:9])])
def test_resuming_ends_with_the_same_average(validation):
    whole, half, rest = linear(), linear(), linear(seed=1)
    list(training(whole, validation=validation).steps())
    state = list(itertools.islice(training(half, validation=validation).steps(), 3))[-1].state()
    list(training(rest, validation=validation).steps(state))
    assert torch.equal(whole.weight, rest.weight)


def test_the_average_is_what_is_validated_and_kept():
    net, seen = linear(), []
    run = training(net, validation=(X[:9], Y[:9]), epochs=30)
    for step in run.steps():
        with run.average.lent(), torch.no_grad():
            loss = functional.mse_loss(net(torch.from_numpy(X[:9])), torch.from_numpy(Y[:9]))
            seen.append((float(loss), net.weight.clone()))
        assert step.losses["validation_loss"] == pytest.approx(seen[-1][0], rel=1e-6)
    assert torch.equal(net.weight, min(seen, key=lambda pair: pair[0])[1])


def test_a_decay_outside_of_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"ema_decay=1\.0"):
        training(linear(), ema_decay=1.0)


def test_the_average_of_another_network_is_refused_by_name():
    average = MovingAverage(nn.Linear(3, 1), 0.9)
    with pytest.raises(ValueError, match=r"average 'weight' have shape \(1, 2\), wanted \(1, 3\)"):
        average.load(MovingAverage(nn.Linear(2, 1), 0.9).arrays())
