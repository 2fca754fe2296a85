from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from versus.arrays import Ragged
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes, Number
from versus.gate import checks, judge
from versus.gate.judgement import gain_of
from versus.metrics.table import named
from versus.report.contrasts import main_contrast
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.settings import Cell, Comparison, Gate
from versus.statistics.paired_rows import paired_rows

N = 300
Y = np.arange(N) % 3
CLASSES = ("a", "b", "c")
FOLDERS = (Path(f"nowhere-{number}") for number in count())


@dataclass(frozen=True)
class Answered(Evaluation):
    """An evaluation whose answers (N, …) are in memory, in equal parts of each repeat."""

    answers: Any = None

    @property
    def predictions(self):
        return None if self.answers is None else np.split(self.answers, len(self.facts["n_test"]))


def answered(answers, targets=Y, metric="accuracy_score", folds=1, test_hash="same", name="set-model", **cell):
    """An evaluation of these answers, as a cell of a family and a module."""
    task = "classification" if np.ndim(answers) == 2 else "regression"
    facts = {"task": task, "test_hash": test_hash, "n_test": [N // folds] * folds, "capabilities": [], "skipped": []}
    known, fits = named(metric), answers.ndim == 1 or answers.shape[1] == 3
    parts = zip(np.split(targets, folds), np.split(answers, folds), strict=True)
    scores = np.array([known.score(y, p) if fits and np.isfinite(p).all() else np.nan for y, p in parts])
    of = {"family": "discriminative", "module": "linear", **cell}
    about = Cell(name, "set", of["family"], of["module"], "Model", {})
    return Answered(about, next(FOLDERS), facts, {metric: scores}, {}, {}, answers)


def results(*evaluations, targets=Y, metric="accuracy_score", folds=1):
    """The data set of these evaluations: with folds, one block in which every row is tested once."""
    test = np.split(np.arange(N), folds)
    rest = [np.setdiff1d(np.arange(N), rows) if folds > 1 else np.arange(0) for rows in test]
    splits = {"train": rest, "validation": [np.arange(0)] * folds, "test": test}
    is_number = np.issubdtype(targets.dtype, np.floating)
    schema = Schema(Table((Column("x"),)), Number() if is_number else Classes(CLASSES))
    made = {part: Ragged.of(rows) for part, rows in splits.items()}
    data = Prepared(np.zeros((N, 1)), targets, schema, made, {})
    primary = {"regression" if is_number else "classification": metric}
    return DatasetResults("set", data, tuple(evaluations), Comparison(primary))


def classifier(share_right, seed=0, test_hash="same", confidence=0.9, **how):
    """A model that is right on a share of the rows, and as sure as it is right where confidence is None."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(N) < share_right, Y, (Y + 1) % 3)
    top = share_right if confidence is None else confidence
    p = np.full((N, 3), (1 - top) / 2)
    np.put_along_axis(p, labels[:, None], top, axis=1)
    return answered(p, test_hash=test_hash, **how)


def decide(challenger, champion, baseline=(), targets=Y, metric="accuracy_score", **rules):
    folds = len(challenger.facts["n_test"])
    return judge(results(*baseline, targets=targets, metric=metric, folds=folds), challenger, champion, Gate(**rules))


def failed(judgement):
    return [check.name for check in judgement.checks if not check.passed]


def test_a_better_model_passes_with_its_figures():
    found = decide(classifier(0.95), classifier(0.8, seed=1))
    assert found.passed
    assert (found.basis, found.metric, found.margin, found.confidence) == ("comparison", "accuracy_score", 0.01, 0.95)
    assert found.gain.low > 0
    assert found.gain.challenger == pytest.approx(0.95, abs=0.03)
    assert found.gain.champion == pytest.approx(0.8, abs=0.05)


def test_a_worse_model_fails_and_says_by_how_much():
    found = decide(classifier(0.8, seed=1), classifier(0.95))
    assert not found.passed
    assert failed(found)[0] == "deciding score"
    assert "the champion's 0.9" in found.checks[0].text
    assert "must lie above -0.01" in found.checks[0].text


def test_a_model_that_may_be_worse_fails_until_the_margin_allows_it():
    challenger, champion = classifier(0.9, seed=2), classifier(0.9, seed=3)
    assert failed(decide(challenger, champion, margin=0.01, class_margin=1)) == ["deciding score"]
    assert decide(challenger, champion, margin=0.1, class_margin=1).passed


def test_with_no_margin_only_a_better_one_passes():
    champion = classifier(0.8, seed=1)
    assert not decide(champion, champion, margin=0).passed
    assert decide(classifier(0.95), champion, margin=0).passed


def test_one_class_can_fail_a_model_that_is_better_on_the_whole():
    champion = classifier(0.7, seed=1)
    p = classifier(1.0).answers.copy()
    of_c = np.flatnonzero(Y == 2)
    p[of_c[:60]] = (0.9, 0.05, 0.05)
    found = decide(answered(p), champion)
    assert failed(found) == ["class c"]


def test_calibration_can_fail_it():
    found = decide(classifier(0.95, confidence=0.5), classifier(0.8, seed=1, confidence=0.8))
    assert failed(found) == ["calibration"]


def test_other_test_rows_are_a_new_baseline():
    found = decide(classifier(0.5, test_hash="other"), classifier(0.95))
    assert found.passed
    assert (found.basis, found.gain) == ("new baseline", None)
    unknown = decide(classifier(0.5, test_hash=""), classifier(0.95, test_hash=""))
    assert unknown.basis == "new baseline"


def test_answers_that_are_none_never_pass():
    p = classifier(0.99).answers.copy()
    p[5] = np.nan
    for test_hash in ("same", "other"):
        found = decide(answered(p, test_hash=test_hash), classifier(0.5))
        assert failed(found) == ["answers"]


@pytest.mark.parametrize("damage", [np.nan, None])
def test_a_damaged_champion_is_no_reason_to_pass(damage):
    p = classifier(0.5).answers.copy()
    p = p[:, :-1] if damage is None else np.where(p == p[0, 0], damage, p)
    with pytest.raises(ValueError, match="the champion's answers"):
        decide(classifier(0.95), answered(p))


def regressor(noise, seed=0, metric="root_mean_squared_error"):
    values = np.random.default_rng(seed).normal(scale=noise, size=N) + 100.0 * Y
    return answered(values, 100.0 * Y, metric)


def test_errors_have_a_margin_relative_to_the_champions():
    of = {"targets": 100.0 * Y, "metric": "root_mean_squared_error"}
    worse = decide(regressor(11), regressor(10, 1), **of)
    assert failed(worse) == ["deciding score"]
    assert worse.margin == pytest.approx(0.01 * worse.gain.champion)
    assert len(worse.checks) == 2  # classes and calibration have no meaning here
    assert decide(regressor(11), regressor(10, 1), **of, margin=0.4).passed
    of["metric"] = "r2_score"
    explained = decide(regressor(5, metric="r2_score"), regressor(10, 1, "r2_score"), **of)
    assert explained.passed
    assert explained.margin == 0.01  # a share is its own unit


@pytest.mark.parametrize("folds", [1, 5])
@pytest.mark.parametrize("metric", ["accuracy_score", "log_loss"])
def test_the_gain_is_the_difference_that_the_report_shows(folds, metric):
    new = classifier(0.93, folds=folds, metric=metric, name="set-new")
    old = classifier(0.9, seed=1, folds=folds, metric=metric, name="set-old", family="classical_generative")
    found = results(new, old, metric=metric, folds=folds)
    gain, page = gain_of(found, new, old, confidence=0.95), main_contrast(found)
    sign = -1 if metric == "log_loss" else 1  # a gain is positive where the challenger is better
    assert sign * gain.value == pytest.approx(page.mean)
    assert sorted((sign * gain.low, sign * gain.high)) == pytest.approx([page.low, page.high])
    if folds == 5:
        rows = named(metric).rows
        apart = paired_rows(1.0 * rows(Y, new.answers) - rows(Y, old.answers), None, float(metric == "accuracy_score"))
        assert sorted((sign * gain.low, sign * gain.high)) == pytest.approx(apart.interval(0.95))
        assert gain.estimand == "mean over rows that each block of folds tests once"
    else:
        assert "drawn again" in gain.estimand
    judged = judge(found, new, old, Gate())
    assert judged.gain == gain
    assert gain.estimand in judged.checks[[check.name for check in judged.checks].index("deciding score")].text


def test_a_model_no_better_than_the_trivial_one_fails_alone_and_against_any_champion():
    prior = answered(np.tile([0.34, 0.33, 0.33], (N, 1)), name="set-prior", module="baseline")
    guess, good = classifier(0.36), classifier(0.9, seed=1)
    for champion in (None, classifier(0.3, seed=2, confidence=0.34), classifier(0.9, test_hash="other")):
        found = decide(guess, champion, [prior])
        assert "baseline" in failed(found)
        assert "set-model is not shown to beat the trivial baseline: accuracy_score 0.2967, set-prior's 0.3333" in str(
            found.checks
        )
    assert decide(good, None, [prior]).passed
    assert decide(guess, None).passed  # nothing to be compared with
    with pytest.raises(ValueError, match="set-prior and set-model were not evaluated on the same test rows"):
        decide(classifier(0.9, test_hash="new"), None, [prior])


def test_the_same_answers_pass_however_few_rows_there_are():
    found = decide(classifier(0.9, folds=5), classifier(0.9, folds=5), margin=0.001)
    assert found.gain.low < -0.001
    assert found.passed


def test_answers_of_another_form_are_named(tmp_path):
    about = {"task": "classification", "test_hash": "1f", "n_test": [3, 3], "repeats": 2}
    cell = answered(classifier(0.9).answers).cell

    def read():
        return checks.answers(Evaluation(cell, tmp_path, about, {}, {}, {}))

    with pytest.raises(FileNotFoundError, match=r"predictions\.npy"):
        read()
    np.save(tmp_path / "predictions.npy", np.full((6, 4), 0.25, np.float32))
    assert read().shape == (6, 4)
    np.save(tmp_path / "predictions.npy", np.full(6, 1))
    with pytest.raises(ValueError, match=r"holds int64 \(6,\); floats with 2 axes are expected"):
        read()
    about["n_test"] = 3
    with pytest.raises(ValueError, match="written by an earlier version"):
        read()
