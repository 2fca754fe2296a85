"""Answers with missing columns and the detection of novel rows: by brute force, by exact inference, end to end."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from stages import evaluate, train
from versus.evaluation.uses import missing, novelty
from versus.metrics.density import placements
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
    assert ("pair-logistic_regression", "accuracy_half_imputed") in mean
