"""Boltzmann machines, against enumeration of all their states."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.neural_network import BernoulliRBM

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.evaluation.answers import capabilities
from versus.metrics.density import drawn_bits
from versus.models.classical_generative.deep_belief import DeepBeliefNetwork
from versus.models.classical_generative.deep_boltzmann import DeepBoltzmannMachine
from versus.models.classical_generative.restricted_boltzmann import RestrictedBoltzmannMachine
from versus.numerics.boltzmann import BoltzmannMachine, annealed_log_normaliser, exact_log_normaliser, log_odds
from versus.training.batches import generator_for


def machine_of(visible, hidden, labels=0, scale=1.0, seed=0):
    torch.manual_seed(seed)
    machine = BoltzmannMachine(visible, hidden, labels, chains=50).double()
    for parameter in machine.parameters():
        parameter.data = scale * torch.randn_like(parameter)
    return machine


def states_of(machine):
    """All visible states, (S, V): bits times classes."""
    bits = len(machine.visible_bias) - machine.labels
    rows = torch.tensor(list(product([0.0, 1.0], repeat=bits)), dtype=torch.float64)
    if not machine.labels:
        return rows
    classes = torch.eye(machine.labels, dtype=torch.float64)
    return torch.cat([rows.repeat_interleave(machine.labels, 0), classes.repeat(len(rows), 1)], dim=1)


def energies(machine, v):
    """Log of the sum over hidden states of exp(-E(v, h)), one hidden state after the other."""
    hidden = torch.tensor(list(product([0.0, 1.0], repeat=machine.weight.shape[1])), dtype=torch.float64)
    every = v @ machine.weight @ hidden.T + (v @ machine.visible_bias)[:, None] + hidden @ machine.hidden_bias
    return torch.logsumexp(every, dim=1).detach()


@pytest.mark.parametrize("labels", [0, 3])
def test_free_energy_and_normaliser_are_sums_over_all_states(labels):
    for hidden in (4, 7):  # the smaller layer is enumerated, whichever it is
        machine = machine_of(5 + labels, hidden, labels)
        states = states_of(machine)
        expected = energies(machine, states)
        torch.testing.assert_close(-machine.free_energy(states).detach(), expected)
        log_z = float(torch.logsumexp(expected, dim=0))
        assert exact_log_normaliser(machine) == pytest.approx(log_z)
        base = torch.zeros(5 + labels, dtype=torch.float64)
        z, error = annealed_log_normaliser(machine, base, generator_for(0, "ais"), chains=100, steps=150)
        assert 0 < error < 0.1
        assert abs(z - log_z) < 3 * error
    scores = machine.label_scores(states[:: max(labels, 1), :5]).detach() if labels else None
    assert scores is None or torch.allclose(scores.flatten(), expected)


def test_gibbs_sampling_reaches_the_distribution():
    machine = machine_of(6, 3, labels=2, scale=0.7)
    states = states_of(machine)
    p = torch.softmax(energies(machine, states), dim=0).numpy()
    generator = generator_for(0, "gibbs")
    v = machine.gibbs(torch.zeros(6000, 6, dtype=torch.float64), 60, generator)
    places = (v[:, None] == states).all(dim=2).int().argmax(dim=1).numpy()
    assert np.abs(np.bincount(places, minlength=len(p)) / 6000 - p).max() < 5 * np.sqrt(0.25 / 6000)
    clamped = torch.tensor([[0.0, 1.0]], dtype=torch.float64).repeat(50, 1)
    assert (machine.gibbs(v[:50], 3, generator, clamped)[:, 4:] == clamped).all()


def test_the_contrast_has_the_gradient_of_the_likelihood():
    """With chains that have forgotten where they started, it is that of -log p of the data, but for their number."""
    machine = machine_of(4, 3, scale=0.5)
    v = states_of(machine)[[1, 5, 5, 14]]
    machine.chains = torch.zeros(40_000, 4, dtype=torch.float64)
    machine.contrast(v, 50, True, generator_for(0, "chains")).backward()
    found = [p.grad.clone() for p in machine.parameters()]
    machine.zero_grad()
    states = states_of(machine)
    (machine.free_energy(v).mean() + torch.logsumexp(-machine.free_energy(states), dim=0)).backward()
    for sampled, parameter in zip(found, machine.parameters(), strict=True):
        assert (sampled - parameter.grad).abs().max() < 0.015


@pytest.fixture(scope="module")
def bits():
    """Two prototypes of nine bits, a tenth of them turned."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    prototypes = rng.integers(2, size=(2, 9))
    X = (prototypes[y] ^ (rng.random((600, 9)) < 0.1)).astype(float)
    return X, y, Schema.of(X, y)


@pytest.mark.parametrize("persistent", [True, False], ids=["PCD", "CD"])
def test_a_machine_learns_its_likelihood_is_exact_and_sums_to_one(bits, persistent):
    X, y, schema = bits
    model = RestrictedBoltzmannMachine(
        n_components=6, persistent=persistent, epochs=15, batch_size=50, learning_rate=0.02, schema=schema,
        random_state=0, device="cpu",
    )  # fmt: skip
    model.fit(X, y)
    assert "log_prob" in capabilities(model)
    assert "ais_log_prob" not in capabilities(model)
    everything = np.array(list(product([0.0, 1.0], repeat=9)))
    assert np.exp(model.log_prob(everything)).sum() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(np.exp(model.log_joint(everything)).sum(axis=0).sum(), 1, atol=1e-4)
    truth = -(np.log(2) + 9 * -(0.1 * np.log(0.1) + 0.9 * np.log(0.9)))
    assert model.log_prob(X).mean() > truth - 0.35
    assert (model.predict(X) == y).mean() > 0.95
    drawn = model.sample(400, y=np.repeat([0, 1], 200), random_state=0)
    assert (model.predict(drawn) == np.repeat([0, 1], 200)).mean() > 0.8
    assert (model.decode(model.encode(X)) == X).mean() > 0.85


def test_annealing_tells_the_likelihood_of_images_and_holds_an_interval():
    X, y, schema = data.images()
    model = RestrictedBoltzmannMachine(n_components=20, epochs=3, schema=schema, random_state=0, device="cpu")
    model.fit(X, y)  # 12 pixels: enumerated
    z, low, high = model.log_normaliser_
    assert z == low == high
    assert model.measure == "binarised"
    assert model.filters().shape == (20, 4, 3)
    machine, base = model.machines_[0], log_odds(torch.full((14,), 0.5), 2)
    estimate, error = annealed_log_normaliser(machine, base, generator_for(1, "ais"), chains=100, steps=200)
    assert abs(estimate - z) < 3 * error + 1e-3
    y = np.array([0, 1])
    with pytest.raises(ValueError, match="takes complete rows"):
        RestrictedBoltzmannMachine(schema=Schema.of(np.eye(2), y)).fit(np.full((2, 2), np.nan), y)


EVERY_NINE = np.array(list(product([0.0, 1.0], repeat=9)))


def deep(kind, bits, **args):
    X, y, schema = bits
    given = {"epochs": 12, "batch_size": 20, "learning_rate": 0.05, "schema": schema}
    given |= {"random_state": 0, "device": "cpu", "threads": 1}
    return kind(**(given | args)).fit(X, y)


@pytest.fixture(scope="module")
def belief(bits):
    return deep(DeepBeliefNetwork, bits, hidden_layer_sizes=(6, 5), bound_samples=200)


def test_a_deep_belief_network_is_bounded_from_below_nearly(belief):
    """Log p(x), x of nine bits, with the sum over the six hidden units below the top machine."""
    lower, top = (belief.machines_[place] for place in (0, 1))
    h = torch.tensor(list(product([0.0, 1.0], repeat=6)))
    with torch.no_grad():
        log_prior = torch.logsumexp(top.label_scores(h), dim=1)
        log_prior = (log_prior - torch.logsumexp(log_prior, dim=0)).double()
        x, logits = torch.tensor(EVERY_NINE), lower.visible_logits(h).double()
        log_given = x @ logits.T - torch.nn.functional.softplus(logits).sum(dim=1)
        exact = torch.logsumexp(log_given + log_prior, dim=1).numpy()
    assert np.exp(exact).sum() == pytest.approx(1, abs=1e-5)
    bound = belief.elbo(EVERY_NINE)
    assert (bound < exact + 0.1).mean() > 0.99  # drawn: 200 draws for each
    p = np.exp(exact)
    assert 0 < (p * (exact - bound)).sum() < 1.5
    drawn = belief.sample(4000, random_state=0)
    found = np.bincount(drawn.astype(int) @ 2 ** np.arange(8, -1, -1), minlength=512) / 4000
    assert np.abs(found - p).max() < 0.03


def test_fine_tuning_sharpens_the_classes(belief, bits):
    X, y, _ = bits
    tuned = deep(DeepBeliefNetwork, bits, hidden_layer_sizes=(6, 5), fine_tuning=0.5)
    losses = [-np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean() for model in (tuned, belief)]
    assert losses[0] < losses[1]


def test_a_deep_boltzmann_machine_is_the_enumerated_one(bits):
    model = deep(DeepBoltzmannMachine, bits, hidden_layer_sizes=(5, 3), sample_sweeps=1000)
    lower, upper = (model.machines_[place].double() for place in (0, 1))
    first, second = (torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64) for n in (5, 3))
    with torch.no_grad():
        x = torch.tensor(EVERY_NINE)
        below = x @ lower.visible_bias[:, None] + x @ lower.weight @ first.T + first @ lower.hidden_bias  # (512, 32)
        joint = []
        for label in torch.eye(2, dtype=torch.float64):
            seen = torch.cat([first, label.expand(32, 2)], dim=1)
            above = torch.logsumexp((seen @ upper.weight + upper.hidden_bias) @ second.T, dim=1)
            joint.append(torch.logsumexp(below + above + seen @ upper.visible_bias, dim=1))
        exact = torch.stack(joint, dim=1).numpy()
    z = np.log(np.exp(exact).sum())
    assert model.log_normaliser_[0] == pytest.approx(z, abs=1e-3)
    estimate, error = annealed_log_normaliser(
        model.joined(), torch.zeros(7, dtype=torch.float64), generator_for(0, "ais"), chains=100, steps=200
    )
    assert abs(estimate - z) < 3 * error
    model.machines_.float()
    bound = model.log_joint(EVERY_NINE)
    assert (bound < exact - z + 1e-3).all()
    p = np.exp(exact - z)
    assert (p * (exact - z - bound)).sum() < 0.3
    drawn = model.sample(4000, random_state=0)
    found = np.bincount(drawn.astype(int) @ 2 ** np.arange(8, -1, -1), minlength=512) / 4000
    assert np.abs(found - p.sum(axis=1)).max() < 0.03
    with pytest.raises(ValueError, match="has two"):
        deep(DeepBoltzmannMachine, bits, hidden_layer_sizes=(5,))


def test_layers_trained_one_after_the_other_fit_together(bits):
    """Halves of the biases and doubled inputs: what single layers learn is a machine that knows the prototypes."""
    X, y, _ = bits
    model = deep(DeepBoltzmannMachine, bits, hidden_layer_sizes=(6, 5), epochs=12, pretraining=1.0)
    shares = X.mean(axis=0)
    alone = (X * np.log(shares) + (1 - X) * np.log(1 - shares)).sum(axis=1).mean()
    assert model.elbo(X).mean() > alone + 0.3
    assert (model.predict(X) == y).mean() > 0.9


@pytest.mark.parametrize("pretraining", [0.0, 0.5])
def test_both_layers_at_once_learn_at_a_rate_of_their_own(bits, pretraining):
    X, y, schema = bits
    sizes = {"hidden_layer_sizes": (6, 5), "epochs": 4, "pretraining": pretraining, "random_state": 0}
    states = []
    for rate in (1e-9, 1.0):
        model = DeepBoltzmannMachine(schema=schema, joint_rate=rate, **sizes)
        states.append([step.state() for step in model.fit_steps(X, y)])
    still, moved = ([state["network.machines.1.weight"] for state in run] for run in states)
    np.testing.assert_allclose(still[-1], still[1 if pretraining else 0], atol=1e-6)
    assert np.abs(moved[-1] - still[-1]).max() > 0.01


def test_labels_weigh_as_much_as_is_said(bits):
    X, y, _ = bits
    losses = []
    for weight in (0.0, 5.0):
        model = deep(DeepBoltzmannMachine, bits, hidden_layer_sizes=(6, 5), epochs=3, label_weight=weight)
        losses.append(-np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean())
    assert losses[1] < losses[0]


def test_half_a_contrast_is_that_of_two_machines_with_equal_weights():
    """Twice the input from below is what two copies of the visible layer give."""
    machine, twice = machine_of(4, 3, scale=0.5), machine_of(8, 3, scale=0.5)
    twice.weight.data = machine.weight.data.repeat(2, 1)
    twice.set_biases(machine.visible_bias.repeat(2), 2 * machine.hidden_bias)
    v = states_of(machine)[[1, 5, 5, 14]]
    machine.half_contrast(v, 2.0, 1.0, generator_for(0, "chains")).backward()
    drawn = machine.chains[:4]
    pair = [twice.free_energy(states.repeat(1, 2)).mean() for states in (v, drawn)]
    (pair[0] - pair[1]).backward()
    torch.testing.assert_close(2 * machine.weight.grad, twice.weight.grad[:4] + twice.weight.grad[4:])
    offsets = twice.visible_offset.grad
    torch.testing.assert_close(2 * machine.visible_offset.grad, offsets[:4] + offsets[4:])


@pytest.mark.parametrize("kind", [RestrictedBoltzmannMachine, DeepBeliefNetwork, DeepBoltzmannMachine])
def test_a_resumed_training_ends_with_the_same_bits(kind, bits):
    X, y, schema = bits
    model = kind(epochs=4, batch_size=100, ais_steps=10, schema=schema, random_state=0, device="cpu")
    states = [step.state() for step in model.fit_steps(X, y)]
    expected = model.get_arrays()
    again = kind(epochs=4, batch_size=100, ais_steps=10, schema=schema, random_state=0, device="cpu")
    for _ in again.fit_steps(X, y, resume=states[1]):
        pass
    for name, array in again.get_arrays().items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_grey_pixels_are_drawn_by_how_bright_they_are():
    """A machine whose pixels are independent learns the shares of black and white; those cut at half are all black."""
    rng = np.random.default_rng(0)
    X = np.where(rng.random((400, 4, 3)) < 0.5, 0, 4).astype(np.uint8)  # white with probability 0 or 0.4
    schema = Schema(Image((4, 3), 11), Classes(("a", "b")))
    args = {"n_components": 1, "epochs": 6, "batch_size": 50, "learning_rate": 0.05, "random_state": 0, "device": "cpu"}
    drawn, cut = (
        RestrictedBoltzmannMachine(draw_pixels=drawn, schema=schema, **args).fit(X, np.arange(400) % 2)
        for drawn in (True, False)
    )
    assert (drawn.measure, cut.measure) == ("dynamically_binarised", "binarised")
    samples = drawn.sample(400, random_state=0)
    assert set(np.unique(samples)) == {0, 10}
    assert samples.mean() / 10 == pytest.approx(0.2, abs=0.03)
    asked = drawn_bits(X, 11, seed=1)
    assert asked.max() == 10
    p = asked.mean() / 10
    entropy = -12 * (p * np.log(p) + (1 - p) * np.log(1 - p))
    assert drawn.log_prob(asked).mean() == pytest.approx(-entropy, abs=0.2)
    assert cut.log_prob(X).mean() > -0.5  # nothing is left to tell
    with pytest.raises(ValueError, match="draw_pixels=True draws pixels of whole levels"):
        RestrictedBoltzmannMachine(draw_pixels=True).fit(np.eye(2), np.array([0, 1]))


def test_hidden_units_and_free_energies_are_scikit_learns():
    """Its `score_samples` turns one bit of each row, drawn from the seed, and compares the energies."""
    machine = machine_of(5, 4, scale=0.7)
    theirs = BernoulliRBM(4, random_state=0)
    theirs.components_, theirs.n_features_in_ = machine.weight.detach().numpy().T, 5
    theirs.intercept_hidden_, theirs.intercept_visible_ = (
        bias.detach().numpy() for bias in (machine.hidden_bias, machine.visible_bias)
    )
    states = states_of(machine)
    expected = torch.sigmoid(machine.hidden_logits(states)).detach()
    np.testing.assert_allclose(theirs.transform(states.numpy()), expected)
    turned, places = states.clone(), np.random.RandomState(0).randint(0, 5, len(states))
    turned[np.arange(len(states)), places] = 1 - turned[np.arange(len(states)), places]
    gained = (machine.free_energy(turned) - machine.free_energy(states)).detach()
    np.testing.assert_allclose(theirs.score_samples(states.numpy()), 5 * torch.nn.functional.logsigmoid(gained))
