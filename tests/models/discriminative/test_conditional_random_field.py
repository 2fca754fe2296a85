"""The conditional random field against enumeration, autograd, CRFsuite, and what only a chain can tell."""

from itertools import product

import numpy as np
import pycrfsuite
import pytest
import torch
from scipy.special import logsumexp

from tests.models.small_text import coded, sentences, written_out
from versus.arrays import Ragged
from versus.models.discriminative.conditional_random_field import ConditionalRandomField, Objective


@pytest.fixture(scope="module")
def fitted():
    X, y, schema = sentences(60)
    given = {"C": 0.5, "window": 1, "affixes": 2, "pairs": True, "tol": 1e-12}
    return ConditionalRandomField(**given, schema=schema).fit(X, y), X, y, schema


def test_answers_are_those_over_all_paths(fitted):
    model, *_ = fitted
    X = Ragged.of([[3, 0, 5], [1], [0, 7, 2, 0]], np.int32)
    scores = Ragged(model.features_.window(X).scores(model.coefficients()), X.starts)
    marginals, tags = model.predict_marginals(X), model.predict(X)
    for i, one in enumerate(scores):
        every = np.array(list(product(range(4), repeat=len(one))))
        weights = one[np.arange(len(one)), every].sum(axis=1)
        weights = weights + model.transition_[every[:, :-1], every[:, 1:]].sum(axis=1)
        shares = np.exp(weights - logsumexp(weights))
        expected = [[shares[every[:, t] == k].sum() for k in range(4)] for t in range(len(one))]
        np.testing.assert_allclose(marginals[i], expected, atol=1e-12)
        np.testing.assert_array_equal(tags[i], every[shares.argmax()])
        asked = X[np.full(len(every), i)]
        log_probs = model.log_prob_target(asked, Ragged(every.ravel(), asked.starts))
        np.testing.assert_allclose(np.exp(log_probs), shares, atol=1e-12)


def test_each_tag_can_be_decided_by_itself(fitted):
    _, X, y, schema = fitted
    model = ConditionalRandomField(decode="posterior", max_iter=5, schema=schema).fit(X, y)
    np.testing.assert_array_equal(model.predict(X).values, model.predict_marginals(X).values.argmax(axis=1))


def test_the_gradient_is_autograds():
    X, y, schema = sentences(5)
    model = ConditionalRandomField(window=1, max_iter=1, schema=schema).fit(X, y)
    objective = Objective(model.features_, X, y, 4, C=2.0)
    flat = np.random.default_rng(0).normal(size=objective.size)
    value, gradient = objective(flat)
    free = torch.tensor(flat, requires_grad=True)
    weights = torch.zeros(int(np.prod(objective.shape)), dtype=torch.float64)
    weights = weights.index_put((torch.tensor(objective.entries),), free[:-16]).reshape(objective.shape)
    steps = free[-16:].reshape(4, 4)
    loss = (free**2).sum() / 4
    for i in range(len(X)):
        words = [-1, *X[i].tolist(), -1]
        by_word = torch.tensor(model.features_.matrix.toarray()) @ weights.reshape(-1, 4)
        by_word = by_word.reshape(3, -1, 4)
        scores = sum(by_word[place, words[place : len(words) - 2 + place]] for place in range(3))
        alpha = scores[0]
        for score in scores[1:]:
            alpha = torch.logsumexp(alpha[:, None] + steps, 0) + score
        tags = torch.tensor(y[i])
        right = scores[torch.arange(len(tags)), tags].sum() + steps[tags[:-1], tags[1:]].sum()
        loss = loss + torch.logsumexp(alpha, 0) - right
    loss.backward()
    np.testing.assert_allclose(value, loss.item())
    np.testing.assert_allclose(gradient, free.grad.numpy(), atol=1e-10)


def test_the_optimum_is_crfsuites(fitted, tmp_path):
    model, X, y, schema = fitted
    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    trainer.set_params({"c1": 0, "c2": 1, "feature.possible_transitions": True, "epsilon": 1e-9, "delta": 1e-13})
    tokens = iter(written_out(X, schema, 2, pairs=True))
    for tags in y:
        attributes = [list(next(tokens)) for _ in tags]
        trainer.append(attributes, [schema.y.names[k] for k in tags])
    trainer.train(str(tmp_path / "peer"))
    peer = pycrfsuite.Tagger()
    peer.open(str(tmp_path / "peer"))
    np.testing.assert_allclose(model.loss_[-1], trainer.logparser.last_iteration["loss"], rtol=1e-6)
    steps = peer.info().transitions
    expected = [[steps[a, b] for b in schema.y.names] for a in schema.y.names]
    np.testing.assert_allclose(model.transition_, expected, atol=1e-3)
    penalty = sum(w**2 for w in [*peer.info().state_features.values(), *steps.values()])
    np.testing.assert_allclose((model.weights_**2).sum() + (model.transition_**2).sum(), penalty, rtol=1e-4)
    tokens, marginals = iter(written_out(X[:5], schema, 2, pairs=True)), model.predict_marginals(X[:5])
    for i in range(5):
        peer.set([list(next(tokens)) for _ in X[i]])
        found = [[peer.marginal(name, t) for name in schema.y.names] for t in range(len(X[i]))]
        np.testing.assert_allclose(marginals[i], found, atol=1e-4)


def test_the_tag_before_tells_where_neighbours_do_not():
    """Tags alternate along a sentence of one word: only the chain carries that from its beginning on."""
    _, _, schema = sentences(1)
    X = Ragged.of([[0] * n for n in range(4, 14)], np.int32)
    y = Ragged.of([np.arange(n) % 2 for n in range(4, 14)], np.int64)
    model = ConditionalRandomField(C=100.0, schema=schema).fit(X, y)
    np.testing.assert_array_equal(model.predict(X).values, y.values)
    assert np.diff(model.loss_).max() < 0


def test_long_sequences_have_finite_answers(fitted):
    model, _, _, schema = fitted
    x = np.random.default_rng(0).integers(0, len(schema.x.vocabulary), 10_000)
    long = Ragged.of([x, x[:3]], np.int32)
    np.testing.assert_allclose(model.predict_marginals(long).values.sum(axis=1), 1.0)
    best = model.predict(long)
    every = [model.log_prob_target(long, y)[0] for y in (best, Ragged(np.zeros(10_003, np.int64), long.starts))]
    assert every[1] < every[0] < 0
    assert np.isfinite(every[1])
    np.testing.assert_array_equal(model.predict(coded(schema, "the fish fish ."))[0], [0, 1, 2, 3])
