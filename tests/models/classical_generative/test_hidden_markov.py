"""The hidden Markov model against enumeration, its own draws, and what unknown words let one expect."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from tests.models.small_text import coded, sentences
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags
from versus.models import persistence
from versus.models.classical_generative.hidden_markov import HiddenMarkovModel


def tiny():
    """Four words, of which "d" is never met, and two tags."""
    X = Ragged.of([[0, 1], [1, 1, 2], [0], [2, 0], [1]], np.int32)
    y = Ragged.of([[0, 1], [1, 1, 0], [0], [0, 0], [1]], np.int64)
    schema = Schema(Tokens(tuple("abcd")), Tags(("left", "right")))
    return HiddenMarkovModel(alpha=0.5, schema=schema).fit(X, y), schema


def log_joints(model, x):
    """Every path of tags for the words x, and log p(x, path)."""
    every = np.array(list(product(range(2), repeat=len(x))))
    chain = model.chain_
    steps = chain.transition[every[:, :-1], every[:, 1:]].sum(axis=1)
    emitted = model.log_emission_[x, every].sum(axis=1)
    return every, chain.initial[every[:, 0]] + steps + emitted + chain.final[every[:, -1]]


def test_counts_become_probabilities():
    model, _ = tiny()
    np.testing.assert_array_equal(model.steps_, [[1, 1, 3], [1, 1, 2], [3, 2, 0]])
    np.testing.assert_allclose(np.exp(model.chain_.initial), [3.5 / 6, 2.5 / 6])
    np.testing.assert_allclose(np.exp(model.chain_.transition[0]), [1.5 / 6.5, 1.5 / 6.5])
    np.testing.assert_allclose(np.exp(model.chain_.final), [3.5 / 6.5, 2.5 / 5.5])
    np.testing.assert_allclose(np.exp(model.log_emission_).sum(axis=0), 1.0)


def test_answers_are_those_over_all_paths():
    model, _ = tiny()
    X = Ragged.of([list(x) for n in (1, 2, 4) for x in product(range(4), repeat=n)], np.int32)
    log_prob, marginals, tags = model.log_prob(X), model.predict_marginals(X), model.predict(X)
    for i, x in enumerate(X):
        every, joints = log_joints(model, x)
        np.testing.assert_allclose(log_prob[i], logsumexp(joints))
        of_right = [np.exp(joints[every[:, t] == 1] - log_prob[i]).sum() for t in range(len(x))]
        np.testing.assert_allclose(marginals[i][:, 1], of_right)
        np.testing.assert_array_equal(tags[i], every[joints.argmax()])
    model.decode = "posterior"
    np.testing.assert_array_equal(model.predict(X).values, marginals.values.argmax(axis=1))


def test_sequences_of_all_lengths_sum_to_one():
    """What is missing at lengths up to 5 is the probability of a walk through the tags that is longer."""
    model, _ = tiny()
    total = sum(
        np.exp(model.log_prob(Ragged.of(list(product(range(4), repeat=n)), np.int32))).sum() for n in range(1, 6)
    )
    longer = np.exp(model.chain_.initial)
    for _ in range(5):
        longer = longer @ np.exp(model.chain_.transition)
    np.testing.assert_allclose(total + longer.sum(), 1.0)


def test_drawn_sequences_are_as_frequent_as_probable():
    model, _ = tiny()
    drawn = model.sample(30_000, random_state=0)
    found = {}
    for x in drawn:
        found[tuple(x)] = found.get(tuple(x), 0) + 1
    for x in ((0,), (3,), (1, 1), (0, 1), (1, 1, 2)):
        p = float(np.exp(model.log_prob(Ragged.of([x], np.int32)))[0])
        assert abs(found.get(x, 0) / 30_000 - p) < 4.5 * np.sqrt(p * (1 - p) / 30_000)
    tags = Ragged.of([[0], [1, 1]] * 5000, np.int64)
    words = model.sample(10_000, y=tags, random_state=0)
    np.testing.assert_array_equal(words.starts, tags.starts)
    of_right = np.bincount(words.values[tags.values == 1], minlength=4) / (tags.values == 1).sum()
    np.testing.assert_allclose(of_right, np.exp(model.log_emission_[:, 1]), atol=0.02)
    with pytest.raises(ValueError, match="Ragged of 10000; the tags of 3"):
        model.sample(3, y=tags)


def test_context_tells_what_a_word_is_and_endings_tell_of_unknown_ones():
    X, y, schema = sentences()
    model = HiddenMarkovModel(rare_count=100, suffix_length=2, suffix_members=3, schema=schema).fit(X, y)
    np.testing.assert_array_equal(model.predict(coded(schema, "the fish fish ."))[0], [0, 1, 2, 3])
    marginals = model.predict_marginals(coded(schema, "the writer writes ."))[0]
    assert marginals[1, 1] > 0.99
    assert marginals[2, 2] > 0.99
    alone = np.exp(model.log_emission_[[schema.x.vocabulary.index(word) for word in ("writer", "writes")]])
    assert alone[0].argmax() == 1
    assert alone[1].argmax() == 2


@pytest.mark.parametrize("length", [10_000])
def test_long_sequences_have_finite_answers(length):
    model, _ = tiny()
    x = np.random.default_rng(0).integers(0, 4, length)
    long = Ragged.of([x, x[:3]], np.int32)
    assert -3 * length < model.log_prob(long)[0] < -length * 0.5
    np.testing.assert_allclose(model.predict_marginals(long).values.sum(axis=1), 1.0)
    assert len(model.predict(long).values) == length + 3


@pytest.mark.parametrize("decode", ["viterbi", "posterior"])
def test_a_saved_model_answers_the_same_bits(decode, tmp_path):
    X, y, schema = sentences()
    model = HiddenMarkovModel(decode=decode, schema=schema).fit(X, y)
    persistence.save(model, tmp_path / "model", "classical_generative", "hidden_markov")
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.log_prob(X), model.log_prob(X))
    np.testing.assert_array_equal(loaded.predict(X).values, model.predict(X).values)
    np.testing.assert_array_equal(loaded.predict_marginals(X).values, model.predict_marginals(X).values)
    np.testing.assert_array_equal(loaded.sample(9, random_state=1).values, model.sample(9, random_state=1).values)
    for name, array in model.get_arrays().items():
        with pytest.raises(ValueError, match="array"):
            HiddenMarkovModel(schema=schema).set_arrays(model.get_arrays() | {name: array[:-1]})


def test_what_cannot_be_learned_from_is_refused():
    X, y, schema = sentences()
    for arguments, said in (({"decode": "best"}, "'best'"), ({"alpha": 0.0}, r"alpha=0\.0")):
        with pytest.raises(ValueError, match=said):
            HiddenMarkovModel(**arguments, schema=schema).fit(X, y)
    model = HiddenMarkovModel(schema=schema)
    with pytest.raises(ValueError, match="needs y"):
        model.fit(X)
    with pytest.raises(ValueError, match="one tag a token"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="0 … 3"):
        model.fit(X, Ragged(y.values + 1, y.starts))
    with pytest.raises(ValueError, match="Ragged"):
        model.fit(np.zeros((3, 2)), y)
    with pytest.raises(ValueError, match="sequence 1 is empty"):
        model.fit(X, y).predict(Ragged.of([[0], []], np.int32))
