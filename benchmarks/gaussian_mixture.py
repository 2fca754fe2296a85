"""EM for a Gaussian mixture compared with scikit-learn's, same start: ``python -m benchmarks.gaussian_mixture``.

60,000 rows of 50 columns, 10 components with full covariances, 20 steps; the log-likelihoods must agree.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np

from benchmarks.side_by_side import compare, report
from versus.models.classical_generative.mixture import GaussianMixture
from versus.numerics.covariances import structure
from versus.numerics.mixtures import Mixture

COMPONENTS, STEPS = 10, 20
FIT = f"Gaussian mixture, {STEPS} EM steps"


def synthetic(n: int, n_columns: int, separation: float) -> np.ndarray:
    """Draw rows of ten correlated normals; a larger separation puts them farther apart."""
    rng = np.random.default_rng(0)
    centres = separation * rng.standard_normal((COMPONENTS, n_columns))
    shapes = rng.standard_normal((COMPONENTS, n_columns, n_columns)) / np.sqrt(n_columns) + np.eye(n_columns)
    component = rng.integers(0, COMPONENTS, n)
    X = rng.standard_normal((n, n_columns))
    for k in range(COMPONENTS):
        X[component == k] = centres[k] + X[component == k] @ shapes[k].T
    return X


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--separation", type=float, default=0.5, help="of the components; 0: all on one spot")
    parser.add_argument("--single", action="store_true", help="float32 instead of float64")
    parser.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="6,000 × 20, one pair: is everything in order?")
    options = parser.parse_args()
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture as Peer

    warnings.simplefilter("ignore", ConvergenceWarning)  # 20 steps are wanted, not convergence
    n, n_columns = (6_000, 20) if options.quick else (60_000, 50)
    X = synthetic(n, n_columns, options.separation).astype(np.float32 if options.single else np.float64)
    weights = np.full(COMPONENTS, 1 / COMPONENTS, X.dtype)
    means = X[np.random.default_rng(1).choice(n, COMPONENTS, replace=False)]
    precisions = np.stack([np.diag(1 / X.var(axis=0))] * COMPONENTS)
    start = Mixture(
        structure("full"), weights.astype(float), means.astype(float), np.linalg.inv(precisions.astype(float))
    )
    floor = 1e-6
    ours = GaussianMixture(COMPONENTS, max_iter=STEPS, tol=0, pseudo_counts=0, var_smoothing=floor, device="cpu")
    theirs = Peer(
        COMPONENTS,
        tol=0,
        max_iter=STEPS,
        reg_covar=floor * float(X.var()),
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    )
    fit = compare(FIT, "scikit-learn", lambda: ours.fit(X, start=start), lambda: theirs.fit(X), options.pairs)
    reached = float(ours.log_prob(X).mean()), float(theirs.score_samples(X).mean())
    parity = {
        "mean log-likelihood, ours (nats)": reached[0],
        "mean log-likelihood, scikit-learn (nats)": reached[1],
        "relative difference": abs(reached[0] / reached[1] - 1),
    }
    report("gaussian_mixture", [fit], parity, {} if options.quick else {FIT: 10.0})
    if theirs.n_iter_ != STEPS or len(ours.trace_) != STEPS or parity["relative difference"] > 1e-4:
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
