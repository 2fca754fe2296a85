"""Kneser-Ney chains: equal to a dictionary implementation, sum to one, draw what they score."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.models.small_text import documents
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Nothing
from versus.models import persistence
from versus.models.classical_generative.baseline import Unigrams
from versus.models.classical_generative.markov_chain import MarkovChain, MarkovChainClassifier
from versus.numerics.ngrams import count
from versus.serving.sequences import with_vocabulary

SIZE = 5  # tokens; the last is in no training sequence


def chain(order=2, discount=None, n=40):
    rng = np.random.default_rng(0)
    steps = rng.dirichlet(np.full(SIZE - 1, 0.4), size=SIZE - 1)
    X = []
    for _ in range(n):
        x = [int(rng.integers(SIZE - 1))]
        while len(x) < rng.integers(1, 12):
            x.append(int(rng.choice(SIZE - 1, p=steps[x[-1]])))
        X.append(x)
    X = Ragged.of(X, np.int32)
    return X, MarkovChain(order, discount=discount, schema=Schema(Tokens(tuple("abcde")), Nothing())).fit(X)


def by_dictionaries(X, order, discount):
    """Interpolated Kneser-Ney as its formulas say, with one discount: (context, token) -> probability."""
    longest = order + 1
    grams = Counter()
    for x in X:
        x = (SIZE, *map(int, x))
        grams.update(x[i : i + k] for k in range(1, longest + 1) for i in range(len(x) - k + 1))
    before = defaultdict(set)
    for g in grams:
        before[g[1:]].add(g[0])
    a = {g: n if len(g) == longest or g[0] == SIZE else len(before[g]) for g, n in grams.items() if g != (SIZE,)}

    def p(context, token):
        followers = {g[-1]: n for g, n in a.items() if g[:-1] == context}
        shorter = p(context[1:], token) if context else 1 / SIZE
        total = sum(followers.values())
        if not total:
            return shorter
        left = discount * len(followers) / total
        return max(followers.get(token, 0) - discount, 0) / total + left * shorter

    return p


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_are_those_of_the_formulas(order):
    X, model = chain(order, discount=0.75)
    p = by_dictionaries(X, order, 0.75)
    rng = np.random.default_rng(1)
    asked = Ragged.of([rng.integers(0, SIZE, rng.integers(0, 8)) for _ in range(30)], np.int32)
    expected = [sum(np.log(p((SIZE, *map(int, x[:t]))[-order:], int(x[t]))) for t in range(len(x))) for x in asked]
    np.testing.assert_allclose(model.log_prob(asked), expected, atol=1e-10)


def test_discounts_are_those_of_chen_and_goodman():
    """Twelve n-grams seen once, six twice, three three times, two four times."""
    counts = np.repeat([1, 2, 3, 4], [12, 6, 3, 2])
    X = Ragged.of([np.repeat(np.arange(23), counts)], np.int32)
    found = Unigrams(schema=Schema(Tokens(tuple(map(str, range(23)))), Nothing())).fit(X).ngrams_.discounts[0]
    y = 12 / (12 + 2 * 6)
    np.testing.assert_allclose(found, [1 - 2 * y * 6 / 12, 2 - 3 * y * 3 / 6, 3 - 4 * y * 2 / 3])


@pytest.mark.parametrize("order", [1, 3])
def test_probabilities_sum_to_one_in_seen_and_unseen_contexts(order):
    _, model = chain(order)
    every = Ragged.of(list(product(range(SIZE), repeat=4)), np.int32)
    np.testing.assert_allclose(np.exp(model.log_prob(every)).sum(), 1.0)
    for prompt in [(), (0, 1), (4, 4, 4), (2, 4, 1)]:
        state = model.ngrams_.start(1)
        for token in prompt:
            state = model.ngrams_.step(state, token)
        p = model.ngrams_.distribution(state)
        np.testing.assert_allclose(p.sum(), 1.0)
        longer = Ragged.of([[*prompt, w] for w in range(SIZE)], np.int32)
        np.testing.assert_allclose(model.log_prob(longer) - model.log_prob(Ragged.of([prompt], np.int32)), np.log(p))


def test_sequences_are_drawn_as_often_as_they_are_probable():
    X, model = chain(2)
    drawn = model.sample(40_000, random_state=0)
    assert abs(drawn.lengths.mean() - X.lengths.mean()) < 0.3
    pairs = drawn[drawn.lengths >= 2]
    found = np.bincount(pairs.values[pairs.starts[:-1]] * SIZE + pairs.values[pairs.starts[:-1] + 1], minlength=25)
    expected = np.exp(model.log_prob(Ragged.of(list(product(range(SIZE), repeat=2)), np.int32)))
    np.testing.assert_allclose(found / len(pairs), expected, atol=0.01)
    many = np.array([model.continue_([0], 1, 0.5, seed)[0] for seed in range(3000)])
    at_one = np.exp(model.log_prob(Ragged.of([[0, w] for w in range(SIZE)], np.int32)))
    np.testing.assert_allclose(np.bincount(many, minlength=SIZE) / 3000, at_one**2 / (at_one**2).sum(), atol=0.03)
    np.testing.assert_array_equal(model.continue_([0], 9, 1.0, 3), model.continue_([0], 9, 1.0, 3))
    with pytest.raises(ValueError, match="temperature=0"):
        model.continue_([0], 1, 0.0)


def test_a_hundred_thousand_tokens_do_not_underflow():
    _, model = chain(3)
    long = Ragged.of([np.arange(100_000) % 4], np.int32)
    assert np.isfinite(model.log_prob(long)).all()
    assert model.log_prob(long)[0] < -1000


def test_a_saved_chain_answers_the_same_bits_also_under_a_longer_vocabulary(tmp_path):
    X, model = chain(3)
    persistence.save(model, tmp_path / "m", "classical_generative", "markov_chain")
    loaded = persistence.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.log_prob(X), model.log_prob(X))
    longer = with_vocabulary(loaded, tuple("abcdef"))
    unseen = np.exp(longer.log_prob(Ragged.of([[w] for w in range(6)], np.int32)))
    np.testing.assert_allclose(unseen.sum(), 1.0)
    with pytest.raises(ValueError, match="ascending"):
        loaded.set_arrays({n: a[::-1] if n == "tokens" else a for n, a in model.get_arrays().items()})


def test_chains_of_classes_tell_the_order_of_words():
    X, y, schema = documents(300)
    model = MarkovChainClassifier(1, schema=schema).fit(X[:200], y[:200])
    assert (model.predict(X[200:]) == y[200:]).mean() > 0.8
    turned = Ragged.of([x[::-1] if k else np.sort(x) for x, k in zip(X, y, strict=True)], np.int32)
    alone = MarkovChain(1, schema=schema).fit(turned[y == 1])
    model.fit(turned, y)
    np.testing.assert_allclose(model.log_likelihoods(turned)[:, 1], alone.log_prob(turned))
    assert len(model.sample(5, random_state=0)) == 5
    assert model.measure == "sequence"


@pytest.mark.parametrize("longest", [2, 3])
def test_with_an_undiscounted_last_resort_it_is_nltks_kneser_ney(longest):
    """nltk takes single tokens by their continuations alone, and counts the beginning as it does other tokens."""
    lm = pytest.importorskip("nltk.lm")
    X, _ = chain(n=25)
    counted = count(X, SIZE, longest, discount=0.6)
    alike = replace(counted, discounts=np.array([[0.0] * 3, *[[0.6] * 3] * (longest - 1)]))
    theirs = lm.KneserNeyInterpolated(longest, discount=0.6)
    texts = [["<s>", *map(str, x)] for x in X]
    theirs.fit((list(everygrams(text, longest)) for text in texts), sorted({word for text in texts for word in text}))
    unseen = Ragged.of([[0, 2, 1, 1, 3], [3, 3, 0], [2, 0, 2, 2]], np.int32)
    found = Ragged(alike.log_probabilities(unseen), unseen.starts)
    for x, log_p in zip(unseen, found, strict=True):
        text = ["<s>", *map(str, x)]
        places = range(longest - 1, len(text))  # of three, nltk divides by 0 at the first
        expected = [theirs.score(text[t], text[t + 1 - longest : t]) for t in places]
        np.testing.assert_allclose(np.exp(log_p[longest - 2 :]), expected, rtol=1e-10)


def everygrams(text, longest):
    """All n-grams, which nltk wants as tuples."""
    return (tuple(text[i : i + k]) for k in range(1, longest + 1) for i in range(len(text) - k + 1))
