"""Flows: densities that integrate to one over numbers, categories and pixels, and draws that they describe."""

from itertools import islice

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes, Nothing
from versus.models import persistence
from versus.models.deep_generative.flows import ConditionalFlow, Flow

FEW = {"device": "cpu", "random_state": 0, "hidden_layer_sizes": (32, 32), "batch_size": 100}


def bent(n, seed):
    """A normal around a parabola, in large units; the class says on which side."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    a = rng.standard_normal(n) * 0.7 + 2 * y - 1
    return np.stack([1000 * a, 5 + a**2 + 0.3 * rng.standard_normal(n)], axis=1), y


def mixed(n, seed):
    """Three categories, two that depend on them, and a number that depends on both."""
    rng = np.random.default_rng(seed)
    first = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    second = (first + (rng.random(n) < 0.2)) % 2
    return np.stack([first, 10 * first + second + rng.standard_normal(n), second], axis=1)


MIXED = Schema(Table((Column("a", ("x", "y", "z")), Column("u"), Column("b", ("p", "q")))), Nothing())


@pytest.mark.parametrize("kind", ["coupling", "autoregressive", "spline"])
def test_a_density_of_two_numbers_integrates_to_one_and_is_that_of_its_draws(kind):
    X, _ = bent(500, 0)
    model = Flow(kind=kind, epochs=10, n_transforms=2, **FEW).fit(X)
    low, high = X.min(axis=0) - np.ptp(X, axis=0), X.max(axis=0) + np.ptp(X, axis=0)
    axes = [np.linspace(a, b, 160) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    p = np.exp(model.log_prob(grid.reshape(-1, 2))).reshape(160, 160) * np.prod([a[1] - a[0] for a in axes])
    assert p.sum() == pytest.approx(1.0, abs=0.02)
    drawn = model.sample(4000, random_state=1)
    for axis in (0, 1):
        below = np.searchsorted(np.sort(drawn[:, axis]), axes[axis]) / len(drawn)
        of_cells = p.sum(axis=1 - axis)
        np.testing.assert_allclose(np.cumsum(of_cells) - of_cells / 2, below, atol=0.03)
    np.testing.assert_array_equal(drawn, model.sample(4000, random_state=1))


def test_an_affine_flow_of_normal_numbers_is_their_normal():
    """Without hidden layers each number is normal with a mean that is linear in those before."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 3)) @ np.array([[1.0, 0.6, -0.3], [0.0, 1.0, 0.5], [0.0, 0.0, 0.4]]) + 7
    arguments = {**FEW, "hidden_layer_sizes": (), "noise": 0.0, "n_transforms": 1, "epochs": 15}
    model = Flow(kind="autoregressive", learning_rate=0.04, **arguments).fit(X)
    exact = multivariate_normal(X.mean(axis=0), np.cov(X.T)).logpdf(X)
    assert np.abs(model.log_prob(X) - exact).mean() < 0.05


def test_categories_and_numbers_have_one_density_which_sums_and_integrates_to_one():
    X = mixed(800, 0)
    model = Flow(epochs=15, n_transforms=1, learning_rate=0.01, schema=MIXED, **FEW).fit(X)
    assert model.measure == "mixed"
    line, mass = np.linspace(-15, 40, 3000), np.zeros((3, 2))
    for a in range(3):
        for b in range(2):
            rows = np.stack([np.full(3000, a), line, np.full(3000, b)], axis=1)
            mass[a, b] = np.exp(model.log_prob(rows)).sum() * (line[1] - line[0])
    assert mass.sum() == pytest.approx(1.0, abs=0.01)
    for rows in (X, model.sample(4000, random_state=0)):
        codes = rows[:, [0, 2]].astype(int)
        found = np.bincount(codes[:, 0] * 2 + codes[:, 1], minlength=6).reshape(3, 2) / len(rows)
        np.testing.assert_allclose(found, mass, atol=0.04)
        assert np.abs(rows[:, 1] - 10 * codes[:, 0] - codes[:, 1]).mean() < 1.2
    with pytest.raises(ValueError, match="no missing values"):
        model.log_prob(np.array([[0, np.nan, 1]]))


def test_a_table_of_categories_alone_has_probabilities_that_sum_to_one():
    schema = Schema(Table((Column("a", ("x", "y", "z")), Column("b", ("p", "q")))), Nothing())
    X = mixed(900, 0)[:, [0, 2]]
    model = Flow(epochs=12, learning_rate=0.01, schema=schema, **FEW).fit(X)
    every = np.array([(a, b) for a in range(3) for b in range(2)], float)
    p = np.exp(model.log_prob(every))
    assert model.measure == "discrete"
    assert p.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(p, [(row == X).all(axis=1).mean() for row in every], atol=0.04)


def test_the_density_of_dequantised_pixels_integrates_to_their_probabilities():
    """Two pixels of three levels: the density over each cell [x, x + 1) is the mass of the drawn integers."""
    rng = np.random.default_rng(0)
    first = rng.choice(3, 800, p=[0.6, 0.3, 0.1])
    X = np.stack([first, np.where(rng.random(800) < 0.8, first, 1)], axis=1).reshape(-1, 1, 2).astype(np.uint8)
    schema = Schema(Image((1, 2), 3), Nothing())
    model = Flow(epochs=20, n_transforms=2, learning_rate=0.01, schema=schema, **FEW).fit(X)
    middles = (np.arange(90) + 0.5) / 30
    grid = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    p = np.exp(model.log_prob(grid)).reshape(3, 30, 3, 30).mean(axis=(1, 3))
    assert p.sum() == pytest.approx(1.0, abs=0.08)  # what leaks beyond the pixels' range
    drawn = model.sample(5000, random_state=0)
    assert drawn.dtype == np.uint8
    for pixels in (X, drawn):
        found = np.bincount(pixels[:, 0, 0] * 3 + pixels[:, 0, 1], minlength=9).reshape(3, 3) / len(pixels)
        np.testing.assert_allclose(found, p, atol=0.06)
    np.testing.assert_allclose(model.log_prob(X[:5]), model.log_prob(X[:5] + 0.5), atol=1e-4)
    given = model.log_prob(X[:300] + rng.random((300, 1, 2))).mean()
    assert given < np.log(p[X[:300, 0, 0], X[:300, 0, 1]]).mean()  # a bound, by Jensen's inequality


@pytest.fixture(scope="module")
def told_the_class():
    X, y = bent(800, 0)
    return ConditionalFlow(epochs=15, kind="coupling", n_transforms=4, **FEW).fit(X, y), X, y


def test_classes_are_told_by_the_rule_of_bayes(told_the_class):
    model, X, y = told_the_class
    new, truth = bent(1000, 1)
    assert (model.predict(new) == truth).mean() > 0.88
    np.testing.assert_allclose(np.logaddexp(*model.log_joint(new).T), model.log_prob(new))
    drawn = model.sample(1000, y=np.ones(1000, np.int64), random_state=0)
    assert np.median(drawn[:, 0]) == pytest.approx(np.median(X[y == 1, 0]), abs=150)
    with pytest.raises(ValueError, match="needs classes"):
        ConditionalFlow(schema=MIXED, **FEW).fit(mixed(50, 0))
    with pytest.raises(ValueError, match="kind='coupling' needs two"):
        Flow(kind="coupling", **FEW).fit(X[:, :1])


def test_a_flow_begins_calm_so_that_pixels_that_are_lit_once_do_no_harm():
    X = np.zeros((200, 16, 16), np.uint8)
    X[:, 4:8, 4:8] = np.random.default_rng(0).integers(0, 256, (200, 4, 4))
    X[[7, 8, 9], [0, 1, 2]] = 255  # rows of pixels that are black in all other images
    schema = Schema(Image((16, 16), 256), Nothing())
    model = Flow(
        kind="coupling", n_transforms=8, hidden_layer_sizes=(256, 256), epochs=2, schema=schema, random_state=0
    )
    losses = [step.losses["train_loss"] for step in model.fit_steps(X, None)]
    assert losses[-1] < 3 * 256  # nats; 200,000 a pixel where transforms begin with all their weight


def test_a_resumed_fit_and_a_saved_model_have_the_same_bits(told_the_class, tmp_path):
    model, X, y = told_the_class
    arguments = {name: value for name, value in model.arguments().items() if name != "schema"}
    state = list(islice(ConditionalFlow(**arguments).fit_steps(X, y), 6))[-1].state()
    rest = ConditionalFlow(**arguments)
    for _ in rest.fit_steps(X, y, resume=state):
        pass
    model.schema = model.schema_
    persistence.save(model, tmp_path / "m", "deep_generative", "flows")
    for other in (rest, persistence.load(tmp_path / "m")):
        np.testing.assert_array_equal(other.log_joint(X), model.log_joint(X))
        np.testing.assert_array_equal(other.sample(20, random_state=3), model.sample(20, random_state=3))


def test_a_row_of_weight_two_counts_as_two():
    X, y = bent(100, 0)
    weights = 1 + y
    few = {**FEW, "epochs": 1, "batch_size": 500, "noise": 0.0, "schema": Schema.of(X)}
    weighted, twice = Flow(**few).fit(X, sample_weight=weights), Flow(**few).fit(X[np.repeat(np.arange(100), weights)])
    np.testing.assert_allclose(weighted.log_prob(X), twice.log_prob(X), atol=1e-3)


def test_the_classes_of_a_schema_name_what_is_drawn():
    schema = Schema(MIXED.x, Classes(("left", "right")))
    X = mixed(300, 0)
    model = ConditionalFlow(epochs=15, n_transforms=1, learning_rate=0.02, schema=schema, **FEW)
    model.fit(X, X[:, 2].astype(np.int64))
    drawn = model.sample(400, y=np.arange(400) % 2, random_state=0)
    schema.x.check(drawn)
    assert (drawn[:, 2] == np.arange(400) % 2).mean() > 0.8
