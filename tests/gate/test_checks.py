import numpy as np
import pytest

from versus.gate import checks

CLASSES = ("cat", "dog", "<b>bird</b>")


def sure(labels, n_classes=3):
    """Probabilities that put 0.9 on the given labels (n,)."""
    p = np.full((len(labels), n_classes), 0.1 / (n_classes - 1))
    np.put_along_axis(p, labels[:, None], 0.9, axis=1)
    return p


@pytest.fixture
def truth():
    return np.repeat([0, 1, 2], [100, 80, 20])


def test_a_class_that_gets_worse_is_named_with_its_figures(truth):
    new = truth.copy()
    new[180:186] = 0  # 6 of 20 birds
    (found,) = checks.class_recalls(sure(new), sure(truth), truth, CLASSES, margin=0.05)
    assert not found.passed
    assert found.name == "class <b>bird</b>"
    assert "fell by 0.300, from 1.000 to 0.700 on 20 test rows; 0.050 is allowed" in found.text


def test_classes_that_get_worse_are_all_named_the_worst_first(truth):
    new = truth.copy()
    new[180:186], new[100:108] = 0, 0
    found = checks.class_recalls(sure(new), sure(truth), truth, CLASSES, margin=0.05)
    assert [check.name for check in found] == ["class <b>bird</b>", "class dog"]


def test_a_fall_within_the_margin_passes_and_is_told(truth):
    new = truth.copy()
    new[:1] = 1  # one of 100 cats
    (found,) = checks.class_recalls(sure(new), sure(truth), truth, CLASSES, margin=0.05)
    assert found.passed
    assert "class 'cat' fell by 0.010" in found.text
    (same,) = checks.class_recalls(sure(truth), sure(new), truth, CLASSES, margin=0.0)
    assert same.passed


def test_a_class_without_test_rows_cannot_get_worse(truth):
    present = np.minimum(truth, 1)
    (found,) = checks.class_recalls(sure(present), sure(present), present, CLASSES, margin=0.0)
    assert found.passed


def test_calibration_may_not_get_worse_by_more_than_the_margin(truth):
    rng = np.random.default_rng(0)
    answers = np.where(rng.random(truth.shape) < 0.9, truth, (truth + 1) % 3)
    calibrated = sure(answers)
    boastful = np.where(calibrated > 0.5, 0.999, 0.0005)
    assert checks.calibration(calibrated, calibrated, truth, margin=0.0).passed
    assert not checks.calibration(boastful, calibrated, truth, margin=0.05).passed
    assert checks.calibration(boastful, calibrated, truth, margin=0.2).passed
    assert checks.calibration(calibrated, boastful, truth, margin=0.0).passed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ((np.nan, 0.5, 0.5), "not finite"),
        ((np.inf, 0.0, 0.0), "not finite"),
        ((0.4, 0.4, 0.4), "test row 107"),
        ((1.2, -0.1, -0.1), "negative"),
    ],
)
def test_probabilities_that_are_none_are_found(truth, damage, words):
    p = sure(truth).astype(np.float32)
    assert checks.soundness(p).passed
    p[107] = damage
    found = checks.soundness(p)
    assert not found.passed
    assert words in found.text


def test_values_need_only_be_finite():
    values = np.array([-3.0, 1e9])
    assert checks.soundness(values).passed
    values[1] = -np.inf
    assert not checks.soundness(values).passed
