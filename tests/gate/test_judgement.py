import json

import numpy as np
import pytest

from versus.gate import Measured, judge, read_measured
from versus.settings import Gate

N = 300
ROWS = np.arange(N)
Y = np.arange(N) % 3
CLASSES = ("a", "b", "c")


def classifier(share_right, seed=0, test_hash="same", confidence=0.9):
    """A model that is right on a share of the rows, and as sure as it is right where confidence is None."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(N) < share_right, Y, (Y + 1) % 3)
    top = share_right if confidence is None else confidence
    p = np.full((N, 3), (1 - top) / 2)
    np.put_along_axis(p, labels[:, None], top, axis=1)
    return Measured("set-model", "classification", test_hash, (N,), p)


def decide(challenger, champion, metric="accuracy_score", targets=Y, classes=CLASSES, **rules):
    return judge(challenger, champion, targets, ROWS, classes, metric, Gate(**rules))


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
    p = classifier(1.0).predictions.copy()
    of_c = np.flatnonzero(Y == 2)
    p[of_c[:60]] = (0.9, 0.05, 0.05)
    found = decide(Measured("set-model", "classification", "same", (N,), p), champion)
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
    p = classifier(0.99).predictions.copy()
    p[5] = np.nan
    for test_hash in ("same", "other"):
        found = decide(Measured("set-model", "classification", test_hash, (N,), p), classifier(0.5))
        assert failed(found) == ["answers"]


@pytest.mark.parametrize("damage", [np.nan, None])
def test_a_damaged_champion_is_no_reason_to_pass(damage):
    p = classifier(0.5).predictions.copy()
    p = p[:, :-1] if damage is None else np.where(p == p[0, 0], damage, p)
    with pytest.raises(ValueError, match="the champion's answers"):
        decide(classifier(0.95), Measured("set-model", "classification", "same", (N,), p))


def regressor(noise, seed=0):
    values = np.random.default_rng(seed).normal(scale=noise, size=N) + 100.0 * Y
    return Measured("set-model", "regression", "same", (N,), values)


def test_errors_have_a_margin_relative_to_the_champions():
    targets = 100.0 * Y
    worse = decide(regressor(11), regressor(10, 1), "root_mean_squared_error", targets, ())
    assert failed(worse) == ["deciding score"]
    assert worse.margin == pytest.approx(0.01 * worse.gain.champion)
    assert len(worse.checks) == 2  # classes and calibration have no meaning here
    assert decide(regressor(11), regressor(10, 1), "root_mean_squared_error", targets, (), margin=0.4).passed
    explained = decide(regressor(5), regressor(10, 1), "r2_score", targets, ())
    assert explained.passed
    assert explained.margin == 0.01  # a share is its own unit


def test_an_evaluation_is_read_and_a_damaged_one_is_named(tmp_path):
    about = {"cell": "a-b", "task": "classification", "test_hash": "1f", "n_test": [3, 3]}
    (tmp_path / "evaluation.json").write_text(json.dumps(about))
    with pytest.raises(FileNotFoundError, match=r"predictions\.npy"):
        read_measured(tmp_path)
    np.save(tmp_path / "predictions.npy", np.full((6, 4), 0.25, np.float32))
    found = read_measured(tmp_path)
    assert (found.cell, found.test_hash, found.predictions.shape) == ("a-b", "1f", (6, 4))
    np.save(tmp_path / "predictions.npy", np.full(6, 1))
    with pytest.raises(ValueError, match=r"holds int64 \(6,\); floats with 2 axes are expected"):
        read_measured(tmp_path)
