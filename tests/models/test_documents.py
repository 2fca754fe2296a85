"""Classifiers of documents: parity with scikit-learn, what their densities sum to, what they draw."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.svm import LinearSVC

from tests.models.small_text import documents
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes
from versus.evaluation.uses import density
from versus.models import persistence
from versus.models.classical_generative.naive_bayes_counts import ComplementNaiveBayes, MultinomialNaiveBayes
from versus.models.classical_generative.naive_bayes_discrete import BernoulliNaiveBayes
from versus.models.discriminative.baseline import PriorBaseline
from versus.models.discriminative.linear import NBSVM, LinearSVM, LogisticRegression

PATTERN = r"\S+"


def texts(X, schema):
    return [" ".join(schema.x.words(document)) for document in X]


def split():
    X, y, schema = documents(n=300)
    return X[:200], y[:200], X[200:], y[200:], schema


@pytest.mark.parametrize("min_df", [1, 4])
def test_naive_bayes_is_scikit_learns(min_df):
    X, y, X_test, _, schema = split()
    model = MultinomialNaiveBayes(alpha=0.5, min_df=min_df, schema=schema).fit(X, y)
    vectorizer = CountVectorizer(token_pattern=PATTERN, min_df=min_df)
    reference = MultinomialNB(alpha=0.5, class_prior=np.exp(model.log_prior_))
    reference.fit(vectorizer.fit_transform(texts(X, schema)), y)
    expected = reference.predict_proba(vectorizer.transform(texts(X_test, schema)))
    np.testing.assert_allclose(model.predict_proba(X_test), expected, atol=1e-10)


@pytest.mark.parametrize(("tfidf", "vectorizer"), [(False, CountVectorizer), (True, TfidfVectorizer)])
def test_logistic_regression_is_scikit_learns(tfidf, vectorizer):
    X, y, X_test, _, schema = split()
    transform = vectorizer(token_pattern=PATTERN)
    reference = Reference(max_iter=1000).fit(transform.fit_transform(texts(X, schema)), y)
    expected = reference.predict_proba(transform.transform(texts(X_test, schema)))
    found = LogisticRegression(tfidf=tfidf, schema=schema).fit(X, y).predict_proba(X_test)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("min_df", [1, 4])
def test_bernoulli_naive_bayes_is_scikit_learns(min_df):
    X, y, X_test, _, schema = split()
    model = BernoulliNaiveBayes(alpha=0.5, min_df=min_df, schema=schema).fit(X, y)
    vectorizer = CountVectorizer(token_pattern=PATTERN, min_df=min_df, binary=True)
    reference = BernoulliNB(alpha=0.5, class_prior=np.exp(model.log_prior_))
    reference.fit(vectorizer.fit_transform(texts(X, schema)), y)
    expected = reference.predict_joint_log_proba(vectorizer.transform(texts(X_test, schema)))
    np.testing.assert_allclose(model.log_joint(X_test), expected, atol=1e-10)


@pytest.mark.parametrize("norm", [False, True])
def test_complement_naive_bayes_is_scikit_learns(norm):
    X, y, X_test, _, schema = split()
    y = np.where(np.arange(len(y)) % 5 == 0, 2, y)
    three = Schema(schema.x, Classes(("left", "right", "other")))
    model = ComplementNaiveBayes(alpha=0.5, norm=norm, ngram_range=(1, 2), schema=three).fit(X, y)
    vectorizer = CountVectorizer(token_pattern=PATTERN, ngram_range=(1, 2))
    reference = ComplementNB(alpha=0.5, norm=norm).fit(vectorizer.fit_transform(texts(X, schema)), y)
    expected = reference.predict_proba(vectorizer.transform(texts(X_test, schema)))
    np.testing.assert_allclose(model.predict_proba(X_test), expected, atol=1e-10)
    assert "weighs features" in str(density.reason_against(model, three))


def test_the_sets_of_words_of_documents_sum_to_one():
    X = Ragged.of([[0, 1, 1], [2, 0], [1]], np.int32)
    schema = Schema(Tokens(tuple("abc")), Classes(("left", "right")))
    model = BernoulliNaiveBayes(schema=schema).fit(X, np.array([0, 1, 1]))
    every = Ragged.of([np.flatnonzero(bits) for bits in product((0, 1), repeat=3)], np.int32)
    np.testing.assert_allclose(np.exp(model.log_prob(every)).sum(), 1.0)
    drawn = model.sample(4000, y=np.ones(4000, np.int64), random_state=0)
    found = np.bincount(drawn.values, minlength=3) / 4000
    np.testing.assert_allclose(found, model.probabilities_[1], atol=0.03)


def test_ratios_of_counts_weigh_what_the_machine_sees():
    """NB-SVM by Wang and Manning's formulas: a machine over scaled counts; without its own weights naive Bayes."""
    X, y, X_test, _, schema = split()
    vectorizer = CountVectorizer(token_pattern=PATTERN, binary=True, ngram_range=(1, 2))
    Z, Z_test = vectorizer.fit_transform(texts(X, schema)), vectorizer.transform(texts(X_test, schema))
    inside, outside = ((np.asarray(Z[y == k].sum(axis=0))[0] + 1.0) for k in (1, 0))
    ratios = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    machine = LinearSVC(random_state=0).fit(Z.multiply(ratios), y)
    model = NBSVM(random_state=0, schema=schema).fit(X, y)
    weights = 0.75 * np.abs(machine.coef_[0]).mean() + 0.25 * machine.coef_[0]
    seen, asked = Z.multiply(ratios) @ weights, Z_test.multiply(ratios) @ weights
    margins = LinearSVC(dual=False).fit(seen[:, None] / seen.std(), y).decision_function(asked[:, None] / seen.std())
    p = model.predict_proba(X_test)
    np.testing.assert_allclose(np.log(p[:, 1] / p[:, 0]) * model.temperature_, margins, atol=2e-3)
    naive = MultinomialNB(fit_prior=False).fit(Z, y)
    direction = NBSVM(beta=0.0, random_state=0, schema=schema).fit(X, y).coefficients_[:, 0]
    log_ratio = naive.feature_log_prob_[1] - naive.feature_log_prob_[0]
    np.testing.assert_allclose(np.sort(direction) / direction.max(), np.sort(log_ratio) / log_ratio.max(), atol=1e-6)


@pytest.mark.parametrize(
    "model_class",
    [MultinomialNaiveBayes, BernoulliNaiveBayes, ComplementNaiveBayes, LogisticRegression, LinearSVM, NBSVM],
)
def test_classes_of_documents_are_learned(model_class):
    X, y, X_test, y_test, schema = split()
    accuracy = (model_class(schema=schema).fit(X, y).predict(X_test) == y_test).mean()
    prior = (PriorBaseline(schema=schema).fit(X, y).predict(X_test) == y_test).mean()
    assert accuracy > prior + 0.2


def test_documents_of_one_length_sum_to_one():
    """Over all sequences of three of the vocabulary's tokens, two of which training never met."""
    X = Ragged.of([[0, 1, 1], [2, 0], [1]], np.int32)
    schema = Schema(Tokens(tuple("abcdef")), Schema.of(X, np.array([0, 1, 1])).y)
    every = Ragged.of(list(product(range(6), repeat=3)), np.int32)
    for max_features in (None, 2):
        model = MultinomialNaiveBayes(max_features=max_features, schema=schema).fit(X, np.array([0, 1, 1]))
        np.testing.assert_allclose(np.exp(model.log_joint(every)).sum(axis=0), np.exp(model.log_prior_))
        np.testing.assert_allclose(np.exp(model.log_prob(every)).sum(), 1.0)


def test_an_unknown_token_says_nothing_of_the_class_and_costs_probability():
    X, y, schema = documents()
    model = MultinomialNaiveBayes(schema=schema).fit(X[1:], y[1:])
    known, longer = Ragged.of([[1, 2]], np.int32), Ragged.of([[1, 28, 2]], np.int32)
    np.testing.assert_allclose(model.predict_proba(longer), model.predict_proba(known))
    assert model.log_prob(longer) < model.log_prob(known)
    np.testing.assert_allclose(model.predict_proba(Ragged.of([[]], np.int32)), np.exp([model.log_prior_]))


def test_drawn_documents_are_as_long_and_as_worded_as_the_class():
    X, y, schema = documents(n=2000)
    model = MultinomialNaiveBayes(schema=schema).fit(X, y)
    labels = np.arange(6000) % 2
    drawn = model.sample(6000, y=labels, random_state=0)
    assert drawn.values.dtype == np.int32
    for k in range(2):
        of_class, like = drawn[labels == k], X[y == k]
        assert abs(of_class.lengths.mean() - like.lengths.mean()) < 0.3
        assert abs(of_class.lengths.std() - like.lengths.std()) < 0.3
        frequency = np.bincount(of_class.values, minlength=30)[model.counts_.known_] / len(of_class.values)
        np.testing.assert_allclose(frequency, np.exp(model.log_probabilities_[k]), atol=0.01)
    again = model.sample(6000, y=labels, random_state=0)
    np.testing.assert_array_equal(drawn.values, again.values)
    np.testing.assert_array_equal(drawn.starts, again.starts)
    assert len(model.sample(0, random_state=0)) == 0


@pytest.mark.parametrize(
    ("model_class", "family", "module"),
    [
        (MultinomialNaiveBayes, "classical_generative", "naive_bayes_counts"),
        (LogisticRegression, "discriminative", "linear"),
        (LinearSVM, "discriminative", "linear"),
        (BernoulliNaiveBayes, "classical_generative", "naive_bayes_discrete"),
        (partial(ComplementNaiveBayes, ngram_range=(1, 3)), "classical_generative", "naive_bayes_counts"),
        (NBSVM, "discriminative", "linear"),
    ],
)
def test_a_saved_classifier_answers_the_same_bits(model_class, family, module, tmp_path):
    X, y, X_test, _, schema = split()
    model = model_class(schema=schema).fit(X, y)
    persistence.save(model, tmp_path / "model", family, module)
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X_test), model.predict_proba(X_test))
    assert loaded.schema == schema
    if hasattr(model, "sample"):
        np.testing.assert_array_equal(loaded.log_prob(X_test), model.log_prob(X_test))
        np.testing.assert_array_equal(loaded.sample(5, random_state=1).values, model.sample(5, random_state=1).values)
    with pytest.raises(ValueError, match="known"):
        model_class(schema=schema).set_arrays(
            {n: a[::-1] if n.endswith("known") else a for n, a in model.get_arrays().items()}
        )
