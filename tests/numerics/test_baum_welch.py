"""Baum-Welch against hmmlearn, and its promise never to descend."""

import warnings
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hmmlearn.hmm import GMMHMM, CategoricalHMM, GaussianHMM

from versus.arrays import Ragged
from versus.numerics.baum_welch import Categorical, Gaussian, baum_welch
from versus.numerics.chains import Chain
from versus.numerics.covariances import Regularisation, structure

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
    form, regular = structure("full" if kind == "full" else "diag"), Regularisation(np.full(2, 4.0), 0.0, np.zeros(2))
    x = rng.normal(size=(starts[-1], 2)) + 3 * rng.integers(0, 4, (starts[-1], 1)) + 50
    means = x[rng.choice(len(x), STATES * m, replace=False)]
    weights = np.log(rng.dirichlet(np.full(m, 5.0), size=STATES))
    covariances = np.stack([form.of_variances(regular.prior)] * len(means))
    return Ragged(x, starts), Gaussian(weights, means, covariances, form, regular)


def peer(kind, chain, emissions):
    """Hmmlearn's model with the same start and no priors."""
    options = {"n_iter": STEPS, "tol": -np.inf, "init_params": "", "startprob_prior": 1.0, "transmat_prior": 1.0}
    if kind == "categorical":
        found = CategoricalHMM(STATES, emissionprob_prior=1.0, **options)
        found.emissionprob_ = np.exp(emissions.log_probs)
    elif kind == "mixture":
        found = GMMHMM(STATES, n_mix=2, **options)
        found.weights_, found.means_ = np.exp(emissions.log_weights), emissions.means.reshape(STATES, 2, 2)
        found.covars_ = emissions.covariances.reshape(STATES, 2, 2)
    else:
        form = "full" if kind == "full" else "diag"
        found = GaussianHMM(STATES, form, covars_prior=0.0, covars_weight=1.0, min_covar=0.0, **options)
        found.means_, found.covars_ = emissions.means.copy(), emissions.covariances.copy()
    found.startprob_, found.transmat_ = np.exp(chain.initial), np.exp(chain.transition)
    return found


@pytest.mark.parametrize("kind", ["categorical", "gaussian", "full"])
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
        np.testing.assert_allclose(emissions.means, theirs.means_, rtol=1e-8)
        expanded = emissions.structure.expand(emissions.covariances, STATES, 2)
        np.testing.assert_allclose(expanded, theirs.covars_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["categorical", "gaussian", "full", "mixture"])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_em_never_descends(kind, alpha):
    X, emissions = problem(kind, seed=2)
    if kind == "categorical":
        emissions = Categorical(emissions.log_probs, alpha)
    else:
        emissions = replace(emissions, regular=replace(emissions.regular, pseudo_counts=max(alpha, 1e-9)))
    found = list(islice(baum_welch(start(np.random.default_rng(3), True), emissions, X, alpha), 40))
    values = np.array([value for value, *_ in found])
    assert (np.diff(values) > -1e-9 * abs(values[0])).all()
    assert values[-1] > values[0] + 1
    _, chain, _ = found[-1]
    np.testing.assert_allclose(np.exp(chain.transition).sum(axis=1) + np.exp(chain.final), 1.0)


def test_densities_of_a_mixture_are_those_of_its_normals():
    X, emissions = problem("mixture")
    x, d = X.values, emissions
    means, variances = (part.reshape(STATES, 2, 2) for part in (d.means, d.covariances))
    squares = (x[:, None, None] - means) ** 2 / variances + np.log(2 * np.pi * variances)
    densities = np.exp(d.log_weights - 0.5 * squares.sum(axis=-1))
    np.testing.assert_allclose(d.scores(x), np.log(densities.sum(axis=2)), rtol=1e-9)
    chain = start(np.random.default_rng(1), False)
    theirs = peer("mixture", chain, d).score(x, LENGTHS)
    np.testing.assert_allclose(chain.log_normaliser(Ragged(d.scores(x), X.starts)).sum(), theirs, rtol=1e-9)
