"""Missing columns, novel rows, shifts and copies: by brute force, by exact inference, end to end."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import anomaly
from stages import evaluate, train
from versus import params as parameters
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.evaluation.uses import missing, novelty, shifts
from versus.metrics.density import placements
from versus.metrics.samples import copying
from versus.report import results
from versus.workspace import Workspace

PARAMS = """\
training: {device: cpu}
files:
  pair: {source: csv, path: pair.csv, target: y}
discriminative:
  pair-logistic_regression: {data: pair, module: linear, class: LogisticRegression}
classical_generative:
  pair-gaussian: {data: pair, module: gaussian, class: GaussianClassifier}
"""


def test_half_of_the_columns_of_each_row_are_blanked() -> None:
    X = np.arange(500.0).reshape(100, 5)
    found = missing.blanked(X, np.random.default_rng(0))
    assert (np.isnan(found).sum(axis=1) == 3).all()
    assert np.isnan(found).any(axis=0).all()
    kept = ~np.isnan(found)
    np.testing.assert_array_equal(found[kept], X[kept])


def test_numbers_are_filled_by_the_mean_of_five_neighbours_and_categories_by_the_nearest() -> None:
    rng = np.random.default_rng(1)
    donors = np.column_stack([rng.normal(size=40), 1000 * rng.normal(size=40), rng.integers(0, 3, 40)])
    X = np.array([[0.2, np.nan, np.nan]])
    found = missing.filled(X, donors, np.array([False, False, True]))
    nearest = np.argsort(np.abs(donors[:, 0] - 0.2))
    assert found[0, 0] == 0.2
    assert found[0, 1] == pytest.approx(donors[nearest[:5], 1].mean())
    assert found[0, 2] == donors[nearest[0], 2]
    unknown = missing.filled(np.full((1, 3), np.nan), donors, np.array([False, False, True]))[0]
    np.testing.assert_allclose(unknown[:2], donors[:, :2].mean(axis=0))
    assert unknown[2] == np.bincount(donors[:, 2].astype(int)).argmax()


def test_units_do_not_change_what_is_filled_and_a_column_without_values_stays_missing() -> None:
    rng = np.random.default_rng(2)
    donors, X = rng.normal(size=(30, 3)), missing.blanked(rng.normal(size=(10, 3)), rng)
    plain = np.zeros(3, bool)
    scaled = missing.filled(X * [1, 1e6, 1] + [0, 3e6, 0], donors * [1, 1e6, 1] + [0, 3e6, 0], plain)
    np.testing.assert_allclose(scaled, missing.filled(X, donors, plain) * [1, 1e6, 1] + [0, 3e6, 0])
    donors[:, 2] = np.nan
    found = missing.filled(X, donors, plain)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(X) & [False, False, True])


def test_shuffled_rows_keep_every_column_and_lose_their_combination() -> None:
    X = np.repeat(np.arange(200.0)[:, None], 2, axis=1)
    found = novelty.shuffled(X, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(found, axis=0), X)
    assert (found[:, 0] != found[:, 1]).mean() > 0.9


def test_placements_average_to_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(3)
    known, novel = rng.integers(0, 9, 80) + 2, rng.integers(0, 9, 50)  # many ties
    expected = roc_auc_score(np.repeat([1, 0], [80, 50]), np.concatenate([known, novel]))
    assert placements(known, novel).mean() == pytest.approx(expected)
    assert placements(known, novel).shape == (80, 1)


def test_a_joint_model_answers_exactly_and_sees_broken_pairs(
    prepared_workspace: Callable[[str, str], Workspace],
) -> None:
    """Two columns of correlation ±.95: with one of them missing nothing is left, and shuffled pairs are novel."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 600)
    a = rng.normal(size=600)
    b = (2 * y - 1) * 0.95 * a + np.sqrt(1 - 0.95**2) * rng.normal(size=600)
    rows = "".join(f"{u!r},{v!r},{'pq'[c]}\n" for u, v, c in zip(a.tolist(), b.tolist(), y, strict=True))
    Path("pair.csv").write_text("a,b,y\n" + rows)
    workspace = prepared_workspace(PARAMS, "pair")
    scores: dict[tuple[str, str], list[float]] = {}
    for family, cell in [("classical_generative", "pair-gaussian"), ("discriminative", "pair-logistic_regression")]:
        train.main(family, cell)
        evaluate.main(cell)
        with (workspace.evaluation(cell) / "scores.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                scores.setdefault((cell, row["metric"]), []).append(float(row["value"]))
    mean = {key: float(np.mean(values)) for key, values in scores.items()}
    assert mean["pair-gaussian", "accuracy_score"] > 0.85
    assert mean["pair-gaussian", "accuracy_half_missing"] == pytest.approx(0.5, abs=0.08)
    assert mean["pair-gaussian", "novelty_auroc"] > 0.7
    assert mean["pair-logistic_regression", "novelty_auroc"] == pytest.approx(0.5, abs=0.1)
    for score in ("half_imputed", "iteratively_imputed", "priors_given", "component_shifted", "sparse_shifted"):
        assert ("pair-logistic_regression", f"accuracy_{score}") in mean
    assert mean["pair-gaussian", "copying"] == pytest.approx(0.5, abs=0.1)
    assert mean["pair-gaussian", "accuracy_priors_given"] > 0.85
    known = parameters.cells(parameters.read(workspace.params))
    (of_pair,) = results.read(workspace, known).datasets
    both = [of_pair.interval(of_pair.evaluations[1], f"accuracy_{s}") for s in ("score", "classes_shifted")]
    widths = [high - low for low, high in both]
    assert 0.7 * widths[0] < widths[1] < 2 * widths[0]  # the weights themselves are no uncertainty


def test_regressions_fill_what_neighbours_cannot_extrapolate() -> None:
    """y = 3 x + 10 continues beyond the donors; nearest donors would repeat the last of them."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 1, 200)
    donors = np.column_stack([x, 3 * x + 10 + 1e-3 * rng.normal(size=200), np.full(200, np.nan)])
    found = missing.regressed(np.array([[2.0, np.nan, np.nan], [np.nan, 10.0, 7.0]]), donors)
    np.testing.assert_allclose(found[:, :2], [[2.0, 16.0], [0.0, 10.0]], atol=0.15)
    assert np.isnan(found[0, 2])
    assert found[1, 2] == 7.0


def test_the_rarest_class_becomes_nine_times_as_frequent_as_the_most_frequent() -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    weights, priors = shifts.shifted_classes(y, np.array([600, 300, 100, 5]), np.ones(100))
    assert weights.mean() == pytest.approx(1)
    assert priors[3] == 0  # no test row
    np.testing.assert_allclose(np.bincount(y, weights, 4) / 100, priors)
    assert priors[2] / priors[0] == pytest.approx(9 ** (2 / 3))
    own = np.where(y == 1, 3.0, 0.5)  # rows that have weights already
    again, same = shifts.shifted_classes(y, np.array([600, 300, 100, 5]), own)
    np.testing.assert_allclose(same, priors)
    np.testing.assert_allclose(np.bincount(y, again * own, 4) / own.sum(), priors)
    assert shifts.shifted_classes(y[:90], np.array([600, 300]), np.ones(90))[1] == pytest.approx([0.1, 0.9])


def test_priors_are_estimated_from_rows_without_classes_and_bayes_rule_turns_to_them() -> None:
    """Two unit normals, 2 apart: p(y | x) is known, and the best accuracy under the new priors is, too."""
    rng = np.random.default_rng(6)
    y = (rng.random(20_000) < 0.9).astype(int)
    x = rng.normal(size=20_000) + 2 * y
    before, after = np.array([0.8, 0.2]), np.array([0.1, 0.9])
    joint = before * np.exp(-0.5 * (x[:, None] - [0, 2]) ** 2)
    probabilities = joint / joint.sum(axis=1, keepdims=True)
    estimated = shifts.estimated_priors(probabilities, before, np.ones(20_000))
    np.testing.assert_allclose(estimated, after, atol=0.01)
    again = shifts.turned(probabilities, before, estimated).mean(axis=0)
    np.testing.assert_allclose(again, estimated, atol=1e-8)  # what EM comes to rest at
    turned = shifts.turned(probabilities, before, after)
    expected = after * np.exp(-0.5 * (x[:, None] - [0, 2]) ** 2)
    np.testing.assert_allclose(turned, expected / expected.sum(axis=1, keepdims=True))
    right = [(p.argmax(axis=1) == y).mean() for p in (probabilities, turned)]
    assert right[1] > right[0] + 0.1
    halves = shifts.estimated_priors(probabilities, before, np.where(y == 1, 1 / 9, 1.0))
    np.testing.assert_allclose(halves, [0.5, 0.5], atol=0.02)  # weighted rows are a sample of other priors


def test_a_tilt_moves_a_normal_by_a_deviation_and_finds_the_sparse_end() -> None:
    rng = np.random.default_rng(7)
    known = rng.normal(size=(800, 2)) * [3.0, 0.5]
    asked = rng.normal(size=(3000, 2)) * [3.0, 0.5]
    schema = Schema(Table((Column("a"), Column("b"))), Classes(("u", "v")))
    scaled = np.column_stack([known[:, 0], 0.9 * known[:, 0] / 6 + known[:, 1]])  # standardised, they correlate
    turned = np.column_stack([asked[:, 0], 0.9 * asked[:, 0] / 6 + asked[:, 1]])
    component, sparse = shifts.positions(scaled, turned, schema)
    weights = shifts.tilted(component, np.ones(3000))
    standardised = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    _, axes = np.linalg.eigh(np.cov(standardised, rowvar=False))
    scores = (turned - scaled.mean(axis=0)) / scaled.std(axis=0) @ axes[:, -1]
    assert abs(np.corrcoef(component, scores)[0, 1]) == pytest.approx(1, abs=1e-9)
    assert weights.mean() == pytest.approx(1)
    assert (weights * component).mean() == pytest.approx(1, abs=0.15)
    assert np.corrcoef(component, asked[:, 0])[0, 1] > 0.7
    far = np.square(asked / [3.0, 0.5]).sum(axis=1)
    assert np.corrcoef(np.argsort(np.argsort(sparse)), np.argsort(np.argsort(far)))[0, 1] > 0.8


def test_a_copier_is_told_from_an_honest_sampler_and_from_one_that_misses_the_data() -> None:
    rng = np.random.default_rng(8)
    train, real, honest = (rng.normal(size=(400, 3)) * [1, 1e4, 1] for _ in range(3))
    schema = Schema(Table(tuple(map(Column, "abc"))), Classes(("u", "v")))
    assert copying(train, real, honest, schema) == pytest.approx(0.5, abs=0.06)
    assert copying(train, real, train[rng.integers(0, 400, 400)], schema) == 1.0
    assert copying(train, real, train + 0.05 * rng.normal(size=train.shape) * [1, 1e4, 1], schema) > 0.9
    assert copying(train, real, 3 * honest, schema) < 0.2
    repeated = np.repeat(train[:40], 10, axis=0)  # rows that recur are no copies of the model's
    assert copying(repeated, repeated, repeated[::-1], schema) == 0.5


def test_no_anomaly_is_learned_from_and_all_are_asked_about(tmp_path: Path) -> None:
    y = (np.arange(100) % 10 == 0).astype(int)
    np.savez(tmp_path / "a.npz", X=np.stack([np.arange(100), 1000 * y], axis=1), y=y)
    learned, asked, is_normal = anomaly.halves(tmp_path / "a.npz", 0)
    assert learned.shape == (45, 2)
    assert (learned[:, 1] == 0).all()
    np.testing.assert_allclose(learned[:, 0].mean(), 0, atol=1e-12)
    np.testing.assert_array_equal(asked[:, 1] > 0, is_normal == 0)
    assert (is_normal == 0).sum() == 10
    assert not set(learned[:, 0]) & set(asked[:, 0])
