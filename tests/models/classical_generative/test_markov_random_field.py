"""Pairwise Markov random fields, against enumeration, finite differences and logistic regression."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import logsumexp, softmax

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.evaluation.answers import capabilities
from versus.models.classical_generative.markov_random_field import MarkovRandomField
from versus.numerics.dependence import one_hot
from versus.numerics.pseudo_likelihood import PairwiseModel

SIZES = (2, 3, 2)
ALL_ROWS = np.array(list(product(*map(range, SIZES))), dtype=float)


def rows_of(n, sizes=SIZES, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    X = [rng.integers(size, size=n) for size in sizes]
    for d in range(1, len(sizes)):  # each follows the one before it, differently in each class
        X[d] = np.where(rng.random(n) < 0.6, (X[d - 1] + y) % sizes[d], X[d])
    columns = tuple(Column(f"c{d}", tuple(f"v{v}" for v in range(size))) for d, size in enumerate(sizes))
    return np.stack(X, axis=1).astype(float), y, Schema(Table(columns), Classes(("a", "b")))


@pytest.fixture(scope="module")
def fitted():
    X, y, schema = rows_of(2000)
    return MarkovRandomField(schema=schema).fit(X, y), X, y


def enumerated(model):
    """Log p(x, y) of all rows and classes from the weights alone, (rows, K)."""
    field = model.field_
    scores = []
    for k in range(2):
        both = one_hot(np.column_stack([ALL_ROWS, np.full(len(ALL_ROWS), k)]), field.sizes, float)
        scores.append(both @ field.biases + 0.5 * np.einsum("ns,st,nt->n", both, field.weights, both))
    joint = np.stack(scores, axis=1)
    return joint - logsumexp(joint)


def test_joint_and_gaps_are_those_of_the_enumerated_field(fitted):
    model, *_ = fitted
    expected = enumerated(model)
    np.testing.assert_allclose(model.log_joint(ALL_ROWS), expected)
    np.testing.assert_allclose(model.log_prior_, logsumexp(expected, axis=0))
    for hidden in product([False, True], repeat=3):
        row = np.where(hidden, np.nan, ALL_ROWS[7])
        agree = ((ALL_ROWS[7] == ALL_ROWS) | np.array(hidden)).all(axis=1)
        np.testing.assert_allclose(model.log_joint(row[None])[0], logsumexp(expected[agree], axis=0))


def test_samples_have_the_frequencies_that_the_field_says(fitted):
    model, *_ = fitted
    for label in (0, 1):
        drawn = model.sample(8000, y=np.full(8000, label), random_state=label)
        counts = np.bincount(np.ravel_multi_index(tuple(drawn.astype(int).T), SIZES), minlength=len(ALL_ROWS))
        p = softmax(enumerated(model)[:, label])
        assert (np.abs(counts / 8000 - p) < 5 * np.sqrt(p / 8000) + 1e-4).all()


def test_the_gradient_is_that_of_the_loss_and_the_fit_has_none():
    X, y, _ = rows_of(60)
    codes = np.column_stack([X, y])
    codes[:9, 0] = np.nan
    model = PairwiseModel((*SIZES, 2), list(combinations(range(4), 2)))
    indicators = one_hot(codes, model.sizes, float)
    point = np.random.default_rng(1).normal(size=9 + int(model.upper.sum()))
    loss, gradient = model.loss(point, indicators, 0.7)
    numeric = approx_fprime(point, lambda p: model.loss(p, indicators, 0.7)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-3)
    model.fit(codes, 0.7, 500)
    best = np.concatenate([model.biases, model.weights[model.upper]])
    found, slope = model.loss(best, indicators, 0.7)
    assert found < loss
    assert np.abs(slope).max() / len(codes) < 1e-3


def test_the_pseudo_likelihood_is_the_sum_of_the_enumerated_conditionals():
    """Of 13 columns of 4 categories, no exact sum is possible; of their first three, it is."""
    X, y, schema = rows_of(300, (4,) * 13)
    dense = MarkovRandomField(schema=schema, max_iter=5).fit(X, y)
    assert {"pseudo_log_prob"} == {"pseudo_log_prob", "log_prob"} & set(capabilities(dense))
    rows = X[:5]
    changed = np.repeat(rows[:, None, None], 13, axis=1).repeat(4, axis=2)  # (5, column, value, 13)
    changed[:, np.arange(13), :, np.arange(13)] = np.arange(4)
    scores = logsumexp(dense.log_joint(changed.reshape(-1, 13)), axis=1).reshape(5, 13, 4)
    conditionals = scores - logsumexp(scores, axis=2, keepdims=True)
    expected = np.take_along_axis(conditionals, rows.astype(int)[:, :, None], axis=2)[..., 0].sum(axis=1)
    np.testing.assert_allclose(dense.pseudo_log_prob(rows), expected)
    assert dense.sample(3, random_state=0).shape == (3, 13)
    sparse = MarkovRandomField(schema=schema, n_edges=14, max_iter=5).fit(X, y)
    assert {"log_prob"} == {"pseudo_log_prob", "log_prob"} & set(capabilities(sparse))
    (graph,) = sparse.graphs()
    assert {(d, d + 1) for d in range(12)} < set(graph.arcs)
    assert len(graph.arcs) == 14


def test_with_many_rows_the_field_is_the_truth(fitted):
    """The pairs' frequencies, which maximum likelihood would match, are matched nearly."""
    model, X, y = fitted
    p = np.exp(enumerated(model))
    for i, j in combinations(range(3), 2):
        expected = np.zeros((SIZES[i], SIZES[j]))
        np.add.at(expected, tuple(ALL_ROWS[:, [i, j]].astype(int).T), p.sum(axis=1))
        found = np.zeros_like(expected)
        np.add.at(found, tuple(X[:, [i, j]].astype(int).T), 1 / len(X))
        assert np.abs(found - expected).max() < 0.02
    assert (model.predict(X) == y).mean() > 0.6
