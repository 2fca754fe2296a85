import numpy as np
import pytest
import torch
from torch import nn

from versus.training.adversarial_losses import Hinge, LeastSquares, Wasserstein, named, with_spectral_norm

NOISE = torch.Generator().manual_seed(0)
REAL, FAKE = torch.randn(2, 5, 3, dtype=torch.float64, generator=NOISE)


def difference(loss, critic, real, fake):
    """What the penalty adds to the loss."""
    penalised = loss.critic(critic, (real,), (fake,), NOISE)
    return penalised - type(loss)(0.0).critic(critic, (real,), (fake,), NOISE)


def test_wasserstein_losses_are_mean_scores():
    loss, critic = Wasserstein(0.0), nn.Linear(3, 1).double()
    real, fake = (critic(events).mean() for events in (REAL, FAKE))
    torch.testing.assert_close(loss.critic(critic, (REAL,), (FAKE,), NOISE), fake - real)
    torch.testing.assert_close(loss.generator(critic, (FAKE,)), -fake)


def test_the_penalty_of_a_linear_critic_is_its_slopes_distance_from_one():
    critic = nn.Linear(3, 1).double()
    penalty = difference(Wasserstein(10.0), critic, REAL, FAKE)
    w = critic.weight.detach()
    torch.testing.assert_close(penalty.detach(), 10 * (w.norm() - 1) ** 2)
    (gradient,) = torch.autograd.grad(penalty, critic.weight)
    torch.testing.assert_close(gradient, 20 * (w.norm() - 1) * w / w.norm())


def test_the_penalty_is_taken_between_real_and_drawn_events():
    def bowl(x):
        return x.square().sum(dim=1)  # slope 2 ‖x‖

    same = difference(Wasserstein(1.0), bowl, REAL, REAL)
    torch.testing.assert_close(same, (2 * REAL.norm(dim=1) - 1).square().mean())
    places = torch.stack([difference(Wasserstein(1.0), bowl, REAL[:1], 3 * REAL[:1]) for _ in range(200)])
    low, high = ((2 * scale * REAL[0].norm() - 1) ** 2 for scale in (1.0, 3.0))
    assert low <= places.min() < places.max() <= high
    assert places.max() - places.min() > 0.8 * (high - low)


def test_hinge_gives_no_gradient_beyond_the_margins():
    scores = torch.tensor([[-2.0], [0.5], [2.0]], requires_grad=True)
    (of_real,) = torch.autograd.grad(Hinge().critic(nn.Identity(), (scores,), (scores.detach(),), NOISE), scores)
    np.testing.assert_allclose(of_real.ravel() * 3, [-1, -1, 0])
    fake = scores.detach().clone().requires_grad_()
    (of_fake,) = torch.autograd.grad(Hinge().critic(nn.Identity(), (scores.detach(),), (fake,), NOISE), fake)
    np.testing.assert_allclose(of_fake.ravel() * 3, [0, 1, 1])
    (move,) = torch.autograd.grad(Hinge().generator(nn.Identity(), (fake,)), fake)
    np.testing.assert_allclose(move.ravel() * 3, [-1, -1, -1])
    critic = nn.Linear(3, 1).double()
    slope = critic.weight.detach().square().sum()
    torch.testing.assert_close(difference(Hinge(4.0), critic, REAL.clone(), FAKE).detach(), 2.0 * slope)


def test_least_squares_are_distances_from_one_and_zero():
    loss, critic = LeastSquares(), nn.Linear(3, 1).double()
    real, fake = critic(REAL), critic(FAKE)
    expected = (real - 1).square().mean() / 2 + fake.square().mean() / 2
    torch.testing.assert_close(loss.critic(critic, (REAL,), (FAKE,), NOISE), expected)
    torch.testing.assert_close(loss.generator(critic, (FAKE,)), (fake - 1).square().mean() / 2)
    slope = critic.weight.detach().square().sum()
    torch.testing.assert_close(difference(LeastSquares(4.0), critic, REAL.clone(), FAKE).detach(), 2.0 * slope)


def test_each_loss_has_its_own_weight_of_the_penalty():
    assert [named(loss, None).penalty for loss in ("non_saturating", "wasserstein", "hinge")] == [0.1, 10.0, 0.0]
    assert named("hinge", 3.0).penalty == 3.0
    with pytest.raises(ValueError, match=r"penalty=-1\.0"):
        named("wasserstein", -1.0)


def test_the_largest_singular_value_is_one_after_power_iterations():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 5, 3), nn.Flatten(), nn.Linear(20, 7), nn.ReLU(), nn.Linear(7, 1))
    for layer in (network[0], network[2], network[4]):
        nn.init.normal_(layer.weight, std=3.0)
    with_spectral_norm(network)
    for _ in range(100):
        network(torch.zeros(1, 2, 4, 4))
    for layer in (network[0], network[2], network[4]):
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1.0, abs=1e-3)
