"""Weights of rows: a weight of two counts as two rows, in fits, scores, intervals and on the page."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from stages import evaluate, train
from versus.data import prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes, Number
from versus.metrics.table import named, of_use
from versus.models import find
from versus.models.protocols import takes_weights
from versus.numerics.held_out import likeliest_shrinkage
from versus.params import read
from versus.report import evaluation
from versus.report.dataset_results import DatasetResults
from versus.report.sections import findings
from versus.statistics.bootstrap import TwoLevelBootstrap

COLUMNS = (Column("a"), Column("b"), Column("c", ("u", "v", "w")))
MIXED, NUMBERS = Table(COLUMNS), Table(COLUMNS[:2])
CODES = Table((COLUMNS[2], Column("d", ("0", "1"))))
MODELS = {  # those whose fit is a function of weighted sums
    "prior": ("discriminative", "baseline", "PriorBaseline", {}, MIXED),
    "logistic": ("discriminative", "linear", "LogisticRegression", {}, MIXED),
    "linear_svm": ("discriminative", "linear", "LinearSVM", {"tol": 1e-10, "max_iter": 100_000}, NUMBERS),
    "naive_bayes": ("classical_generative", "naive_bayes", "MixedNaiveBayes", {}, MIXED),
    "bits": ("classical_generative", "naive_bayes_discrete", "BernoulliNaiveBayes", {}, Table((CODES.columns[1],))),
    "codes": ("classical_generative", "naive_bayes_discrete", "CategoricalNaiveBayes", {}, CODES),
    "marginals": ("classical_generative", "baseline", "Marginals", {}, MIXED),
    "rbf_svm": ("discriminative", "kernel", "RBFSVM", {}, NUMBERS),
    "full": ("classical_generative", "gaussian", "GaussianClassifier", {}, MIXED),
    "tied": ("classical_generative", "gaussian", "GaussianClassifier", {"covariance_type": "tied"}, MIXED),
    "mixture": ("classical_generative", "mixture", "GaussianMixtureClassifier", {"n_components": 1}, MIXED),
    "mean": ("discriminative", "baseline", "MeanBaseline", {}, MIXED),
    "ridge": ("discriminative", "linear", "RidgeRegression", {}, MIXED),
    "normal": ("classical_generative", "regression", "GaussianRegression", {}, MIXED),
}  # fmt: skip


def rows(space, target, n=120):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    of = {
        "a": rng.normal(y, 1.0),
        "b": rng.normal(0.5 * y, 2.0),
        "c": (y + rng.integers(0, 2, n)) % 3.0,
        "d": (y > rng.random(n)) * 1.0,
    }
    X = np.stack([of[column.name] for column in space.columns], axis=1)
    answer = Classes(("p", "q", "r")) if target == "classes" else Number("y")
    return X, y if target == "classes" else y + rng.normal(size=n), Schema(space, answer)


def answer(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize("name", MODELS)
def test_a_weight_is_a_number_of_equal_rows(name):
    family, module, class_name, args, space = MODELS[name]
    X, y, schema = rows(space, "number" if name in ("mean", "ridge", "normal") else "classes")
    weights = np.random.default_rng(1).integers(0, 4, len(X)).astype(float)
    times = np.repeat(np.arange(len(X)), weights.astype(int))
    model_class = find(family, module, class_name)
    seed = {"random_state": 0} if name in ("linear_svm", "rbf_svm", "mixture") else {}
    weighted, repeated, plain = (model_class(**args, **seed, schema=schema) for _ in range(3))
    weighted.fit(X, y, sample_weight=weights)
    repeated.fit(X[times], y[times])
    plain.fit(X, y)
    loose = {"rtol": 1e-4, "atol": 2e-3 if name == "rbf_svm" else 1e-5}  # LIBSVM stops at a tolerance of 1e-3
    np.testing.assert_allclose(answer(weighted, X), answer(repeated, X), **loose)
    assert np.abs(answer(plain, X) - answer(repeated, X)).max() > 1e-3
    if hasattr(weighted, "log_prob"):
        np.testing.assert_allclose(weighted.log_prob(X), repeated.log_prob(X), rtol=1e-5, atol=1e-5)


def test_held_out_rows_count_by_weight_where_a_fit_chooses():
    """Half of the rows are correlated, the others not: weights decide which of them the choice is for."""
    rng, y = np.random.default_rng(0), np.zeros(300, np.int64)
    X = rng.normal(size=(300, 1)) + np.where(np.arange(300) < 150, 0.2, 3.0)[:, None] * rng.normal(size=(300, 6))
    dense, loose = (np.where(np.arange(300) < 150, a, b) for a, b in ((1.0, 1e-3), (1e-3, 1.0)))
    small, large = (likeliest_shrinkage(X, y, weights) for weights in (dense, loose))
    assert small < 0.02 < 0.2 < large
    times = rng.integers(0, 3, 300)
    again = np.repeat(np.arange(300), times)
    assert likeliest_shrinkage(X, y, times) == pytest.approx(likeliest_shrinkage(X[again], y[again]))
    assert likeliest_shrinkage(X[:3][[0, 0, 1]], y[:3]) == 1.0  # two different rows say nothing of correlations


@pytest.mark.parametrize(
    ("family", "module", "class_name", "args"),
    [
        ("discriminative", "trees", "RandomForest", {"n_estimators": 20}),
        ("discriminative", "boosting", "HistGradientBoosting", {"max_iter": 20}),
        ("discriminative", "kernel", "RBFSVM", {}),
        ("discriminative", "perceptron", "MLPClassifier", {"epochs": 15, "hidden_layer_sizes": [16]}),
        ("deep_generative", "vae", "ConditionalVAE", {"epochs": 15, "hidden_layer_sizes": [16]}),
    ],
)
def test_rows_of_weight_0_are_no_evidence(family, module, class_name, args):
    X, y, schema = rows(NUMBERS, "classes", 600)
    wrong = np.random.default_rng(2).random(600) < 0.7
    labels = np.where(wrong, (y + 1) % 3, y)
    model = find(family, module, class_name)(**args, random_state=0, schema=schema)
    model.fit(X[:300], labels[:300], sample_weight=np.where(wrong, 0.0, 1.0)[:300])
    blind = find(family, module, class_name)(**args, random_state=0, schema=schema).fit(X[:300], labels[:300])
    right, misled = ((found.predict_proba(X[300:]).argmax(axis=1) == y[300:]).mean() for found in (model, blind))
    assert right > 0.45
    assert right > misled + 0.15


@pytest.mark.parametrize("n_classes", [2, 4])
def test_scores_of_weighted_rows_are_scikit_learns(n_classes):
    rng = np.random.default_rng(0)
    y, w = rng.integers(0, n_classes, 90), rng.gamma(1.0, size=90)
    p = rng.dirichlet(np.ones(n_classes), 90)
    predicted, macro = p.argmax(axis=1), {"average": "macro", "zero_division": 0}
    curves = [1] if n_classes == 2 else range(4)
    expected = {
        "accuracy_score": reference.accuracy_score(y, predicted, sample_weight=w),
        "balanced_accuracy_score": reference.balanced_accuracy_score(y, predicted, sample_weight=w),
        "precision_score": reference.precision_score(y, predicted, sample_weight=w, **macro),
        "recall_score": reference.recall_score(y, predicted, sample_weight=w, **macro),
        "f1_score": reference.f1_score(y, predicted, sample_weight=w, **macro),
        "matthews_corrcoef": reference.matthews_corrcoef(y, predicted, sample_weight=w),
        "cohen_kappa_score": reference.cohen_kappa_score(y, predicted, sample_weight=w),
        "log_loss": reference.log_loss(y, p, sample_weight=w),
        "roc_auc": np.mean([reference.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in curves]),
    }
    for name, value in expected.items():
        assert named(name).score(y, p, weights=w) == pytest.approx(value, abs=1e-12), name
    for metric in of_use("classification"):
        assert metric.score(y, p, weights=np.full(90, 3.0)) == pytest.approx(metric.score(y, p), abs=1e-12)
        if metric.rows is not None:
            assert metric.row_scores(metric.rows(y, p), w).mean() == pytest.approx(metric.score(y, p, weights=w))
    values = rng.normal(size=90)
    for name, score in (
        ("root_mean_squared_error", reference.root_mean_squared_error),
        ("mean_absolute_error", reference.mean_absolute_error),
        ("r2_score", reference.r2_score),
    ):
        assert named(name).score(y, values, weights=w) == pytest.approx(score(y, values, sample_weight=w)), name


PARAMS = """\
files:
  t: {source: csv, path: t.csv, target: y, weight: w}
discriminative:
  t-logistic: {data: t, module: linear, class: LogisticRegression}
  t-knn: {data: t, module: neighbours, class: KNearestNeighbours}
  t-mlp: {data: t, module: perceptron, class: MLPClassifier, args: {epochs: 3}}
classical_generative:
  t-naive_bayes: {data: t, module: naive_bayes, class: MixedNaiveBayes}
"""
FAMILY = {"naive_bayes": "classical_generative"}


def write(path, weights):
    X, y, _ = rows(NUMBERS, "classes", 150)
    lines = [f"{a:.4f},{b:.4f},{w:g},{'pqr'[k]}" for (a, b), w, k in zip(X, weights, y, strict=True)]
    Path(path).write_text("a,b,w,y\n" + "\n".join(lines) + "\n")


def test_from_the_file_to_the_page(prepared_workspace, tmp_path):
    weights = np.random.default_rng(3).gamma(0.5, size=150) + 0.01
    write(tmp_path / "t.csv", weights)
    workspace = prepared_workspace(PARAMS, "t")
    data = prepared.read(workspace.prepared("t"))
    assert [column.name for column in data.schema.columns] == ["a", "b"]
    np.testing.assert_allclose(data.weights, weights / weights.mean(), rtol=1e-4)
    cells = ("logistic", "knn", "mlp", "naive_bayes")
    for name in cells:
        train.main(FAMILY.get(name, "discriminative"), f"t-{name}")
        evaluate.main(f"t-{name}")
    known = read(Path("params.yaml"))
    found = {name: evaluation.read(workspace.evaluation(f"t-{name}")) for name in cells}
    results = DatasetResults("t", data, tuple(found.values()), known.comparison, workspace_findings(workspace))
    (own,) = [f for f in findings.content(results)["findings"] if f.code == "weights"]
    assert own.what.endswith("learned without them: knn")
    assert "Kish" in own.what
    for name, measured in found.items():
        for y, p, w, score in zip(
            results.targets, measured.predictions, results.weights, measured.scores["accuracy_score"], strict=True
        ):
            assert score == pytest.approx(reference.accuracy_score(y, p.argmax(axis=1), sample_weight=w)), name
    one, other = found["logistic"], found["naive_bayes"]
    apart = results.difference(one, other, "log_loss")
    assert apart.mean == pytest.approx(one.mean("log_loss") - other.mean("log_loss"))
    alike = DatasetResults("t", unweighted(data), tuple(found.values()), known.comparison)
    assert apart.standard_error > alike.difference(one, other, "log_loss").standard_error
    low, high = results.interval(one, "accuracy_score")
    assert low < one.mean("accuracy_score") < high
    assert not takes_weights(find("discriminative", "neighbours", "KNearestNeighbours")())


def workspace_findings(workspace):
    from versus.data.findings import read as read_findings

    return read_findings(workspace.prepared("t"))


def unweighted(data):
    return prepared.Prepared(data.X, data.y, data.schema, data.splits, data.about, data.units)


def test_a_bootstrap_of_weighted_rows():
    """A row of weight two counts twice each time that it is drawn."""
    from versus.statistics.bootstrap import scorer_of_rows, weighted_scorers

    values, weights = np.random.default_rng(0).normal(size=(200, 1)), np.repeat([1.0, 3.0], 100)
    (scorer,) = weighted_scorers([scorer_of_rows(values, lambda means: means[..., 0])], [weights])
    found = TwoLevelBootstrap(200, resamples=500).mean([scorer])
    assert found.mean == pytest.approx(np.average(values[:, 0], weights=weights))
    residuals = weights * (values[:, 0] - found.mean) / weights.mean()
    assert found.resamples.std() == pytest.approx(residuals.std() / np.sqrt(200), rel=0.1)
