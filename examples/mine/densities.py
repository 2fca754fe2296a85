"""Log-densities of Student's t."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln


def log_student_t(X: np.ndarray, location: np.ndarray, scale: np.ndarray, df: float) -> np.ndarray:
    """Log-density of a t of ``df`` degrees of freedom, (N, D) -> (N,) nats, of the numbers that are not missing."""
    found = np.zeros(len(X))
    patterns, of = np.unique(np.isnan(X), axis=0, return_inverse=True)
    for p, missing in enumerate(patterns):
        seen, d = ~missing, int((~missing).sum())
        if d:
            lower = np.linalg.cholesky(scale[np.ix_(seen, seen)])
            centred = (X[of == p][:, seen] - location[seen]).T
            distance = np.square(np.linalg.solve(lower, centred)).sum(axis=0)
            constant = gammaln((df + d) / 2) - gammaln(df / 2) - d / 2 * np.log(df * np.pi)
            found[of == p] = constant - np.log(np.diag(lower)).sum() - (df + d) / 2 * np.log1p(distance / df)
    return found
