"""EM steps of hidden Markov models compared with hmmlearn's, same start: ``python -m benchmarks.hidden_markov``.

Normals with diagonal covariances: 50 states, 200 sequences of 50 vectors of 10 numbers, 10 steps. Tokens: 32 states,
1,000 tokens, 1,000 sequences of 200, 3 steps. The log-likelihoods must agree.
"""

from __future__ import annotations

import argparse
import warnings
from itertools import islice

import numpy as np

from benchmarks.side_by_side import compare, report
from versus.arrays import Ragged
from versus.models.estimator import limited
from versus.numerics.baum_welch import Categorical, Emissions, Gaussian, baum_welch
from versus.numerics.chains import Chain
from versus.numerics.covariances import Regularisation, structure

NORMALS, TOKENS = "hidden Markov model, normals, 10 EM steps", "hidden Markov model, tokens, 3 EM steps"


def start(k: int, rng: np.random.Generator) -> Chain:
    steps = np.log(rng.dirichlet(np.full(k, 2.0), size=k))
    return Chain(np.log(rng.dirichlet(np.full(k, 2.0))), steps, np.zeros(k))


def normals(n: int, k: int, rng: np.random.Generator) -> tuple[Ragged, Gaussian]:
    X = rng.standard_normal((n * 50, 10)) + 2 * rng.standard_normal((k, 10))[rng.integers(0, k, n * 50)]
    means = X[rng.choice(len(X), k, replace=False)]
    regular = Regularisation(np.ones(10), 0.0, np.zeros(10))
    emissions = Gaussian(np.zeros((k, 1)), means, np.ones_like(means), structure("diag"), regular)
    return Ragged(X, np.arange(0, n * 50 + 1, 50)), emissions


def tokens(n: int, k: int, rng: np.random.Generator) -> tuple[Ragged, Categorical]:
    X = rng.zipf(1.3, n * 200) % 1000
    return Ragged(X, np.arange(0, n * 200 + 1, 200)), Categorical(np.log(rng.dirichlet(np.ones(1000), size=k)))


def timed(what: str, X: Ragged, chain: Chain, emissions: Emissions, steps: int, pairs: int):
    """Time both, and return the log-likelihoods that they reach, before the last step."""
    from hmmlearn.hmm import CategoricalHMM, GaussianHMM

    options = {"n_iter": steps, "tol": -np.inf, "init_params": "", "startprob_prior": 1.0, "transmat_prior": 1.0}
    reached: dict[str, float] = {}

    def ours() -> None:
        with limited(1):
            reached["ours"] = list(islice(baum_welch(chain, emissions, X, ends=False), steps))[-1][0]

    def theirs() -> None:
        if isinstance(emissions, Gaussian):
            peer = GaussianHMM(len(chain.initial), covars_prior=0.0, covars_weight=1.0, min_covar=1e-6, **options)
            peer.means_, peer.covars_ = emissions.means.copy(), emissions.covariances.copy()
        else:
            peer = CategoricalHMM(len(chain.initial), emissionprob_prior=1.0, n_features=1000, **options)
            peer.emissionprob_ = np.exp(emissions.log_probs)
        peer.startprob_, peer.transmat_ = np.exp(chain.initial), np.exp(chain.transition)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer.fit(X.values if X.values.ndim == 2 else X.values[:, None], X.lengths)
        reached["theirs"] = peer.monitor_.history[-1]

    timing = compare(what, "hmmlearn", ours, theirs, pairs)
    return timing, abs(reached["ours"] / reached["theirs"] - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sequences, one pair")
    options = parser.parse_args()
    part, pairs = (10, 1) if options.quick else (1, options.pairs)
    rng = np.random.default_rng(0)
    vectors, first = timed(NORMALS, *_problem(normals, 200 // part, 50, rng), 10, pairs)
    words, second = timed(TOKENS, *_problem(tokens, 1000 // part, 32, rng), 3, pairs)
    parity = {"relative difference, normals": first, "relative difference, tokens": second}
    report("hidden_markov", [vectors, words], parity, {} if options.quick else {NORMALS: 50.0, TOKENS: 80.0})
    if max(first, second) > 1e-6:
        raise SystemExit("the two do not agree")


def _problem(draw, n: int, k: int, rng: np.random.Generator):
    X, emissions = draw(n, k, rng)
    return X, start(k, rng), emissions


if __name__ == "__main__":
    main()
