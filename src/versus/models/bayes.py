r"""Any density becomes a generative classifier.

.. math:: \log p(x, y) = \log p(x \mid y) + \log p(y), \qquad p(y \mid x) = p(x, y) / \sum_{y'} p(x, y')

Bishop, *Pattern Recognition and Machine Learning* (2006), section 1.5.4.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from versus.models.protocols import Array, Labels


def class_log_prior(y: Labels, n_classes: int) -> Array:
    """Laplace-smoothed log class frequencies, (N,) -> (K,) nats; a class without members keeps a finite prior."""
    counts = np.bincount(y, minlength=n_classes).astype(float) + 1.0
    log_prior: Array = np.log(counts / counts.sum())
    return log_prior


class GenerativeClassifier:
    """Bayes' rule over one hook, ``log_joint(X)``: (N, *event) -> (N, K), log p(x, y) in nats.

    A class that has the hook inherits prediction and, where its p(x | y) is exact, the marginal density.
    """

    def log_joint(self, X: Array) -> Array:
        """log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        raise NotImplementedError

    def predict_log_proba(self, X: Array) -> Array:
        """log p(y | x), (N, *event) -> (N, K) nats."""
        joint = self.log_joint(X)
        normalised: Array = joint - logsumexp(joint, axis=1, keepdims=True)
        return normalised

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K)."""
        probabilities: Array = np.exp(self.predict_log_proba(X))
        return probabilities

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self.log_joint(X).argmax(axis=1), dtype=np.int64)
