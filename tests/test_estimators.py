"""scikit-learn's contract: its own checks, pipelines, searches, frames of mixed columns, labels of any type."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import versus

RNG = np.random.default_rng(0)
Y = RNG.permutation(np.array(["no", "yes"] * 60))
FRAME = pd.DataFrame(
    {
        "size": RNG.normal(2.0 * (Y == "yes"), 1),
        "kind": pd.Categorical(np.where(RNG.uniform(size=120) < 0.3 + 0.5 * (Y == "yes"), "p", "q")),
        "rooms": RNG.integers(1, 4, 120),
        "known": RNG.uniform(size=120) < 0.5,
    }
)
FRAME.loc[::7, "size"] = np.nan


@pytest.mark.parametrize(
    "estimator",
    [
        versus.Classifier(versus.model("LogisticRegression")),
        versus.Classifier(versus.model("MixedNaiveBayes")),
        versus.Classifier(versus.model("GaussianClassifier", covariance_type="tied", shrinkage=0.1)),
        versus.Regressor(versus.model("RidgeRegression")),
    ],
    ids=lambda estimator: type(estimator.model).__name__,
)
def test_scikit_learns_own_checks_pass(estimator):
    found = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(found) > 50
    assert [(check["check_name"], check["exception"]) for check in found if check["status"] == "failed"] == []


def test_frames_of_mixed_columns_searches_and_pipelines():
    model = versus.Classifier(versus.model("MixedNaiveBayes"))
    assert cross_val_score(model, FRAME, Y, cv=3).mean() > 0.7
    search = GridSearchCV(model, {"model__alpha": [0.1, 1.0]}, cv=3).fit(FRAME, Y)
    assert search.best_params_["model__alpha"] in (0.1, 1.0)
    best = search.best_estimator_
    assert list(best.classes_) == ["no", "yes"]
    assert set(best.predict(FRAME)) == {"no", "yes"}
    assert [column.categories for column in best.schema_.columns] == [
        None,
        ("p", "q"),
        ("1", "2", "3"),
        ("false", "true"),
    ]
    drawn = best.sample(5, random_state=0)
    assert list(drawn.columns) == list(FRAME.columns)
    assert np.isfinite(best.score_samples(FRAME)).all()
    of_numbers = make_pipeline(StandardScaler(), versus.Classifier(versus.model("GaussianClassifier")))
    X = FRAME[["size", "rooms"]].fillna(0)
    assert cross_val_score(of_numbers, X, Y, cv=3).mean() > 0.7
    assert clone(best).model.alpha == best.model.alpha
    again = clone(best).fit(FRAME, Y)  # of labels that are texts, and of columns of all kinds
    np.testing.assert_array_equal(again.predict_proba(FRAME), best.predict_proba(FRAME))
    assert repr(best).startswith("Classifier(model=MixedNaiveBayes(")
    for shown in (best, make_pipeline(FunctionTransformer(), best), search):
        assert "MixedNaiveBayes" in shown._repr_html_()


def test_a_regressor_in_pipelines_and_searches_over_frames():
    size = FRAME["rooms"] + 2.0 * (FRAME["kind"] == "p")
    model = make_pipeline(FunctionTransformer(), versus.Regressor(versus.model("RidgeRegression")))
    assert cross_val_score(model, FRAME.drop(columns="size"), size, cv=3).mean() > 0.9
    search = GridSearchCV(model, {"regressor__model__alpha": [0.1, 1000.0]}, cv=3).fit(FRAME, size)
    assert search.best_params_ == {"regressor__model__alpha": 0.1}
    assert "RidgeRegression" in search._repr_html_()


def test_what_a_model_cannot_do_is_no_method_and_what_it_does_not_take_is_said():
    assert not hasattr(versus.Classifier(versus.model("LogisticRegression")), "sample")
    dated = FRAME.assign(day=pd.Timestamp("2026-01-01"))
    with pytest.raises(ValueError, match="columns day hold dates"):
        versus.Classifier(versus.model("MixedNaiveBayes")).fit(dated, Y)
    with pytest.raises(TypeError, match="does not weigh rows"):
        versus.Classifier(versus.model("KNearestNeighbours")).fit(FRAME, Y, sample_weight=np.ones(120))
    with pytest.raises(ValueError, match=r"unknown model 'MixedNaiveBayse'.*MixedNaiveBayes"):
        versus.model("MixedNaiveBayse")
    with pytest.raises(AttributeError, match="'compere'; it has compare"):
        versus.compere  # noqa: B018
