"""Baum-Welch against hmmlearn, and its promise never to descend."""

import warnings
from itertools import islice

import numpy as np
import pytest
from hmmlearn.hmm import GMMHMM, CategoricalHMM, GaussianHMM

from versus.arrays import Ragged
from versus.numerics.baum_welch import Categorical, Gaussian, baum_welch
from versus.numerics.chains import Chain

STATES, STEPS = 3, 6
LENGTHS = [7, 30, 1, 12, 12, 3]


def start(rng, ends):
    rows = rng.dirichlet(np.full(STATES + ends, 5.0), size=STATES)
    final = np.log(rows[:, -1]) if ends else np.zeros(STATES)
    return Chain(np.log(rng.dirichlet(np.full(STATES, 5.0))), np.log(rows[:, :STATES]), final)


def problem(kind, seed=0):
    """Sequences and emissions to begin with."""
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(LENGTHS)])
    if kind == "categorical":
        X = Ragged(rng.integers(0, 5, starts[-1]), starts)
        return X, Categorical(np.log(rng.dirichlet(np.ones(5), size=STATES)))
    m = 2 if kind == "mixture" else 1
    x = rng.normal(size=(starts[-1], 2)) + 3 * rng.integers(0, 4, (starts[-1], 1)) + 50
    means = x[rng.choice(len(x), STATES * m, replace=False)].reshape(STATES, m, 2)
    weights = np.log(rng.dirichlet(np.full(m, 5.0), size=STATES))
    return Ragged(x, starts), Gaussian(weights, means, np.full_like(means, 4.0), np.full(2, 1e-3))


def peer(kind, chain, emissions):
    """Hmmlearn's model with the same start and no priors."""
    options = {"n_iter": STEPS, "tol": -np.inf, "init_params": "", "startprob_prior": 1.0, "transmat_prior": 1.0}
    if kind == "categorical":
        found = CategoricalHMM(STATES, emissionprob_prior=1.0, **options)
        found.emissionprob_ = np.exp(emissions.log_probs)
    elif kind == "mixture":
        found = GMMHMM(STATES, n_mix=2, **options)
        found.weights_, found.means_ = np.exp(emissions.log_weights), emissions.means.copy()
        found.covars_ = emissions.variances.copy()
    else:
        found = GaussianHMM(STATES, covars_prior=0.0, covars_weight=1.0, min_covar=0.0, **options)
        found.means_, found.covars_ = emissions.means[:, 0].copy(), emissions.variances[:, 0].copy()
    found.startprob_, found.transmat_ = np.exp(chain.initial), np.exp(chain.transition)
    return found


@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
def test_every_step_is_hmmlearns(kind):
    X, emissions = problem(kind)
    chain = start(np.random.default_rng(1), ends=False)
    theirs = peer(kind, chain, emissions)
    columns = X.values if X.values.ndim == 2 else X.values[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(columns, LENGTHS)
    values = list(islice(baum_welch(chain, emissions, X, ends=False), STEPS))
    np.testing.assert_allclose([value for value, *_ in values], list(theirs.monitor_.history)[-STEPS:], rtol=1e-9)
    _, chain, emissions = values[-1]
    np.testing.assert_allclose(np.exp(chain.transition), theirs.transmat_, atol=1e-8)
    np.testing.assert_allclose(np.exp(chain.initial), theirs.startprob_, atol=1e-8)
    if kind == "categorical":
        np.testing.assert_allclose(np.exp(emissions.log_probs), theirs.emissionprob_, atol=1e-8)
    else:
        np.testing.assert_allclose(emissions.means[:, 0], theirs.means_, rtol=1e-8)
        np.testing.assert_allclose(emissions.variances[:, 0], [np.diag(c) for c in theirs.covars_], rtol=1e-6)


@pytest.mark.parametrize("kind", ["categorical", "gaussian", "mixture"])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_em_never_descends(kind, alpha):
    X, emissions = problem(kind, seed=2)
    if kind == "categorical":
        emissions = Categorical(emissions.log_probs, alpha)
    found = list(islice(baum_welch(start(np.random.default_rng(3), True), emissions, X, alpha), 40))
    values = np.array([value for value, *_ in found])
    assert (np.diff(values) > -1e-9 * abs(values[0])).all()
    assert values[-1] > values[0] + 1
    _, chain, _ = found[-1]
    np.testing.assert_allclose(np.exp(chain.transition).sum(axis=1) + np.exp(chain.final), 1.0)


def test_densities_of_a_mixture_are_those_of_its_normals():
    X, emissions = problem("mixture")
    x, d = X.values, emissions
    squares = (x[:, None, None] - d.means) ** 2 / d.variances + np.log(2 * np.pi * d.variances)
    densities = np.exp(d.log_weights - 0.5 * squares.sum(axis=-1))
    np.testing.assert_allclose(d.scores(x), np.log(densities.sum(axis=2)), rtol=1e-9)
    chain = start(np.random.default_rng(1), False)
    theirs = peer("mixture", chain, d).score(x, LENGTHS)
    np.testing.assert_allclose(chain.log_normaliser(Ragged(d.scores(x), X.starts)).sum(), theirs, rtol=1e-9)
