"""Sums and maxima over paths, against all paths, a published answer, and frequencies of drawn ones."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from versus.arrays import Ragged
from versus.numerics.chain_layouts import Layout
from versus.numerics.chains import Chain

LENGTHS = [3, 1, 5, 2, 5, 4]


def random_chain(states=3, seed=0):
    rng = np.random.default_rng(seed)
    chain = Chain(rng.normal(size=states), rng.normal(size=(states, states)) * 2, rng.normal(size=states))
    return chain, Ragged.of([rng.normal(size=(n, states)) * 3 for n in LENGTHS])


def paths(chain, scores):
    """Every path of one sequence, and its log weight."""
    every = np.array(list(product(range(len(chain.initial)), repeat=len(scores))))
    steps = chain.transition[every[:, :-1], every[:, 1:]].sum(axis=1)
    emitted = scores[np.arange(len(scores)), every].sum(axis=1)
    return every, chain.initial[every[:, 0]] + steps + emitted + chain.final[every[:, -1]]


@pytest.mark.parametrize("shift", [0.0, -900.0, 900.0])
def test_sums_are_those_over_all_paths(shift):
    chain, scores = random_chain()
    scores = Ragged(scores.values + shift, scores.starts)
    found = chain.posterior(scores)
    transitions = np.zeros((3, 3))
    for i, one in enumerate(scores):
        every, weights = paths(chain, one)
        total = logsumexp(weights)
        shares = np.exp(weights - total)
        marginals = np.stack([[shares[every[:, t] == k].sum() for k in range(3)] for t in range(len(one))])
        np.testing.assert_allclose(found.log_normaliser[i], total)
        np.testing.assert_allclose(found.marginals[i], marginals, atol=1e-12)
        for path, share in zip(every, shares, strict=True):
            np.add.at(transitions, (path[:-1], path[1:]), share)
    np.testing.assert_allclose(found.transitions, transitions)
    np.testing.assert_array_equal(chain.log_normaliser(scores), found.log_normaliser)


def test_the_best_path_is_the_best_of_all():
    chain, scores = random_chain(states=4, seed=1)
    states, values = chain.viterbi(scores)
    for i, one in enumerate(scores):
        every, weights = paths(chain, one)
        np.testing.assert_array_equal(states[i], every[weights.argmax()])
        np.testing.assert_allclose(values[i], weights.max())


def test_impossible_steps_and_states_have_no_weight():
    chain, scores = random_chain()
    chain.transition[0, 1] = chain.transition[2, 2] = chain.initial[2] = -np.inf
    scores.values[1, 0] = -np.inf
    found = chain.posterior(scores)
    for i, one in enumerate(scores):
        every, weights = paths(chain, one)
        np.testing.assert_allclose(found.log_normaliser[i], logsumexp(weights))
        assert np.isfinite(found.marginals[i]).all()
        np.testing.assert_array_equal(chain.viterbi(scores)[0][i], every[weights.argmax()])
    assert found.transitions[0, 1] == found.transitions[2, 2] == found.marginals.values[1, 0] == 0
    scores.values[4] = -np.inf  # the third sequence has no path at all
    assert np.isneginf(chain.log_normaliser(scores)[2])
    with pytest.raises(ValueError, match="sequence 2 has no path"):
        chain.posterior(scores)


def test_viterbi_solves_the_ice_cream_task():
    """Jurafsky and Martin, *Speech and Language Processing* (3rd edition), appendix A."""
    hot, cold = 0, 1
    chain = Chain(np.log([0.8, 0.2]), np.log([[0.6, 0.4], [0.5, 0.5]]), np.zeros(2))
    emissions = np.log([[0.2, 0.4, 0.4], [0.5, 0.4, 0.1]])  # of 1, 2 and 3 ice creams
    states, values = chain.viterbi(Ragged.of([emissions[:, [2, 0]].T, emissions[:, [2, 0, 2]].T]))
    np.testing.assert_allclose(np.exp(values[0]), 0.064)
    np.testing.assert_array_equal(states[0], [hot, cold])
    np.testing.assert_allclose(np.exp(values[1]), 0.0128)
    np.testing.assert_array_equal(states[1], [hot, cold, hot])


def test_long_sequences_do_not_underflow():
    """With transitions that forget, p(x) is a product over positions, whatever the length."""
    rng = np.random.default_rng(0)
    weights, scores = rng.dirichlet(np.ones(5)), rng.normal(size=(10_000, 5)) * 30 - 500
    chain = Chain(np.log(weights), np.tile(np.log(weights), (5, 1)), np.zeros(5))
    found = chain.posterior(Ragged.of([scores]))
    each = np.log(weights) + scores
    np.testing.assert_allclose(found.log_normaliser, logsumexp(each, axis=1).sum())
    expected = np.exp(each - logsumexp(each, axis=1, keepdims=True))
    np.testing.assert_allclose(found.marginals.values, expected, atol=1e-12)
    np.testing.assert_array_equal(chain.viterbi(Ragged.of([scores]))[0][0], each.argmax(axis=1))


def test_drawn_paths_are_as_frequent_as_their_weights():
    rng = np.random.default_rng(0)
    ways = rng.dirichlet(np.ones(3), size=2)
    chain = Chain(np.log([0.3, 0.7]), np.log(ways[:, :2]), np.log(ways[:, 2]))
    drawn = chain.draw(40_000, np.random.default_rng(1))
    for path in ([0], [1], [0, 1], [1, 1, 0]):
        weight = paths(chain, np.zeros((len(path), 2)))
        expected = np.exp(weight[1][(weight[0] == path).all(axis=1)][0])
        found = np.mean([len(d) == len(path) and (d == path).all() for d in drawn])
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 40_000)
    assert len(chain.draw(0, rng)) == 0


@pytest.mark.parametrize(
    ("scores", "said"),
    [(Ragged.of([np.zeros((2, 3)), np.zeros((0, 3))]), "sequence 1 is empty"), (Ragged.of([np.zeros((2, 4))]), "4")],
)
def test_what_is_no_chain_is_refused(scores, said):
    chain, _ = random_chain()
    for method in (chain.log_normaliser, chain.posterior, chain.viterbi):
        with pytest.raises(ValueError, match=said):
            method(scores)


def test_scores_of_tokens_are_looked_up():
    """Also where emissions are so sharp that shares come near the smallest float."""
    chain, scores = random_chain()
    rng = np.random.default_rng(1)
    log_probs, tokens = rng.normal(size=(4, 3)) * 400, rng.integers(0, 4, len(scores.values))
    layout = Layout(scores.starts, 3)
    found = chain.smooth_tokens(log_probs, layout.packed(tokens), layout)
    given = Ragged(log_probs[tokens], scores.starts)
    expected = chain.posterior(given)
    np.testing.assert_allclose(layout.by_sequence(found[0]), expected.log_normaliser)
    np.testing.assert_allclose(layout.unpacked(found[1]).values, expected.marginals.values, atol=1e-12)
    np.testing.assert_allclose(found[2], expected.transitions, atol=1e-12)
    totals = [logsumexp(paths(chain, one)[1]) for one in given]
    np.testing.assert_allclose(expected.log_normaliser, totals)
