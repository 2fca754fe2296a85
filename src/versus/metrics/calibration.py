"""Whether probabilities mean what they say: reliability bins and the expected calibration error.

Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015); Guo et
al., "On Calibration of Modern Neural Networks" (ICML 2017): the confidence of the predicted class, in equal bins.
scikit-learn's ``calibration_curve`` is for two classes only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from versus.arrays import Array, Labels

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """For each bin of confidence: its ends, mean confidence, accuracy, and how many rows; all (bins,).

    An empty bin has confidence and accuracy 0.
    """

    low: Array
    high: Array
    confidence: Array
    accuracy: Array
    count: Array


def reliability(y: Labels, probabilities: Array, bins: int = BINS) -> Reliability:
    """Rows (N,), (N, K) binned by the probability of their predicted class; a bin holds its upper end."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    confidence = probabilities.max(axis=1).astype(np.float64)
    hit = probabilities.argmax(axis=1) == y
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = np.maximum(count, 1)
    return Reliability(
        low=edges[:-1],
        high=edges[1:],
        confidence=np.bincount(place, weights=confidence, minlength=bins) / filled,
        accuracy=np.bincount(place, weights=hit, minlength=bins) / filled,
        count=count,
    )


def expected_calibration_error(y: Labels, probabilities: Array) -> float:
    """Mean distance of accuracy from confidence over 15 equal bins, weighted by their rows; 0 is calibrated."""
    bins = reliability(y, probabilities)
    return float((np.abs(bins.accuracy - bins.confidence) * bins.count).sum() / bins.count.sum())
