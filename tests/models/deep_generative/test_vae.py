import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.datasets import load_digits, make_moons
from torch.distributions import Normal, kl_divergence

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.models.deep_generative import variational_model
from versus.models.deep_generative.likelihoods import OUTLIERS
from versus.models.deep_generative.vae import VAE, ConditionalVAE
from versus.models.deep_generative.variational_network import RowNoise
from versus.models.protocols import FitsBySteps, HasElbo

RNG = np.random.default_rng(0)
MOONS, SIDES = make_moons(300, noise=0.15, random_state=0)
DIGITS, NAMES = load_digits().images.astype(np.uint8)[:300], load_digits().target[:300].astype(np.int64)
MIXED = np.column_stack([SIDES + 0.0, MOONS[:, 0], RNG.integers(0, 3, 300)])
MIXED[::7, 1] = np.nan
MIXED[::11, 2] = np.nan
COLUMNS = (Column("side", ("l", "r")), Column("x"), Column("c", ("a", "b", "c")))
MIXED_SCHEMA = Schema(Table(COLUMNS), Classes(("l", "r")))
CODES_SCHEMA = Schema(Table((COLUMNS[0], COLUMNS[2])), Classes(("l", "r")))
FEW = {"n_latent": 2, "hidden_layer_sizes": (16,), "channels": 4, "epochs": 3, "device": "cpu", "random_state": 0}
IMAGES = Schema.of(DIGITS, NAMES)
CASES = {
    "numbers": (MOONS, SIDES, {"schema": Schema.of(MOONS, SIDES)}, "continuous"),
    "mixed": (MIXED, SIDES, {"schema": MIXED_SCHEMA}, "mixed"),
    "codes": (MIXED[:, [0, 2]], SIDES, {"schema": CODES_SCHEMA}, "discrete"),
    "images": (DIGITS, NAMES, {"schema": Schema.of(DIGITS, NAMES)}, "continuous"),
    "bits": (DIGITS, NAMES, {"schema": Schema.of(DIGITS, NAMES), "likelihood": "bernoulli"}, "binarised"),
    "drawn": (DIGITS, NAMES, {"schema": IMAGES, "likelihood": "dynamic_bernoulli"}, "dynamically_binarised"),
    "levels": (DIGITS, NAMES, {"schema": IMAGES, "likelihood": "logistic"}, "discrete"),
    "colours": (
        np.stack([DIGITS[:, :7, :5]] * 3, axis=-1),
        NAMES,
        {"schema": Schema(Image((7, 5, 3), 17), Classes(tuple("0123456789")))},
        "continuous",
    ),
}
BOTH = pytest.mark.parametrize("model_class", [VAE, ConditionalVAE])
ALL = pytest.mark.parametrize("case", CASES)


def fitted(model_class, case, **changes):
    X, y, arguments, _ = CASES[case]
    return model_class(**FEW | arguments | changes).fit(X, y)


@BOTH
@ALL
def test_contract(model_class, case):
    X, _, arguments, measure = CASES[case]
    model = fitted(model_class, case)
    assert isinstance(model, FitsBySteps)
    assert isinstance(model, HasElbo)
    assert model.measure == measure
    bound, drawn = model.elbo(X[:9]), model.sample(7, random_state=3)
    assert bound.shape == (9,)
    assert np.isfinite(bound).all()
    assert drawn.shape == (7, *X.shape[1:])
    assert np.array_equal(drawn, model.sample(7, random_state=3))
    assert not np.array_equal(drawn, model.sample(7, random_state=4))
    for column, size in enumerate(arguments["schema"].cardinalities):
        values = drawn.reshape(7, -1)[:, column]
        assert np.isfinite(values).all()
        assert size == 0 or set(values) <= set(range(size))
    if "binarised" in measure:
        assert set(np.unique(drawn)) <= {0, 16}


@BOTH
@ALL
def test_restored_models_and_reruns_give_the_same_bits(model_class, case):
    X, _, arguments, _ = CASES[case]
    model, again = fitted(model_class, case), fitted(model_class, case)
    restored = model_class(**FEW | arguments)
    restored.set_arrays(model.get_arrays())
    for other in (again, restored):
        assert np.array_equal(other.elbo(X[:20]), model.elbo(X[:20]))
        assert np.array_equal(other.sample(5, random_state=0), model.sample(5, random_state=0))
    assert not np.array_equal(fitted(model_class, case, random_state=1).elbo(X[:20]), model.elbo(X[:20]))


@BOTH
@ALL
def test_gradients_reach_every_parameter(model_class, case):
    X, y, _, _ = CASES[case]
    model = fitted(model_class, case, epochs=1)
    batch = tuple(torch.from_numpy(np.array(a)) for a in model._rows(X, y))
    model.network_.zero_grad()
    model._losses(model.network_, batch, torch.Generator().manual_seed(0), 1.0)["loss"].backward()
    dead = [n for n, p in model.network_.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    # Codes are no numbers: a table without numbers has no deviations to learn.
    assert dead == (["likelihood.raw_log_deviation"] if case == "codes" else [])
    assert model.count_parameters() == sum(p.numel() for p in model.network_.parameters())


@pytest.mark.parametrize(("model_class", "case"), [(VAE, "mixed"), (ConditionalVAE, "images"), (VAE, "bits")])
def test_resuming_after_any_epoch_ends_with_the_same_bits(model_class, case):
    X, y, arguments, _ = CASES[case]
    arguments = FEW | arguments | {"epochs": 6, "patience": 1, "learning_rate": 0.05}
    whole = model_class(**arguments)
    states = [s.state() for s in whole.fit_steps(X[:200], y[:200], (X[200:], y[200:]))]
    for state in states:
        rest = model_class(**arguments)
        list(rest.fit_steps(X[:200], y[:200], (X[200:], y[200:]), resume=state))
        assert np.array_equal(rest.elbo(X), whole.elbo(X))


@BOTH
def test_the_bound_is_of_the_raw_space(model_class, monkeypatch):
    """Stretching the data by s lowers the density by D log s: scaling inside the model has its log-Jacobian."""
    same = RowNoise(MOONS, 4, 2, 0)[: len(MOONS)]
    monkeypatch.setattr(variational_model, "RowNoise", lambda X, *rest: same)
    arguments = FEW | {"precision": "64-true"}
    plain = model_class(**arguments).fit(MOONS, SIDES).elbo(MOONS)
    moved = model_class(**arguments).fit(1000 * MOONS + 7, SIDES).elbo(1000 * MOONS + 7)
    np.testing.assert_allclose(plain - moved, 2 * np.log(1000), atol=1e-9)


def test_pixels_bound_recomputed_with_torch_distributions_in_the_raw_space():
    model = fitted(VAE, "images", evaluation_samples=6)
    X = DIGITS[:10] + RNG.random((10, 8, 8))
    network, view = model.network_, model.network_.view
    with torch.no_grad():
        x = torch.from_numpy(X).float()
        mean, log_variance = network.encoder(((x - view.mean) / view.scale).unsqueeze(1), None)
        posterior = Normal(mean, (0.5 * log_variance).exp())
        noise = torch.from_numpy(RowNoise(X, 6, 2, 0)[:10]).movedim(1, 0)
        z = posterior.mean + posterior.stddev * noise
        pixels = network.decoder(z.reshape(60, 2), None).reshape(6, 10, 8, 8) * view.pixel_scale + view.pixel_mean
        deviations = network.likelihood.deviation(None).reshape(8, 8) * view.pixel_scale
        near = Normal(pixels, deviations).log_prob(x).exp()
        anywhere = 1 / view.levels
        scored = torch.log((1 - OUTLIERS) * near + OUTLIERS * anywhere).sum(dim=(2, 3)).mean(dim=0)
        expected = scored - kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    np.testing.assert_allclose(model.elbo(X), expected.numpy(), rtol=1e-4)


def test_stored_pixels_stand_for_the_middle_of_their_cell_and_bits_for_all_of_it():
    gaussian, bernoulli = fitted(VAE, "images"), fitted(VAE, "bits")
    with torch.no_grad():
        for model in (gaussian, bernoulli):
            features = [
                model.network_.read((torch.from_numpy(X),))[0]
                for X in (DIGITS[:5], (DIGITS[:5] + 0.5).astype(np.float32))
            ]
            torch.testing.assert_close(*features)
        almost = torch.from_numpy((DIGITS[:5] + 0.999).astype(np.float32))
        assert torch.equal(
            bernoulli.network_.read((almost,))[1], bernoulli.network_.read((torch.from_numpy(DIGITS[:5]),))[1]
        )
        target = bernoulli.network_.read((torch.from_numpy(DIGITS[:5]),))[1].numpy()
    np.testing.assert_array_equal(target.reshape(5, 8, 8), DIGITS[:5] >= 8.5)


@pytest.mark.parametrize("model_class", [VAE, ConditionalVAE])
def test_the_density_of_moons_integrates_to_one(model_class):
    model = model_class(**FEW | {"epochs": 15, "evaluation_samples": 100}).fit(MOONS, SIDES)
    axes = np.linspace(-4, 5, 55), np.linspace(-4, 4.5, 50)
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    if model_class is VAE:
        assert np.exp(model.importance_log_prob(grid, 200)).sum() * cell == pytest.approx(1.0, abs=0.03)
    # A lower bound covers less than all.
    assert 0.5 < np.exp(model.elbo(grid)).sum() * cell < 1.01


def test_a_batch_says_of_each_row_what_the_row_alone_says():
    for case in ("mixed", "images"):
        X, model = CASES[case][0], fitted(ConditionalVAE, case)
        together = model.log_joint(X[:40])
        np.testing.assert_allclose(model.log_joint(X[39:10:-1]), together[39:10:-1], rtol=1e-5)
        np.testing.assert_allclose(model.log_joint(X[12:13]), together[12:13], rtol=1e-5)


def test_the_joint_bound_makes_the_classes_and_the_density():
    model = fitted(ConditionalVAE, "images", epochs=25)
    joint = model.log_joint(DIGITS)
    assert joint.shape == (300, 10)
    np.testing.assert_allclose(model.elbo(DIGITS), logsumexp(joint, axis=1))
    np.testing.assert_allclose(model.predict_proba(DIGITS).sum(axis=1), 1.0)
    assert (model.predict(DIGITS) == NAMES).mean() > 0.6


def test_moons_are_classified_and_drawn_by_side():
    held_out = make_moons(200, noise=0.15, random_state=1)
    model = ConditionalVAE(n_latent=2, epochs=150, batch_size=32, random_state=0, device="cpu")
    list(model.fit_steps(MOONS, SIDES, held_out))
    assert (model.predict(held_out[0]) == held_out[1]).mean() > 0.93
    wanted = np.repeat([0, 1], 200)
    drawn = model.sample(400, wanted, random_state=0)
    means = [MOONS[k == SIDES].mean(axis=0) for k in (0, 1)]
    for k in (0, 1):
        np.testing.assert_allclose(drawn[wanted == k].mean(axis=0), means[k], atol=0.2)
    share = (model.predict(model.sample(400, random_state=1)) == 0).mean()
    assert share == pytest.approx(0.5, abs=0.12)


def test_a_class_without_members_is_possible_and_improbable():
    schema = Schema(Table(Schema.of(MOONS).columns), Classes(("a", "b", "never")))
    model = ConditionalVAE(**FEW, schema=schema).fit(MOONS, SIDES)
    assert model.predict_proba(MOONS).shape == (300, 3)
    assert model.sample(2, np.array([2, 2]), random_state=0).shape == (2, 2)


def test_a_handful_of_pictures_is_learned_by_heart():
    few = DIGITS[:6]
    model = VAE(
        n_latent=4, hidden_layer_sizes=(64,), channels=16, likelihood="bernoulli", epochs=400, learning_rate=5e-3,
        device="cpu", random_state=0, schema=CASES["bits"][2]["schema"],
    )  # fmt: skip
    losses = [s.losses["train_loss"] for s in model.fit_steps(few)]
    assert losses[0] > 30 > 5 > np.mean(losses[-5:])
    bits = model.decode(model.encode(few)) >= 8
    assert (bits == (few >= 8.5)).mean() > 0.99


def test_a_row_of_nothing_but_missing_values_has_the_density_one():
    model = fitted(VAE, "mixed", epochs=1, evaluation_samples=2)
    assert model.importance_log_prob(np.full((1, 3), np.nan), 5000)[0] == pytest.approx(0.0, abs=0.1)
    assert model.elbo(np.full((1, 3), np.nan))[0] <= 0.0


def test_codes_and_what_they_stand_for():
    model = fitted(VAE, "mixed", epochs=40)
    codes = model.encode(MIXED)
    assert codes.shape == (300, 2)
    decoded = model.decode(codes)
    assert decoded.shape == MIXED.shape
    assert (decoded[:, 0] == MIXED[:, 0]).mean() > 0.9


def test_the_bound_stands_beside_another_loss_that_is_trained_on():
    losses = {
        name: list(VAE(**FEW | arguments).fit_steps(MOONS, SIDES, (MOONS, SIDES)))[-1].losses
        for name, arguments in {"plain": {}, "beta": {"beta": 3.0}, "codes": {"n_importance_samples": 8}}.items()
    }
    plain, beta, codes = losses.values()
    assert plain["validation_loss"] == pytest.approx(plain["validation_kl"] + plain["validation_reconstruction"])
    assert "validation_negative_elbo" not in plain
    assert beta["validation_loss"] == pytest.approx(3 * beta["validation_kl"] + beta["validation_reconstruction"])
    for found in (beta, codes):
        elbo = found["validation_kl"] + found["validation_reconstruction"]
        assert found["validation_negative_elbo"] == pytest.approx(elbo)
    assert codes["validation_loss"] < codes["validation_negative_elbo"]  # it is the tighter bound


def test_beta_weighs_the_divergence():
    kl = {}
    for beta in (0.1, 10.0):
        model = VAE(**FEW | {"beta": beta, "epochs": 20})
        kl[beta] = list(model.fit_steps(MOONS, SIDES, (MOONS, SIDES)))[-1].losses["validation_kl"]
    assert kl[10.0] < 0.1 < 1.0 < kl[0.1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VAE(likelihood="poisson").fit(MOONS), "likelihood='poisson'; accepted: 'gaussian', 'bernoulli'"),
        (
            lambda: VAE(likelihood="bernoulli").fit(MOONS),
            "pixels with whole levels, and these data have none",
        ),
        (lambda: VAE(n_latent=0).fit(MOONS), "n_latent=0"),
        (lambda: VAE(**FEW).fit(MOONS).sample(3, np.zeros(3, int)), "ConditionalVAE samples by class"),
        (lambda: VAE(**FEW).fit(MOONS).elbo(MOONS[:, :1]), r"shape \(1,\); the model was fitted on shape \(2,\)"),
        (lambda: VAE(**FEW).fit(MOONS).importance_log_prob(MOONS, 0), "0 samples; at least 1"),
        (lambda: ConditionalVAE(**FEW, schema=Schema.of(MOONS, SIDES)).fit(MOONS), "needs y"),
        (lambda: ConditionalVAE(**FEW).fit(MOONS, MOONS[:, 0]), "needs classes, and the task is regression"),
        (lambda: fitted(ConditionalVAE, "numbers").sample(3, np.zeros(2, int)), "2 classes for n=3"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
