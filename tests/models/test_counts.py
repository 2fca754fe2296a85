import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from tests.models.small_text import documents
from versus.arrays import Ragged
from versus.models.counts import TokenCounts


def texts(X, schema):
    return [" ".join(schema.x.words(document)) for document in X]


NGRAMS = {"ngram_range": (2, 3), "binary": True, "min_df": 2}


@pytest.mark.parametrize("limits", [{}, {"min_df": 5}, {"max_features": 7}, {"min_df": 3, "max_features": 20}, NGRAMS])
def test_counts_are_scikit_learns(limits):
    X, _, schema = documents()
    train, test = X[:80], X[80:]
    reference = CountVectorizer(token_pattern=r"\S+", **limits).fit(texts(train, schema))
    found = TokenCounts(schema, **limits).fit(train)
    names = reference.get_feature_names_out().tolist()
    spelled = found.get_arrays()["known"].reshape(found.n_columns, -1)
    known = [" ".join(schema.x.words(feature[feature >= 0])) for feature in spelled]
    assert sorted(known) == sorted(names)
    order = [names.index(name) for name in known]
    for part in (train, test):
        expected = reference.transform(texts(part, schema)).toarray()[:, order]
        np.testing.assert_array_equal(found.transform(part).toarray(), expected)
        weights = TfidfTransformer().fit(reference.transform(texts(train, schema)))
        weighted = weights.transform(reference.transform(texts(part, schema))).toarray()[:, order]
        found_weighted = TokenCounts(schema, **limits, tfidf=True).fit(train).transform(part).toarray()
        np.testing.assert_allclose(found_weighted, weighted, atol=1e-12)


def test_only_training_documents_say_what_is_known():
    X, _, schema = documents()
    counts = TokenCounts(schema).fit(X[1:])
    assert not np.isin([28, 29], counts.known_).any()
    assert counts.transform(X[:1]).sum() == len(X[0]) - 1
    assert counts.transform(Ragged.of([[], [28]], np.int32)).sum() == 0


def test_what_cannot_be_counted_is_refused():
    X, _, schema = documents()
    with pytest.raises(ValueError, match="min_df=500"):
        TokenCounts(schema, min_df=500).fit(X)
    with pytest.raises(ValueError, match="max_features=0"):
        TokenCounts(schema, max_features=0)
    with pytest.raises(ValueError, match="range from 5 to 30"):
        TokenCounts(schema).fit(X).transform(Ragged.of([[5, 30]], np.int32))
    with pytest.raises(ValueError, match="'known'"):
        TokenCounts(schema).set_arrays({"known": np.array([3, 2])})
