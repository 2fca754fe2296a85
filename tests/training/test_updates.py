import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from versus.training.adversarial_losses import NonSaturating
from versus.training.divergence import TROUBLED_EPOCHS, TrainingCollapsed
from versus.training.loop import Training
from versus.training.updates import Adversarial, Descent

REAL = np.zeros((1, 1), dtype=np.float32)
NOISE = torch.Generator().manual_seed(0)


class Point(nn.Module):
    """A generator that draws one point, whatever the noise."""

    def __init__(self, place: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor(place))

    def forward(self, noise: Tensor) -> Tensor:
        return self.place.expand(len(noise), 1)


def dirac_game(penalty: float = 0.0, **changes) -> tuple[nn.Module, Training]:
    """Real events are all 0, the critic is linear: the smallest game there is (Mescheder et al., 2018, section 2)."""
    critic = nn.Linear(1, 1, bias=False)
    nn.init.ones_(critic.weight)
    network = nn.ModuleDict({"generator": Point(1.0), "critic": critic})

    def show(generator, batch, noise):
        return batch, (generator(batch[0]),)

    arguments = {"learning_rate": 0.05, "betas": (0.0, 0.9)} | changes
    epochs = arguments.pop("epochs", 200)
    update = Adversarial(network, show, NonSaturating(penalty), **arguments)
    return network, Training(update, (REAL,), epochs=epochs, batch_size=1, random_state=0, device="cpu")


def test_losses_of_a_critic_that_knows_nothing_are_those_of_a_coin():
    loss, events = NonSaturating(), (torch.randn(5, 3),)

    def ignorant(x):
        return 0.0 * x[:, :1]

    assert float(loss.critic(ignorant, events, events, NOISE)) == pytest.approx(2 * math.log(2))
    assert float(loss.generator(ignorant, events)) == pytest.approx(math.log(2))


def test_losses_are_cross_entropies():
    rng = np.random.default_rng(0)
    real, fake = (torch.from_numpy(rng.normal(size=(6, 1))) for _ in range(2))
    loss = NonSaturating()
    p_real, p_fake = (1 / (1 + np.exp(-x.numpy())) for x in (real, fake))
    expected = -np.log(p_real).mean() - np.log(1 - p_fake).mean()
    assert float(loss.critic(nn.Identity(), (real,), (fake,), NOISE)) == pytest.approx(expected)
    assert float(loss.generator(nn.Identity(), (fake,))) == pytest.approx(-np.log(p_fake).mean())


def test_the_penalty_is_half_the_squared_slope_at_real_events():
    critic, events = nn.Linear(3, 1), (torch.randn(5, 3),)
    plain, penalised = (NonSaturating(gamma).critic(critic, events, events, NOISE) for gamma in (0.0, 4.0))
    slope = float(critic.weight.detach().square().sum())
    assert float(penalised.detach() - plain.detach()) == pytest.approx(0.5 * 4.0 * slope, rel=1e-5)
    (gradient,) = torch.autograd.grad(penalised - plain, critic.weight)
    torch.testing.assert_close(gradient, 4.0 * critic.weight.detach(), rtol=1e-4, atol=1e-5)


def test_the_smallest_game_comes_to_rest_with_the_penalty_alone():
    distances = []
    for penalty in (0.0, 1.0):
        network, run = dirac_game(penalty)
        list(run.steps())
        distances.append(math.hypot(network.generator.place.item(), network.critic.weight.item()))
    assert distances[1] < 1e-3 < 0.1 < distances[0]


@pytest.mark.parametrize(("critic_turns", "moves"), [(1, 6), (2, 3), (4, 1)])
def test_the_generator_moves_once_in_the_critics_turns(critic_turns, moves):
    network, run = dirac_game(critic_turns=critic_turns, epochs=6)
    places, slopes, histories = [1.0], [1.0], []
    for step in run.steps():
        places.append(network.generator.place.item())
        slopes.append(network.critic.weight.item())
        histories.append(set(step.losses))
    assert np.count_nonzero(np.diff(places)) == moves
    assert np.count_nonzero(np.diff(slopes)) == 6
    assert histories.count({"train_critic_loss", "train_generator_loss"}) == moves
    assert all(p.requires_grad for p in network.parameters())


class Scorer(nn.Linear):
    """A linear critic of one number that never changes its mind, nor its loss."""

    def __init__(self, slope: float) -> None:
        super().__init__(1, 1, bias=False)
        nn.init.constant_(self.weight, slope)


@pytest.mark.parametrize(
    ("spread", "slope", "reason"),
    [(0.0, 0.0, "all drawn events are alike"), (1.0, 1e3, "the critic is never wrong"), (1.0, 0.0, None)],
)
def test_a_game_in_which_nobody_learns_ends_with_its_reason(spread, slope, reason):
    real = np.linspace(1, 2, 8, dtype=np.float32)[:, None]
    network = nn.ModuleDict({"generator": Point(-1.0), "critic": Scorer(slope)})

    def show(generator, batch, noise):
        return batch, (generator(batch[0]) - spread * batch[0].detach(),)

    update = Adversarial(network, show, NonSaturating(), learning_rate=1e-6)
    run = Training(update, (real,), epochs=12, batch_size=4, random_state=0, device="cpu")
    if reason is None:
        assert len(list(run.steps())) == 12
        return
    steps = run.steps()
    seen = [next(steps) for _ in range(TROUBLED_EPOCHS - 1)]
    state = seen[-1].state()
    with pytest.raises(
        TrainingCollapsed, match=rf"for {TROUBLED_EPOCHS} epochs up to epoch {TROUBLED_EPOCHS}, {reason}"
    ):
        next(steps)
    resumed = Training(update, (real,), epochs=12, batch_size=4, random_state=0, device="cpu")
    with pytest.raises(TrainingCollapsed):
        next(resumed.steps(state))


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_of_a_batch_add_up_to_it(parts):
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(21, 3)).astype(np.float32), rng.random(21).astype(np.float32)

    def objective(network, batch, generator, progress):
        losses = network(batch[0])[:, 0].square() * batch[1]
        return {"loss": losses.mean(), "largest": losses.mean()}

    trained, histories = [], []
    for accumulated in (1, parts):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
        update = Descent(
            network, objective, learning_rate=0.05, max_gradient_norm=0.01, accumulate_gradients=accumulated
        )
        run = Training(update, (X, w), epochs=3, batch_size=8, random_state=0, device="cpu")
        histories.append([list(step.losses.values()) for step in run.steps()])
        trained.append(nn.utils.parameters_to_vector(network.parameters()).detach())
    torch.testing.assert_close(*trained, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(*histories, rtol=1e-4)


def test_a_resumed_game_ends_with_the_same_bits():
    whole, run = dirac_game(1.0, critic_turns=2, epochs=9)
    states = [step.state() for step in run.steps()]
    rest, resumed = dirac_game(1.0, critic_turns=2, epochs=9)
    list(resumed.steps(states[4]))
    assert whole.generator.place.item() == rest.generator.place.item() != 1.0
    assert whole.critic.weight.item() == rest.critic.weight.item()


def test_a_game_has_no_loss_for_held_out_rows():
    run = Training(dirac_game()[1].update, (REAL,), (REAL,), epochs=1, batch_size=1, device="cpu")
    with pytest.raises(ValueError, match="Adversarial has no loss"):
        list(run.steps())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Descent(nn.Linear(1, 1), None, learning_rate=0.0), r"learning_rate=0\.0"),
        (lambda: Descent(nn.Linear(1, 1), None, learning_rate=1.0, accumulate_gradients=0), "accumulate_gradients=0"),
        (lambda: dirac_game(critic_turns=0), "critic_turns=0"),
        (lambda: NonSaturating(-1.0), r"penalty=-1\.0"),
    ],
)
def test_arguments_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
