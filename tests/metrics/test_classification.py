import numpy as np
import pytest
from sklearn import metrics as reference

from versus.metrics import classification, curves
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named


def score(name, y, probabilities):
    return named(name).score(y, probabilities)


def random_case(k, n=300, seed=0, sharpness=1.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k)) + sharpness * np.eye(k)[y]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return y, probabilities


MACRO = {"average": "macro", "zero_division": 0}
REFERENCES = {
    "accuracy_score": lambda y, p: reference.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy_score": lambda y, p: reference.balanced_accuracy_score(y, p.argmax(1)),
    "precision_score": lambda y, p: reference.precision_score(y, p.argmax(1), **MACRO),
    "recall_score": lambda y, p: reference.recall_score(y, p.argmax(1), **MACRO),
    "f1_score": lambda y, p: reference.f1_score(y, p.argmax(1), **MACRO),
    "log_loss": lambda y, p: reference.log_loss(y, p, labels=range(p.shape[1])),
    "brier_score": lambda y, p: reference.brier_score_loss(y, p, labels=range(p.shape[1])),
    "roc_auc": lambda y, p: reference.roc_auc_score(y, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr"),
    "matthews_corrcoef": lambda y, p: reference.matthews_corrcoef(y, p.argmax(1)),
    "cohen_kappa_score": lambda y, p: reference.cohen_kappa_score(y, p.argmax(1)),
    "average_precision_score": lambda y, p: reference.average_precision_score(y, p[:, 1] if p.shape[1] == 2 else p),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("k", [2, 5])
def test_equals_scikit_learn(name, k):
    for seed in range(5):
        y, probabilities = random_case(k, seed=seed)
        expected = REFERENCES[name](y, probabilities)
        assert score(name, y, probabilities) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", [n for n in REFERENCES if n not in ("roc_auc", "average_precision_score")])
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_equals_scikit_learn_with_a_class_that_no_row_has(name):
    y, probabilities = random_case(5, n=40)
    y = np.where(y == 3, 0, y)
    y = np.where(y == 4, 1, y)
    probabilities[:, 4] = 0.0  # never predicted either
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = REFERENCES[name](y, probabilities)
    assert score(name, y, probabilities) == pytest.approx(expected, abs=1e-12)


def test_roc_auc_counts_ties_half():
    y, probabilities = random_case(3)
    coarse = np.round(probabilities, 1) + 1e-9
    coarse /= coarse.sum(axis=1, keepdims=True)
    coarse = np.round(coarse, 6)
    coarse[:, 0] = 1 - coarse[:, 1] - coarse[:, 2]
    expected = np.mean([reference.roc_auc_score(y == k, coarse[:, k]) for k in range(3)])
    assert score("roc_auc", y, coarse) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision_score"])
def test_a_curve_of_an_absent_class_says_which(name):
    y, probabilities = random_case(4)
    with pytest.raises(UndefinedMetricError, match="no test row is of class 2"):
        score(name, np.where(y == 2, 0, y), probabilities)


def test_agreement_with_one_class_is_no_more_than_chance():
    with pytest.raises(UndefinedMetricError, match="divides by zero"):
        score("cohen_kappa_score", np.zeros(5, int), np.tile([0.9, 0.1], (5, 1)))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("accuracy_score", 0.95, 0.35),
        ("balanced_accuracy_score", 0.95, 0.35),
        ("precision_score", 0.95, 0.35),
        ("recall_score", 0.95, 0.35),
        ("f1_score", 0.95, 0.35),
        ("roc_auc", 0.99, 0.55),
        ("matthews_corrcoef", 0.9, 0.15),
        ("cohen_kappa_score", 0.9, 0.15),
        ("average_precision_score", 0.98, 0.35),
        ("log_loss", -0.1, -1.2),
        ("brier_score", -0.05, -0.7),
    ],
)
def test_tells_a_good_classifier_from_a_guessing_one(name, good, bad):
    sign = -1 if good < 0 else 1
    assert sign * score(name, *random_case(4, sharpness=12.0)) > good
    assert sign * score(name, *random_case(4, sharpness=0.0)) < bad


def test_balanced_accuracy_is_not_taken_in_by_the_common_class():
    y = np.array([0] * 95 + [1] * 5)
    always_common = np.tile([0.9, 0.1], (100, 1))
    assert score("accuracy_score", y, always_common) == 0.95
    assert score("balanced_accuracy_score", y, always_common) == 0.5


def test_certainty_of_the_wrong_class_costs_much_but_finitely():
    y, wrong = np.array([0, 1]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert 30 < score("log_loss", y, wrong) < 40
    assert score("brier_score", y, wrong) == 1.0


def test_confusion_matrix_is_scikit_learns():
    y, probabilities = random_case(4)
    predicted = probabilities.argmax(axis=1)
    np.testing.assert_array_equal(
        classification.confusion_matrix(y, predicted, 4), reference.confusion_matrix(y, predicted)
    )


@pytest.mark.parametrize("k", [2, 4])
def test_the_mean_curves_are_scikit_learns_and_hold_the_areas_of_the_table(k):
    cases = [random_case(k, seed=seed) for seed in range(3)]
    truths, probabilities = zip(*cases, strict=True)
    probabilities = [np.round(p, 2) for p in probabilities]  # ties
    found = curves.mean_curves(truths, probabilities)
    area = np.mean([score("roc_auc", y, p) for y, p in zip(truths, probabilities, strict=True)])
    assert np.trapezoid(found.hits, curves.GRID) == pytest.approx(area, abs=2e-3)
    average = np.mean([score("average_precision_score", y, p) for y, p in zip(truths, probabilities, strict=True)])
    assert np.sum(np.diff(curves.GRID) * found.precision[1:]) == pytest.approx(average, abs=1e-2)
    assert found.prevalence == pytest.approx(np.mean([(y == 1).mean() for y in truths]) if k == 2 else 1 / k, abs=1e-9)
    if k == 2:
        false, true, _ = reference.roc_curve(truths[0], probabilities[0][:, 1])
        alone = curves.mean_curves(truths[:1], probabilities[:1])
        np.testing.assert_allclose(alone.hits, np.interp(curves.GRID, false, true), atol=1e-9)


def test_repeats_that_lack_a_class_have_no_curve():
    y, p = random_case(3)
    assert curves.mean_curves([np.zeros(len(y), int)], [p]) is None
    np.testing.assert_array_equal(
        curves.mean_curves([y, np.zeros(len(y), int)], [p, p]).hits, curves.mean_curves([y], [p]).hits
    )
