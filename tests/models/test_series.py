"""Taggers of sequences of rows: enumeration, parity, states that EM finds, their own draws, and files."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Column, Series
from versus.data.targets import Tags
from versus.models import persistence
from versus.models.classical_generative.hidden_markov_em import GaussianHMM
from versus.models.classical_generative.hidden_markov_gaussian import GaussianHiddenMarkovModel
from versus.models.discriminative.baseline import MostFrequentTag
from versus.models.discriminative.conditional_random_field import ConditionalRandomField, Objective
from versus.models.discriminative.token_logistic import TokenLogisticRegression

SCHEMA = Schema(Series((Column("left"), Column("right"))), Tags(("rest", "walk", "run")))
MEANS = np.array([[0.0, 0.0], [3.0, 1.0], [3.0, -1.0]])


def walks(n, seed=0):
    """States that mostly stay, in a fixed order; the last two overlap, and columns go together in the second."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        states = (rng.integers(3) + np.cumsum(rng.random(rng.integers(5, 15)) < 0.2)) % 3
        noise = rng.normal(size=(len(states), 2))
        noise[states == 1, 1] = 0.8 * noise[states == 1, 0] + 0.6 * noise[states == 1, 1]
        X.append(MEANS[states] + noise)
        y.append(states)
    return Ragged.of(X), Ragged.of(y, np.int64)


@pytest.fixture(scope="module")
def learned():
    return walks(80)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_log_prob_is_the_sum_over_all_paths(learned, covariance_type):
    model = GaussianHiddenMarkovModel(
        covariance_type=covariance_type, pseudo_counts=0.0, var_smoothing=0.0, schema=SCHEMA
    ).fit(*learned)
    x, tags, chain = learned[0].values, learned[1].values, model.chain_
    asked = learned[0][:4]
    asked = Ragged.of([each[:4] for each in asked])
    log_prob, marginals, best = model.log_prob(asked), model.predict_marginals(asked), model.predict(asked)
    covariances = [np.cov(x[tags == k].T, bias=True) for k in range(3)]
    if covariance_type == "diag":
        covariances = [np.diag(np.diag(c)) for c in covariances]
    normals = [multivariate_normal(x[tags == k].mean(axis=0), c) for k, c in enumerate(covariances)]
    for i, one in enumerate(asked):
        every = np.array(list(product(range(3), repeat=len(one))))
        emitted = np.stack([normal.logpdf(one) for normal in normals], axis=1)
        joints = chain.initial[every[:, 0]] + chain.transition[every[:, :-1], every[:, 1:]].sum(axis=1)
        joints = joints + emitted[np.arange(len(one)), every].sum(axis=1) + chain.final[every[:, -1]]
        np.testing.assert_allclose(log_prob[i], logsumexp(joints))
        of_run = [np.exp(joints[every[:, t] == 2] - log_prob[i]).sum() for t in range(len(one))]
        np.testing.assert_allclose(marginals[i][:, 2], of_run)
        np.testing.assert_array_equal(best[i], every[joints.argmax()])


def test_a_chain_tells_what_a_row_does_not(learned):
    X, y = walks(60, seed=1)
    models = [
        MostFrequentTag(schema=SCHEMA),
        TokenLogisticRegression(window=0, schema=SCHEMA),
        TokenLogisticRegression(window=1, schema=SCHEMA),
        ConditionalRandomField(window=1, schema=SCHEMA),
        GaussianHiddenMarkovModel(schema=SCHEMA),
    ]
    right = [(model.fit(*learned).predict(X).values == y.values).mean() for model in models]
    assert right[0] < 0.45
    assert right[0] + 0.2 < right[1] < right[2] < min(right[3:])
    mixed = GaussianHiddenMarkovModel(2, schema=SCHEMA).fit(*learned)
    assert (mixed.predict(X).values == y.values).mean() > right[2]


def test_without_a_chain_it_is_scikit_learns_logistic_regression(learned):
    X, y = learned
    model = TokenLogisticRegression(C=0.5, max_iter=2000, tol=1e-9, schema=SCHEMA).fit(X, y)
    z = (X.values - X.values.mean(axis=0)) / X.values.std(axis=0)
    by_sequence = Ragged(z, X.starts)
    rows = []
    for one in by_sequence:
        ends = np.pad(np.column_stack([one, np.ones(len(one))]), ((1, 1), (0, 0)))
        rows.append(np.hstack([ends[:-2], ends[1:-1], ends[2:]]))
    Z = np.concatenate(rows)
    reference = LogisticRegression(C=0.5, max_iter=5000, tol=1e-10).fit(Z, y.values)
    np.testing.assert_allclose(model.predict_marginals(X).values, reference.predict_proba(Z), atol=1e-5)


def test_the_gradient_is_that_of_the_loss():
    X, y = walks(3)
    features = ConditionalRandomField(window=1, max_iter=1, schema=SCHEMA).fit(X, y).features_
    objective = Objective(features, X, y, 3, C=2.0)
    flat = np.random.default_rng(0).normal(size=objective.size)
    assert check_grad(lambda w: objective(w)[0], lambda w: objective(w)[1], flat) < 1e-4


@pytest.mark.parametrize(("covariance_type", "n_mix"), [("diag", 1), ("full", 1), ("diag", 2)])
def test_em_finds_the_states(learned, covariance_type, n_mix):
    X, y = learned
    options = {"n_mix": n_mix, "covariance_type": covariance_type, "n_init": 3, "random_state": 0, "schema": SCHEMA}
    model = GaussianHMM(n_components=3, **options).fit(X, y)
    assert (np.diff(model.trace_) > -1e-6).all()
    assert (model.predict(X).values == y.values).mean() > 0.85
    alone = GaussianHMM(n_components=1, **options).fit(X, y)
    fresh = walks(60, seed=2)[0]
    assert model.log_prob(fresh).mean() > alone.log_prob(fresh).mean() + 1


@pytest.mark.parametrize("model", [
    GaussianHiddenMarkovModel(2, random_state=0, schema=SCHEMA),
    GaussianHMM(n_components=3, covariance_type="full", max_iter=30, random_state=0, schema=SCHEMA),
], ids=["tags", "em"])  # fmt: skip
def test_draws_are_as_the_data_were(model, learned):
    X, y = learned
    drawn = model.fit(X, y).sample(800, random_state=0)
    assert abs(drawn.lengths.mean() - X.lengths.mean()) < 1.5
    np.testing.assert_allclose(drawn.values.mean(axis=0), X.values.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(np.cov(drawn.values.T), np.cov(X.values.T), atol=0.5)
    if isinstance(model, GaussianHiddenMarkovModel):
        runs = model.sample(300, y=Ragged.of([[2, 2]] * 300, np.int64), random_state=0)
        np.testing.assert_allclose(runs.values.mean(axis=0), X.values[y.values == 2].mean(axis=0), atol=0.2)


@pytest.mark.parametrize(("model", "family", "module"), [
    (GaussianHiddenMarkovModel(2, random_state=0, schema=SCHEMA), "classical_generative", "hidden_markov_gaussian"),
    (GaussianHMM(n_components=3, n_mix=2, covariance_type="full", max_iter=5, random_state=0, schema=SCHEMA),
     "classical_generative", "hidden_markov_em"),
    (ConditionalRandomField(schema=SCHEMA), "discriminative", "conditional_random_field"),
    (TokenLogisticRegression(schema=SCHEMA), "discriminative", "token_logistic"),
    (MostFrequentTag(schema=SCHEMA), "discriminative", "baseline"),
], ids=["tags", "em", "crf", "logistic", "baseline"])  # fmt: skip
def test_a_saved_model_answers_the_same_bits(model, family, module, learned, tmp_path):
    X, y = learned
    model.fit(X, y)
    persistence.save(model, tmp_path / "model", family, module)
    loaded = persistence.load(tmp_path / "model")
    x = np.random.default_rng(0).normal(size=(10_000, 2)) * 3
    long = Ragged.of([x, x[:1]])
    assert np.isfinite(model.predict_marginals(long).values).all()
    np.testing.assert_array_equal(loaded.predict_marginals(long).values, model.predict_marginals(long).values)
    np.testing.assert_array_equal(loaded.predict(X).values, model.predict(X).values)
    if family == "classical_generative":
        np.testing.assert_array_equal(loaded.log_prob(long), model.log_prob(long))
        np.testing.assert_array_equal(loaded.sample(9, random_state=1).values, model.sample(9, random_state=1).values)
    for name, array in model.get_arrays().items():
        with pytest.raises(ValueError, match="array"):
            type(model)(**model.arguments(), schema=SCHEMA).set_arrays(model.get_arrays() | {name: array[:-1]})


def test_what_is_no_series_is_refused(learned):
    X, y = learned
    tokens = Ragged(np.zeros(len(X.values), np.int32), X.starts)
    with pytest.raises(ValueError, match="rows of 2 numbers are Ragged"):
        GaussianHiddenMarkovModel(schema=SCHEMA).fit(tokens, y)
    with pytest.raises(ValueError, match="sequences of rows of numbers are needed"):
        GaussianHiddenMarkovModel().fit(tokens, y)
    missing = Ragged(np.where(np.arange(len(X.values))[:, None] == 3, np.nan, X.values), X.starts)
    with pytest.raises(ValueError, match="missing or infinite"):
        GaussianHMM(schema=SCHEMA).fit(missing, y)
