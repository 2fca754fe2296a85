"""Toy data of four animals and four categorical features, with known true probabilities.

An animal is drawn with probability 1/4; then each feature, independently of the others, takes the animal's typical
value from `TYPICAL` with probability `FIDELITY` and each other value with an equal share of the rest. Naive Bayes is
therefore the true model, and the best possible accuracy is known: a cat and a dog differ only in their tail.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIDELITY = 0.85
FEATURES: dict[str, tuple[str, ...]] = {
    "beak": ("no", "yes"),
    "covering": ("feathers", "fur", "scales"),
    "legs": ("0", "2", "4"),
    "tail": ("long", "none", "short"),
}
TYPICAL: dict[str, dict[str, str]] = {
    "bird": {"covering": "feathers", "legs": "2", "tail": "short", "beak": "yes"},
    "cat": {"covering": "fur", "legs": "4", "tail": "long", "beak": "no"},
    "dog": {"covering": "fur", "legs": "4", "tail": "short", "beak": "no"},
    "snake": {"covering": "scales", "legs": "0", "tail": "long", "beak": "no"},
}


def probabilities(feature: str) -> NDArray[np.float64]:
    """Probability of each value of a feature, given the animal, (4 animals, C categories)."""
    values = FEATURES[feature]
    typical = np.array([[value == TYPICAL[animal][feature] for value in values] for animal in TYPICAL])
    return np.where(typical, FIDELITY, (1 - FIDELITY) / (len(values) - 1))


def draw(n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw ``n`` animals: X (n, 4) codes into `FEATURES`, y (n,) codes into `TYPICAL`."""
    y = rng.integers(len(TYPICAL), size=n)
    X = np.empty((n, len(FEATURES)))
    for place, feature in enumerate(FEATURES):
        upper = probabilities(feature).cumsum(axis=1)[y]  # (n, C)
        X[:, place] = (rng.random((n, 1)) >= upper[:, :-1]).sum(axis=1)  # the last bound is 1, but for rounding
    return X, y
