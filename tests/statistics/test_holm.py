import numpy as np
import pytest

from versus.statistics.holm import holm


def test_published_example():
    # Demšar (2006), section 3.2.2: three variants against C4.5; Holm rejects the first two and keeps the third.
    np.testing.assert_allclose(holm([0.607, 0.019, 0.016]), [0.607, 0.048, 0.048])


def test_steps_down_and_never_exceeds_one():
    # R's p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and p.adjust(c(0.5, 0.9), "holm")
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.04, 0.05]), [0.05, 0.08, 0.09, 0.09, 0.09])
    np.testing.assert_allclose(holm([0.9, 0.5]), [1.0, 1.0])


def test_family_wise_error_under_the_null():
    p = np.random.default_rng(0).random((2000, 6))
    assert 0.035 < np.mean([holm(row).min() < 0.05 for row in p]) < 0.065
    assert np.mean(p.min(axis=1) < 0.05) > 0.2


def test_empty_and_refusal():
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match="outside"):
        holm([0.2, np.nan])
