"""Latent Dirichlet allocation: scikit-learn's steps, a bound below the exact value, topics that are found again."""

from itertools import product

import numpy as np
import pytest
from scipy import sparse
from scipy.special import gammaln
from sklearn.decomposition import LatentDirichletAllocation as Reference

from tests.models.small_text import documents
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes
from versus.metrics.topics import coherence
from versus.models import persistence
from versus.models.classical_generative.topics import LatentDirichletAllocation, TopicClassifier
from versus.numerics import topics

ALPHA, ETA = 0.3, 0.2


def corpus(n=60, size=20, seed=0):
    rng = np.random.default_rng(seed)
    return sparse.csr_array(rng.poisson(rng.gamma(0.4, 1.0, (n, size))).astype(float))


def test_the_bound_never_falls():
    counts, rule = corpus(), topics.Rule(ALPHA, ETA, tol=1e-6, max_iter=500)
    start = np.random.default_rng(1).gamma(100, 0.01, (4, 20))
    steps = topics.batch_steps(counts, start, rule, 25)
    bounds = [topics.corpus_bound(counts, found, gamma, rule) for found, gamma in steps]
    assert (np.diff(bounds) > -1e-6).all()
    assert bounds[-1] > bounds[0] + 10


def test_passes_are_scikit_learns_from_the_same_start():
    counts, rule = corpus(), topics.Rule(ALPHA, ETA, tol=1e-9, max_iter=2000)
    exact = {"mean_change_tol": 1e-9, "max_doc_update_iter": 2000, "max_iter": 1, "random_state": 0}
    reference = Reference(3, doc_topic_prior=ALPHA, topic_word_prior=ETA, **exact)
    reference.fit(sparse.csr_matrix(counts))
    start = np.random.RandomState(0).gamma(100.0, 0.01, (3, 20))  # as scikit-learn draws it
    found, _ = next(topics.batch_steps(counts, start, rule, 1))
    np.testing.assert_allclose(found, reference.components_, rtol=1e-4)
    gamma = topics.infer(counts, topics.exp_log_shares(found), rule)
    expected = reference.transform(sparse.csr_matrix(counts))
    np.testing.assert_allclose(gamma / gamma.sum(axis=1, keepdims=True), expected, atol=1e-4)
    bound = topics.corpus_bound(counts, found, gamma, rule)
    perplexity = np.exp(-bound / counts.sum())
    np.testing.assert_allclose(perplexity, reference.perplexity(sparse.csr_matrix(counts)), rtol=1e-4)


def test_the_bound_is_below_the_exact_value_and_near_it():
    """All assignments of topics to three words are summed; over all documents of one length it sums to one."""
    words = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    every = np.array(list(product(range(3), repeat=3)))
    exact = np.zeros(len(every))
    for z in product(range(2), repeat=3):
        n = np.bincount(z, minlength=2)
        log_p = gammaln(2 * ALPHA) - gammaln(3 + 2 * ALPHA) + (gammaln(n + ALPHA) - gammaln(ALPHA)).sum()
        exact += np.exp(log_p) * words[list(z), every].prod(axis=1)
    np.testing.assert_allclose(exact.sum(), 1.0)
    counts = sparse.csr_array(np.stack([np.bincount(x, minlength=3) for x in every]).astype(float))
    gamma = topics.infer(counts, words, topics.Rule(ALPHA, ETA, 1e-9, 500))
    bounds = topics.log_bounds(counts, words, gamma, ALPHA)
    assert (bounds <= np.log(exact) + 1e-9).all()
    assert np.max(np.log(exact) - bounds) < 0.8  # the posterior of three words is no product


def planted(n=400, seed=0):
    """Documents that mix three topics of ten words each."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(3, 0.1), n)
    X = [10 * rng.choice(3, 40, p=theta) + rng.integers(10, size=40) for theta in shares]
    schema = Schema(Tokens(tuple(f"w{i}" for i in range(30))), Classes(("a", "b")))
    return Ragged.of(X, np.int32), shares, schema


@pytest.mark.parametrize("method", ["online", "batch"])
def test_planted_topics_are_found_again(method, tmp_path):
    X, shares, schema = planted()
    model = LatentDirichletAllocation(n_components=3, learning_method=method, random_state=0, schema=schema).fit(
        X[:300]
    )
    tops = [sorted({int(word[1:]) // 10 for word in topic["words"]}) for topic in model.topics()]
    assert sorted(tops) == [[0], [1], [2]]
    order = np.argsort([top[0] for top in tops])
    largest_first = np.argsort(-model.topics_[0].sum(axis=1), kind="stable")
    assert np.abs(model.encode(X[300:])[:, largest_first[order]] - shares[300:]).mean() < 0.1
    halves = [Ragged.of([x[k::2] for x in X[300:]], np.int32) for k in (0, 1)]
    per_word = -model.complete(*halves).sum() / len(halves[1].values)
    assert np.exp(per_word) < 15  # of 30 words, ten for each topic
    drawn = model.sample(300, random_state=0)
    assert drawn.lengths.min() == drawn.lengths.max() == 40
    assert abs(np.bincount(drawn.values // 10, minlength=3) / len(drawn.values) - shares.mean(axis=0)).max() < 0.1
    persistence.save(model, tmp_path / "m", "classical_generative", "topics")
    np.testing.assert_array_equal(persistence.load(tmp_path / "m").elbo(X), model.elbo(X))


def test_topics_of_classes_tell_them_apart(tmp_path):
    X, y, schema = documents(300)
    model = TopicClassifier(n_components=2, random_state=0, schema=schema).fit(X[:200], y[:200])
    assert (model.predict(X[200:]) == y[200:]).mean() > 0.8
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    persistence.save(model, tmp_path / "m", "classical_generative", "topics")
    np.testing.assert_array_equal(persistence.load(tmp_path / "m").log_joint(X), model.log_joint(X))
    assert len(model.sample(7, y=np.arange(7) % 2, random_state=0)) == 7


def test_words_that_meet_are_coherent():
    X = Ragged.of([[0, 1], [0, 1, 4], [2, 3], [2, 4]], np.int32)
    together, apart = coherence(np.array([[0, 1]]), X), coherence(np.array([[0, 2]]), X)
    assert together == pytest.approx(1.0)  # log(0.5 / 0.25) / -log 0.5
    assert apart == -1.0
    assert coherence(np.array([[2, 4]]), X) == pytest.approx(0.0)  # as often as by chance
    assert coherence(np.array([[0, 1], [0, 2]]), X) == pytest.approx(0.0)
