"""Taggers that look at words alone: parity with scikit-learn on the same features, context, affixes, persistence."""

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from tests.models.small_text import coded, sentences, written_out
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags
from versus.models import persistence
from versus.models.discriminative.baseline import MostFrequentTag
from versus.models.discriminative.conditional_random_field import ConditionalRandomField
from versus.models.discriminative.token_logistic import TokenLogisticRegression


@pytest.mark.parametrize("pairs", [False, True])
def test_the_optimum_is_scikit_learns(pairs):
    X, y, schema = sentences(60)
    model = TokenLogisticRegression(C=0.5, affixes=2, pairs=pairs, max_iter=2000, tol=1e-8, schema=schema).fit(X, y)
    vectorizer = DictVectorizer()
    Z = vectorizer.fit_transform(written_out(X, schema, 2, pairs))
    reference = LogisticRegression(C=0.5, max_iter=5000, tol=1e-9).fit(Z, y.values)
    np.testing.assert_allclose(model.predict_marginals(X).values, reference.predict_proba(Z), atol=1e-6)


def test_neighbours_tell_what_a_word_is_and_affixes_tell_of_unknown_ones():
    X, y, schema = sentences()
    model = TokenLogisticRegression(schema=schema).fit(X, y)
    np.testing.assert_array_equal(model.predict(coded(schema, "the fish fish ."))[0], [0, 1, 2, 3])
    np.testing.assert_array_equal(model.predict(coded(schema, "the writer writes ."))[0], [0, 1, 2, 3])
    blind = TokenLogisticRegression(window=0, schema=schema).fit(X, y)
    first, second = blind.predict_marginals(coded(schema, "the fish fish ."))[0][1:3]
    np.testing.assert_array_equal(first, second)


def test_a_window_ends_where_the_sentence_does():
    X, y, schema = sentences()
    model = TokenLogisticRegression(window=2, max_iter=20, schema=schema).fit(X, y)
    together = model.predict_marginals(X[:20])
    for i in range(20):
        np.testing.assert_allclose(together[i], model.predict_marginals(X[i : i + 1]).values, atol=1e-12)


def test_the_most_frequent_tag_of_a_word():
    X = Ragged.of([[0, 1], [0, 0, 1]], np.int32)
    y = Ragged.of([[1, 2], [1, 0, 2]], np.int64)
    schema = Schema(Tokens(("a", "b", "c")), Tags(("u", "v", "w")))
    model = MostFrequentTag(schema=schema).fit(X, y)
    asked = Ragged.of([[0, 1, 2]], np.int32)
    shares = np.array([1, 2, 2]) / 5
    expected = [(np.array([1, 2, 0]) + shares) / 4, (np.array([0, 0, 2]) + shares) / 3, shares]
    np.testing.assert_allclose(model.predict_marginals(asked)[0], expected)
    np.testing.assert_array_equal(model.predict(asked)[0], [1, 2, 1])


@pytest.mark.parametrize(
    ("model_class", "module"),
    [
        (TokenLogisticRegression, "token_logistic"),
        (MostFrequentTag, "baseline"),
        (ConditionalRandomField, "conditional_random_field"),
    ],
)
def test_a_saved_tagger_answers_the_same_bits(model_class, module, tmp_path):
    X, y, schema = sentences()
    given = {} if model_class is MostFrequentTag else {"pairs": True}
    model = model_class(**given, schema=schema).fit(X[:150], y[:150])
    again = model_class(**given, schema=schema).fit(X[:150], y[:150])
    persistence.save(model, tmp_path / "model", "discriminative", module)
    loaded = persistence.load(tmp_path / "model")
    for other in (again, loaded):
        np.testing.assert_array_equal(other.predict_marginals(X).values, model.predict_marginals(X).values)
        np.testing.assert_array_equal(other.predict(X).values, model.predict(X).values)
    for name, array in model.get_arrays().items():
        with pytest.raises(ValueError, match="array"):
            model_class(schema=schema).set_arrays(model.get_arrays() | {name: array[:-1]})


@pytest.mark.parametrize("model_class", [TokenLogisticRegression, MostFrequentTag, ConditionalRandomField])
def test_needs_tags(model_class):
    X, y, schema = sentences()
    with pytest.raises(ValueError, match="needs y"):
        model_class(schema=schema).fit(X)
    with pytest.raises(ValueError, match="one tag a token"):
        model_class(schema=schema).fit(X, y[:-1])
