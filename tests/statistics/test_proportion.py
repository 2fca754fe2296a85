import numpy as np
import pytest
from scipy.stats import binom, binomtest

from versus.statistics.proportion import wilson_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 30), (15, 30), (30, 30), (897, 1000)])
def test_agrees_with_scipy(successes, trials):
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(wilson_interval(successes, trials), (expected.low, expected.high), atol=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_mean_coverage(share):
    n = np.arange(40, 80)
    covered = [
        sum(
            binom.pmf(s, t, share)
            for s in range(t + 1)
            if wilson_interval(s, t)[0] <= share <= wilson_interval(s, t)[1]
        )
        for t in n
    ]
    assert 0.94 < np.mean(covered) < 0.97


def test_refuses():
    with pytest.raises(ValueError, match="successes=4"):
        wilson_interval(4, 3)
