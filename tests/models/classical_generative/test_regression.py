import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.linear_model import LinearRegression

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Number
from versus.models import persistence
from versus.models.classical_generative.regression import GaussianMixtureRegression, GaussianRegression
from versus.models.predictive_mixtures import mixture_quantile


@pytest.fixture(scope="module")
def bent():
    """A target that rises and falls with the first column, in columns of different units."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 3, size=(500, 2)) * [1.0, 10.0]
    return X, 50 * np.abs(X[:, 0]) + X[:, 1] + rng.normal(0, 5, 500)


def models():
    return [
        GaussianRegression(),
        GaussianMixtureRegression(4, random_state=0),
        GaussianMixtureRegression(3, "tied", random_state=0),
    ]


def test_one_normal_is_least_squares(bent):
    X, y = bent
    model = GaussianRegression(var_smoothing=0.0).fit(X, y)
    reference = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-6)
    residual = np.sqrt(((y - reference.predict(X)) ** 2).mean())
    np.testing.assert_allclose(
        model.log_prob_target(X, y), stats.norm(reference.predict(X), residual).logpdf(y), rtol=1e-6
    )
    interval = stats.norm(reference.predict(X), residual).interval(0.8)
    np.testing.assert_allclose(model.predict_interval(X, 0.8), np.stack(interval, axis=1), rtol=1e-6)


def test_the_conditional_is_the_joint_over_the_marginal(bent):
    X, y = bent
    model = GaussianMixtureRegression(4, random_state=0).fit(X, y)
    mixture = model.joint_.mixture_
    components = [stats.multivariate_normal(m, c) for m, c in zip(mixture.means, mixture.covariances, strict=True)]

    def joint(x, target):
        return sum(w * c.pdf([*x, target]) for w, c in zip(mixture.weights, components, strict=True))

    for x in X[:3]:
        span = (y.min() - 200, y.max() + 200)
        marginal = integrate.quad(lambda t, x=x: joint(x, t), *span, limit=200)[0]
        mean = integrate.quad(lambda t, x=x: t * joint(x, t), *span, limit=200)[0] / marginal
        np.testing.assert_allclose(model.log_prob(x[None])[0], np.log(marginal), rtol=1e-6)
        np.testing.assert_allclose(model.predict(x[None])[0], mean, rtol=1e-6)
        expected = np.log(joint(x, 60.0) / marginal)
        np.testing.assert_allclose(model.log_prob_target(x[None], np.array([60.0]))[0], expected, rtol=1e-6)
        low, high = model.predict_interval(x[None], 0.9)[0]
        inside = integrate.quad(lambda t, x=x: joint(x, t), low, high, limit=200)[0] / marginal
        np.testing.assert_allclose(inside, 0.9, rtol=1e-5)


def test_a_mixture_follows_what_a_line_cannot(bent):
    X, y = bent
    line, mixture = (
        GaussianRegression().fit(X, y),
        GaussianMixtureRegression(4, random_state=0).fit(X, y),
    )
    errors = [np.sqrt(((y - m.predict(X)) ** 2).mean()) for m in (line, mixture)]
    assert errors[1] < 0.4 * errors[0]
    assert mixture.log_prob_target(X, y).mean() > line.log_prob_target(X, y).mean() + 0.5


@pytest.mark.parametrize("model", models(), ids=lambda m: type(m).__name__)
def test_intervals_cover_and_samples_resemble(bent, model):
    X, y = bent
    model.fit(X, y)
    low, high = model.predict_interval(X, 0.9).T
    assert ((low < y) & (y < high)).mean() == pytest.approx(0.9, abs=0.08)
    drawn, targets = model.sample_pairs(4000, random_state=0)
    np.testing.assert_array_equal(drawn, model.sample(4000, random_state=0))
    np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.1 * X.std(axis=0).max(), rtol=0.1)
    assert targets.mean() == pytest.approx(y.mean(), rel=0.1)
    with pytest.raises(ValueError, match="sample_pairs"):
        model.sample(3, y=np.zeros(3))


@pytest.mark.parametrize("model", models(), ids=lambda m: type(m).__name__)
def test_a_missing_feature_is_integrated_over(bent, model):
    X, y = bent
    model.fit(X, y)
    axis = np.linspace(-150, 150, 4001)
    line = np.column_stack([np.full_like(axis, 1.2), axis])
    weights = np.exp(model.log_prob(line)) * (axis[1] - axis[0])
    gap = np.array([[1.2, np.nan]])
    np.testing.assert_allclose(np.exp(model.log_prob(gap))[0], weights.sum(), rtol=1e-6)
    np.testing.assert_allclose(model.predict(gap)[0], weights @ model.predict(line) / weights.sum(), rtol=1e-6)
    nothing = np.full((1, 2), np.nan)
    np.testing.assert_allclose(model.log_prob(nothing), 0, atol=1e-9)
    assert model.predict(nothing)[0] == pytest.approx(y.mean(), rel=0.05)


@pytest.mark.parametrize("model", models(), ids=lambda m: type(m).__name__)
def test_a_saved_model_answers_the_same_bits(bent, model, tmp_path):
    X, y = bent
    model.fit(X, y)
    persistence.save(model, tmp_path / "model", "classical_generative", "regression")
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_interval(X, 0.5), model.predict_interval(X, 0.5))
    np.testing.assert_array_equal(loaded.sample(5, random_state=1), model.sample(5, random_state=1))


def test_quantiles_of_mixtures():
    rng = np.random.default_rng(0)
    weights, means, deviations = rng.dirichlet(np.ones(3), 20), rng.normal(size=(20, 3)) * 5, rng.random((20, 3)) + 0.1
    for level in (0.01, 0.5, 0.975):
        found = mixture_quantile(level, weights, means, deviations)
        reached = (weights * stats.norm(means, deviations).cdf(found[:, None])).sum(axis=1)
        np.testing.assert_allclose(reached, level, rtol=1e-9)


def test_arguments_out_of_range_are_named(bent):
    X, y = bent
    with pytest.raises(ValueError, match="needs y"):
        GaussianRegression().fit(X)
    with pytest.raises(ValueError, match="covariance_type='diag'"):
        GaussianMixtureRegression(covariance_type="diag").fit(X, y)
    with pytest.raises(ValueError, match="coverage=1\\.5"):
        GaussianRegression().fit(X, y).predict_interval(X, 1.5)
    schema = Schema(Table((Column("a"), Column("sex", ("f", "m")))), Number())
    with pytest.raises(ValueError, match="'sex' holds"):
        GaussianRegression(schema=schema).fit(X, y)


KINDS = Schema(Table((Column("kind", ("a", "b", "c")), Column("size"), Column("wet", ("no", "yes")))), Number())
LEVELS = [[c, np.nan, w] for c in range(3) for w in range(2)]  # of the categories


def of_kinds(seed, n=600):
    rng = np.random.default_rng(seed)
    kind, wet = rng.choice(3, n, p=[0.5, 0.3, 0.2]), rng.integers(0, 2, n)
    size = np.array([0.0, 1.5, 3.0])[kind] + rng.normal(size=n)
    y = 2 * size + np.array([0.0, 4.0, -3.0])[kind] + 2 * wet + rng.normal(size=n)
    return np.column_stack([kind, size, wet]).astype(float), y


def mixed_models():
    return [
        GaussianRegression(var_smoothing=0.0, schema=KINDS),
        GaussianMixtureRegression(4, random_state=0, schema=KINDS),
        GaussianMixtureRegression(4, "tied", random_state=0, schema=KINDS),
    ]


def completed(row):
    """The row with each combination of the categories that it misses."""
    fits = [c for c in LEVELS if all(np.isnan(row[d]) or row[d] == c[d] for d in (0, 2))]
    return np.array([[c[0], row[1], c[2]] for c in fits])


def test_additive_categories_are_least_squares_on_one_hot_columns():
    X, y = of_kinds(0)
    model = GaussianRegression(var_smoothing=0.0, schema=KINDS).fit(X, y)
    columns = np.column_stack([X[:, 0] == 1, X[:, 0] == 2, X[:, 1:]]).astype(float)
    reference = LinearRegression().fit(columns, y).predict(columns)
    np.testing.assert_allclose(model.predict(X), reference, rtol=1e-6)
    residual = np.sqrt(((y - reference) ** 2).mean())
    np.testing.assert_allclose(model.log_prob_target(X, y), stats.norm(reference, residual).logpdf(y), rtol=1e-6)
    # p(c) are the smoothed frequencies, and p(size | c) is a normal about least squares on the categories
    others = LinearRegression().fit(columns[:, [0, 1, 3]], X[:, 1]).predict(columns[:, [0, 1, 3]])
    deviation = np.sqrt(((X[:, 1] - others) ** 2).mean())
    by_hand = stats.norm(others, deviation).logpdf(X[:, 1])
    for d, size in ((0, 3), (2, 2)):
        counts = np.bincount(X[:, d].astype(int), minlength=size) + 1.0
        by_hand += np.log(counts / counts.sum())[X[:, d].astype(int)]
    np.testing.assert_allclose(model.log_prob(X), by_hand, rtol=1e-6)


@pytest.mark.parametrize("model", mixed_models(), ids=lambda m: type(m).__name__)
def test_a_mixed_joint_density_sums_to_one_and_a_missing_category_is_summed_over(model, tmp_path):
    X, y = of_kinds(0)
    X[::7, 0] = np.nan
    X[3::11, 1] = np.nan
    model.fit(X, y)
    assert model.measure == "mixed"
    sizes, targets = np.linspace(-6, 9, 301), np.linspace(-16, 25, 401)
    grid = np.array([[c[0], s, c[2]] for c in LEVELS for s in sizes])
    p = np.exp(model.log_prob(grid)) * (sizes[1] - sizes[0])
    assert p.sum() == pytest.approx(1, abs=1e-4)
    for row in ([np.nan, 1.0, 1.0], [2.0, -0.5, np.nan], [np.nan, 0.3, np.nan], [1.0, 2.0, 0.0]):
        rows = completed(row)
        log_p = model.log_prob(rows)
        gap = np.array([row])
        assert model.log_prob(gap)[0] == pytest.approx(np.logaddexp.reduce(log_p))
        weights = np.exp(log_p - np.logaddexp.reduce(log_p))
        assert model.predict(gap)[0] == pytest.approx(weights @ model.predict(rows))
        density = [np.exp(model.log_prob_target(np.repeat(rows[[i]], 401, axis=0), targets)) for i in range(len(rows))]
        found = np.exp(model.log_prob_target(np.repeat(gap, 401, axis=0), targets))
        np.testing.assert_allclose(found, weights @ np.array(density), rtol=1e-6)
        assert found.sum() * (targets[1] - targets[0]) == pytest.approx(1, abs=1e-4)
        low, high = model.predict_interval(gap, 0.8)[0]
        assert found[(targets > low) & (targets < high)].sum() * (targets[1] - targets[0]) == pytest.approx(
            0.8, abs=0.03
        )
    np.testing.assert_allclose(model.log_prob(np.full((1, 3), np.nan)), 0, atol=1e-9)
    persistence.save(model, tmp_path / "model", "classical_generative", "regression")
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_interval(X, 0.5), model.predict_interval(X, 0.5))
    np.testing.assert_array_equal(loaded.sample(9, random_state=1), model.sample(9, random_state=1))


@pytest.mark.parametrize("model", mixed_models(), ids=lambda m: type(m).__name__)
def test_drawn_pairs_have_the_categories_and_the_dependence_of_the_data(model):
    (X, y), (new, expected) = of_kinds(0), of_kinds(1)
    model.fit(X, y)
    assert np.sqrt(((model.predict(new) - expected) ** 2).mean()) < 0.6 * np.std(expected)
    drawn, targets = model.sample_pairs(6000, random_state=0)
    assert set(drawn[:, 0]) == {0, 1, 2}
    for kind in range(3):
        mine, theirs = drawn[:, 0] == kind, X[:, 0] == kind
        assert mine.mean() == pytest.approx(theirs.mean(), abs=0.03)
        assert targets[mine].mean() == pytest.approx(y[theirs].mean(), abs=0.6)
        assert drawn[mine, 1].mean() == pytest.approx(X[theirs, 1].mean(), abs=0.4)


@pytest.mark.parametrize("model_class", [GaussianRegression, GaussianMixtureRegression])
def test_all_features_may_be_categorical_and_more_may_miss_than_can_be_listed(model_class):
    X, y = of_kinds(0)
    schema = Schema(Table(KINDS.columns[::2]), Number())
    model = model_class(schema=schema).fit(X[:, ::2], y)
    assert model.measure == "discrete"
    levels = np.array(LEVELS)[:, ::2]
    np.testing.assert_allclose(np.exp(model.log_prob(levels)).sum(), 1)
    many = np.random.default_rng(0).integers(0, 5, (300, 9)).astype(float)
    wide = Schema(Table(tuple(Column(f"c{d}", tuple("abcde")) for d in range(9))), Number())
    model = model_class(schema=wide).fit(many, many.sum(axis=1))
    assert model.predict(np.full((2, 9), np.nan)) == pytest.approx(many.sum(axis=1).mean(), abs=0.5)
    assert np.isfinite(model.predict_interval(np.full((2, 9), np.nan), 0.9)).all()
