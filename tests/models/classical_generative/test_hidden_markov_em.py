"""The hidden Markov model without tags: enumeration, its own draws, what it finds, and its files."""

from itertools import pairwise, product

import numpy as np
import pytest

from tests.models.small_text import sentences
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Nothing
from versus.models import persistence
from versus.models.classical_generative.hidden_markov_em import CategoricalHMM


@pytest.fixture(scope="module")
def tiny():
    X = Ragged.of([[0, 1], [1, 1, 2], [0], [2, 0], [1]] * 4, np.int32)
    schema = Schema(Tokens(tuple("abcd")), Nothing())
    return CategoricalHMM(n_components=2, max_iter=30, random_state=0, schema=schema).fit(X)


def test_log_prob_is_the_sum_over_all_paths(tiny):
    every = Ragged.of([list(x) for n in (1, 2, 3) for x in product(range(4), repeat=n)], np.int32)
    for x, found in zip(every, tiny.log_prob(every), strict=True):
        total = 0.0
        for z in product(range(2), repeat=len(x)):
            steps = sum(tiny.chain_.transition[a, b] for a, b in pairwise(z))
            emitted = sum(tiny.emissions_.log_probs[k, word] for k, word in zip(z, x, strict=True))
            total += np.exp(tiny.chain_.initial[z[0]] + steps + emitted + tiny.chain_.final[z[-1]])
        assert found == pytest.approx(np.log(total))
    assert (np.diff(tiny.trace_) > -1e-9).all()


def test_drawn_sequences_are_as_frequent_as_probable(tiny):
    drawn = [tuple(x) for x in tiny.sample(20_000, random_state=0)]
    for x in ((0,), (3,), (1, 1), (0, 1), (1, 1, 2)):
        p = float(np.exp(tiny.log_prob(Ragged.of([x], np.int32)))[0])
        assert abs(drawn.count(x) / 20_000 - p) < 4.5 * np.sqrt(p * (1 - p) / 20_000)
    with pytest.raises(ValueError, match="takes no y"):
        tiny.sample(1, y=Ragged.of([[0]]))


def test_states_are_found_without_tags_and_named_by_them(tmp_path):
    X, y, schema = sentences()
    model = CategoricalHMM(n_components=4, n_init=4, alpha=0.01, random_state=0, schema=schema).fit(X, y)
    assert (model.predict(X).values == y.values).mean() > 0.95
    np.testing.assert_allclose(model.predict_marginals(X).values.sum(axis=1), 1.0)
    alone = CategoricalHMM(n_components=1, alpha=0.01, random_state=0, schema=schema).fit(X, y)
    assert model.log_prob(X).mean() > alone.log_prob(X).mean() + 1
    persistence.save(model, tmp_path / "model", "classical_generative", "hidden_markov_em")
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.log_prob(X), model.log_prob(X))
    np.testing.assert_array_equal(loaded.predict(X).values, model.predict(X).values)
    np.testing.assert_array_equal(loaded.sample(9, random_state=1).values, model.sample(9, random_state=1).values)
    for name, array in model.get_arrays().items():
        with pytest.raises(ValueError, match="array"):
            CategoricalHMM(n_components=4, schema=schema).set_arrays(model.get_arrays() | {name: array[:-1]})
    with pytest.raises(ValueError, match="needs y"):
        model.fit(X)
