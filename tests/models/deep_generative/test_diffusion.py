import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits, make_moons

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.evaluation.answers import capabilities
from versus.evaluation.uses.density import unspread
from versus.evaluation.uses.super_resolution import halved, interpolated
from versus.models.deep_generative.diffusion import ConditionalDiffusion, Diffusion
from versus.models.deep_generative.latent_diffusion import LatentDiffusion
from versus.models.protocols import FitsBySteps, FitsWeighted, HasElbo

MOONS, SIDES = make_moons(300, noise=0.15, random_state=0)
DIGITS, NAMES = load_digits().images.astype(np.uint8)[:300], load_digits().target[:300].astype(np.int64)
CODES = np.column_stack([SIDES + 0.0, MOONS[:, 0], np.where(np.arange(300) % 4 == 0, 1.0, 2.0 * SIDES)])
COLUMNS = (Column("side", ("l", "r")), Column("x"), Column("c", ("a", "b", "c")))
FEW = {"hidden_layer_sizes": (16, 16), "channels": 8, "epochs": 2, "device": "cpu", "random_state": 0}
CASES = {
    "numbers": (MOONS, SIDES, Schema.of(MOONS, SIDES), "continuous"),
    "mixed": (CODES, SIDES, Schema(Table(COLUMNS), Classes(("l", "r"))), "mixed"),
    "codes": (CODES[:, [0, 2]], SIDES, Schema(Table((COLUMNS[0], COLUMNS[2])), Classes(("l", "r"))), "discrete"),
    "images": (DIGITS[:30], NAMES[:30], Schema.of(DIGITS, NAMES), "continuous"),
    "colours": (
        np.stack([DIGITS[:30, :7, :5]] * 3, axis=-1),
        NAMES[:30],
        Schema(Image((7, 5, 3), 17), Classes(tuple("0123456789"))),
        "continuous",
    ),
}
BOTH = pytest.mark.parametrize("model_class", [Diffusion, ConditionalDiffusion])
ALL = pytest.mark.parametrize("case", CASES)


def model(model_class, case, **changes):
    return model_class(**FEW | {"schema": CASES[case][2]} | changes)


def fitted(model_class, case, **changes):
    return model(model_class, case, **changes).fit(*CASES[case][:2])


@BOTH
@ALL
def test_contract(model_class, case):
    X, y, schema, measure = CASES[case]
    made = fitted(model_class, case)
    for protocol in (FitsBySteps, FitsWeighted, HasElbo):
        assert isinstance(made, protocol)
    assert made.measure == measure
    assert ("ode_log_prob" in capabilities(made)) == (measure == "continuous")
    bound, drawn = made.elbo(X[:9]), made.sample(7, random_state=3)
    assert bound.shape == (9,)
    assert np.isfinite(bound).all()
    assert drawn.shape == (7, *X.shape[1:])
    for column, size in enumerate(schema.cardinalities):
        values = drawn.reshape(7, -1)[:, column]
        assert np.isfinite(values).all()
        assert size == 0 or set(values) <= set(range(size))
    np.testing.assert_allclose(made.elbo(X[8:3:-1]), bound[8:3:-1], rtol=1e-4, atol=1e-3)

    again, restored = fitted(model_class, case), model(model_class, case)
    restored.set_arrays(made.get_arrays())
    for other in (again, restored):
        assert np.array_equal(other.elbo(X[:9]), bound)
        assert np.array_equal(other.sample(7, random_state=3), drawn)
    assert not np.array_equal(made.sample(7, random_state=4), drawn)

    batch = tuple(torch.from_numpy(np.array(a)) for a in made._rows(X, y))
    # The heads start at zero: at first, nothing but they has a gradient.
    made._losses(made.network_, batch, torch.Generator().manual_seed(0), 1.0)["loss"].backward()
    assert not [n for n, p in made.network_.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]


@pytest.mark.parametrize(("model_class", "case"), [(Diffusion, "mixed"), (ConditionalDiffusion, "images")])
def test_resuming_after_any_epoch_ends_with_the_same_bits(model_class, case):
    X, y = CASES[case][:2]
    parts = (X[10:], y[10:], (X[:10], y[:10]))
    whole = model(model_class, case, epochs=4)
    for state in [step.state() for step in whole.fit_steps(*parts)][::2]:
        rest = model(model_class, case, epochs=4)
        list(rest.fit_steps(*parts, resume=state))
        assert np.array_equal(rest.sample(3, random_state=0), whole.sample(3, random_state=0))


@pytest.fixture(scope="module")
def of_moons():
    """A diffusion of both moons, and its held-out rows."""
    made = ConditionalDiffusion(
        hidden_layer_sizes=(64, 64, 64), epochs=100, learning_rate=1e-2, random_state=0, device="cpu"
    )
    return made.fit(MOONS, SIDES)


def test_moons_are_classified_by_the_bound_and_drawn_by_side(of_moons):
    X, y = make_moons(200, noise=0.15, random_state=1)
    assert (of_moons.predict(X) == y).mean() > 0.92
    joint = of_moons.log_joint(X[:20])
    np.testing.assert_allclose(of_moons.elbo(X[:20]), logsumexp(joint, axis=1))
    np.testing.assert_allclose(of_moons.predict_proba(X[:20]).sum(axis=1), 1.0)
    wanted = np.repeat([0, 1], 300)
    for sampler, steps in (("heun", 18), ("ddim", 60), ("ddpm", 80), ("langevin", 60)):
        of_moons.sampler, of_moons.sampling_steps = sampler, steps
        drawn = of_moons.sample(600, wanted, random_state=0)
        for k in (0, 1):
            means = drawn[wanted == k].mean(axis=0), MOONS[k == SIDES].mean(axis=0)
            np.testing.assert_allclose(*means, atol=0.12 if sampler == "heun" else 0.25, err_msg=sampler)
            spread = drawn[wanted == k].std(axis=0) / MOONS[k == SIDES].std(axis=0)
            np.testing.assert_allclose(spread, 1.0, atol=0.3, err_msg=sampler)
    of_moons.sampler, of_moons.sampling_steps = "heun", 18
    assert (of_moons.sample(400, random_state=1)[:, 1] > 0.25).mean() == pytest.approx(0.5, abs=0.12)


def test_the_flow_is_a_density_and_the_bound_covers_less(of_moons):
    axes = np.linspace(-3, 4, 36), np.linspace(-2.5, 3, 36)
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    assert np.exp(of_moons.ode_log_prob(grid)).sum() * cell == pytest.approx(1.0, abs=0.03)
    of_moons.evaluation_samples = 64
    assert 0.7 < np.exp(of_moons.elbo(grid)).sum() * cell < 1.01
    of_moons.evaluation_samples = 16
    X, _ = make_moons(300, noise=0.15, random_state=1)
    blurred = multivariate_normal(MOONS.mean(axis=0), np.cov(MOONS.T)).logpdf(X).mean()
    assert of_moons.ode_log_prob(X).mean() > of_moons.elbo(X).mean() > blurred + 0.05


def test_without_guidance_the_class_is_as_learned_and_with_it_plainer(of_moons):
    wanted = np.zeros(300, dtype=np.int64)
    plain = of_moons.sample(300, wanted, random_state=0)
    of_moons.guidance = 1e-9  # takes the way of the guided, at no guidance
    np.testing.assert_allclose(of_moons.sample(300, wanted, random_state=0), plain, atol=1e-4)
    of_moons.guidance = 3.0
    guided = of_moons.sample(300, wanted, random_state=0)
    of_moons.guidance = 0.0
    surer = [of_moons.predict_log_proba(drawn)[:, 0].mean() for drawn in (guided, plain)]
    assert surer[0] > surer[1]


def test_what_is_missing_is_filled_by_its_mean_given_the_rest():
    """Two normals with correlation 0.8: the regression of one on the other is known."""
    rng = np.random.default_rng(0)
    pairs = rng.multivariate_normal([3.0, -1.0], [[4.0, 0.8], [0.8, 0.25]], size=600)
    made = Diffusion(**FEW | {"hidden_layer_sizes": (32, 32), "epochs": 40, "learning_rate": 5e-3}).fit(pairs)
    asked = np.array([[1.0, np.nan], [5.0, np.nan], [np.nan, -0.5], [2.0, 0.0]]).repeat(20, axis=0)
    filled = made.impute(asked)
    np.testing.assert_array_equal(filled[~np.isnan(asked)], asked[~np.isnan(asked)])
    means = [filled[:20, 1].mean(), filled[20:40, 1].mean(), filled[40:60, 0].mean()]
    np.testing.assert_allclose(means, [-1 + 0.2 * (1 - 3), -1 + 0.2 * (5 - 3), 3 + 3.2 * 0.5], atol=0.35)


def test_the_class_of_a_row_with_a_missing_column_is_told_by_the_other(of_moons):
    X, y = make_moons(300, noise=0.15, random_state=1)
    for column, least in ((0, 0.75), (1, 0.6)):  # what the other column alone tells
        asked = X.copy()
        asked[:, column] = np.nan
        assert (of_moons.predict(asked) == y).mean() > least
    nothing = np.full((1, 2), np.nan)
    assert of_moons.elbo(nothing)[0] == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(of_moons.predict_proba(nothing), np.exp(of_moons.log_prior_)[None], atol=1e-6)


def test_categories_are_drawn_with_what_they_depend_on():
    made = fitted(ConditionalDiffusion, "mixed", hidden_layer_sizes=(64, 64), epochs=50, learning_rate=5e-3)
    drawn = made.sample(600, np.repeat([0, 1], 300), random_state=0)
    for k in (0, 1):
        of_class = drawn[300 * k : 300 * (k + 1)]
        assert (of_class[:, 0] == k).mean() > 0.98
        assert (of_class[:, 2] == 1).mean() == pytest.approx(0.25, abs=0.1)
        assert (of_class[:, 2] == 2 * k).mean() == pytest.approx(0.75, abs=0.1)
    assert (made.predict(CODES) == SIDES).mean() > 0.98  # the column says it
    rare = CODES[SIDES == 0][:50].copy()
    rare[:, 2] = 2.0  # a code that this side does not have
    assert made.elbo(rare).mean() < made.elbo(CODES[SIDES == 0][:50]).mean() - 2


def test_the_u_net_learns_to_tell_two_digits_and_to_draw_them():
    two = NAMES < 2
    X, y = DIGITS[two], NAMES[two]
    made = ConditionalDiffusion(
        channels=8, epochs=40, batch_size=32, learning_rate=1e-2, evaluation_samples=8, random_state=0, device="cpu",
        schema=Schema(Image((8, 8), 17), Classes(("0", "1"))),
    )  # fmt: skip
    losses = [step.losses["train_loss"] for step in made.fit_steps(X, y)]
    assert losses[-1] < 0.6 * losses[0]
    assert (made.predict(X) == y).mean() > 0.9
    wanted = np.arange(40) % 2
    drawn, centres = made.sample(40, wanted, random_state=0), np.stack([X[k == y].mean(axis=0) for k in (0, 1)])
    nearest = np.square(drawn[:, None].astype(float) - centres).sum(axis=(2, 3)).argmin(axis=1)
    assert (nearest == wanted).mean() > 0.85


def test_pixels_as_a_vector_are_scored_spread_and_enlarged():
    made = Diffusion(
        channels=None, hidden_layer_sizes=(128, 128), epochs=40, batch_size=32, random_state=0, device="cpu",
        schema=CASES["images"][2],
    )  # fmt: skip
    made.fit(DIGITS)
    assert unspread(made, DIGITS, made.schema_, 0) is None
    unseen = load_digits().images[300:340]
    small = unseen.reshape(40, 4, 2, 4, 2).mean(axis=(2, 4))
    large = made.super_resolve(small)
    np.testing.assert_allclose(large.reshape(40, 4, 2, 4, 2).mean(axis=(2, 4)), small, atol=5e-3)
    np.testing.assert_array_equal(halved(unseen), small)
    repeated = small.repeat(2, axis=1).repeat(2, axis=2)
    assert np.square(interpolated(small) - unseen).mean() < np.square(repeated - unseen).mean()
    assert np.square(large - unseen).mean() < 0.95 * np.square(repeated - unseen).mean()


@pytest.fixture(scope="module")
def of_codes():
    """A diffusion of codes of moons; its states after each epoch of both phases."""
    arguments = {
        "n_latent": 2, "autoencoder_epochs": 30, "epochs": 30, "hidden_layer_sizes": (64, 64), "learning_rate": 1e-2,
        "random_state": 0, "device": "cpu", "schema": CASES["numbers"][2],
    }  # fmt: skip
    made = LatentDiffusion(**arguments)
    return arguments, made, [step.state() for step in made.fit_steps(MOONS, SIDES)]


def test_codes_are_diffused_after_the_autoencoder_and_both_phases_resume(of_codes):
    arguments, made, states = of_codes
    assert len(states) == 60
    for place in (20, 45):
        rest = LatentDiffusion(**arguments)
        steps = list(rest.fit_steps(MOONS, SIDES, resume=states[place]))
        assert [steps[0].step, steps[-1].step] == [place + 2, 60]
        np.testing.assert_array_equal(rest.elbo(MOONS[:20]), made.elbo(MOONS[:20]))
        np.testing.assert_array_equal(rest.sample(5, random_state=0), made.sample(5, random_state=0))
    restored = LatentDiffusion(**arguments)
    restored.set_arrays(made.get_arrays())
    np.testing.assert_array_equal(restored.log_joint(MOONS[:20]), made.log_joint(MOONS[:20]))
    assert "ode_log_prob" not in capabilities(made)
    assert made.measure == "continuous"


def test_the_bound_through_codes_is_one_of_the_events(of_codes):
    _, made, _ = of_codes
    made.evaluation_samples = 128
    axes = np.linspace(-3, 4, 26), np.linspace(-2.5, 3, 26)
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    assert 0.3 < np.exp(made.elbo(grid)).sum() * cell < 1.02
    made.evaluation_samples = 16
    assert (made.predict(MOONS) == SIDES).mean() > 0.8
    wanted = np.repeat([0, 1], 200)
    drawn = made.sample(400, wanted, random_state=0)
    for k in (0, 1):
        np.testing.assert_allclose(drawn[wanted == k].mean(axis=0), MOONS[k == SIDES].mean(axis=0), atol=0.3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Diffusion(schedule="sigmoid"), "schedule='sigmoid'; accepted: 'linear', 'cosine', 'geometric'"),
        (lambda: fitted(Diffusion, "numbers").ode_log_prob(np.full((1, 2), np.nan)), "goes through complete rows"),
        (lambda: Diffusion(**FEW).fit(MOONS).sample(3, np.zeros(3, int)), "ConditionalDiffusion samples by class"),
        (lambda: ConditionalDiffusion(**FEW).fit(MOONS, MOONS[:, 0]), "needs classes, and the task is regression"),
        (lambda: ConditionalDiffusion(**FEW).fit(MOONS, SIDES).sample(3, np.zeros(2, int)), "2 classes for n=3"),
        (lambda: Diffusion(**FEW).fit(MOONS).elbo(MOONS[:, :1]), r"shape \(1,\); the model was fitted on shape \(2,\)"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
