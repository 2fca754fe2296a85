import pytest

from versus.statistics.equivalence import Rope, judge


@pytest.mark.parametrize(
    ("rope", "p", "mean", "expected"),
    [
        (Rope(0.0, 0.0, 1.0), 0.001, 0.1, "higher"),
        (Rope(1.0, 0.0, 0.0), 0.001, -0.1, "lower"),
        (Rope(0.01, 0.97, 0.02), 0.6, 0.001, "equal"),
        (Rope(0.0, 0.98, 0.02), 0.001, 0.004, "equal"),  # real, and too small to matter
        (Rope(0.2, 0.3, 0.5), 0.3, 0.02, "undecided"),
        (Rope(0.0, 0.1, 0.9), 0.2, 0.02, "undecided"),  # p is adjusted for many tests: it has the last word
    ],
)
def test_judgement(rope, p, mean, expected):
    assert judge(rope, p, mean) == expected
