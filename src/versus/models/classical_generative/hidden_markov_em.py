r"""Hidden Markov models whose states nobody named: learned by EM from sequences without tags.

.. math:: p(x) = \sum_z \pi_{z_1} b_{z_1}(x_1) \prod_{t > 1} A_{z_{t-1} z_t} b_{z_t}(x_t) \; e_{z_T}

Where training sequences have tags, the tags name the states afterwards and do nothing else. What EM finds are states
that predict the next element well, which need not be parts of speech: Johnson, "Why doesn't EM find good HMM
POS-taggers?" (2007); Rabiner, "A tutorial on hidden Markov models" (1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.models.arguments import Count, Positive
from versus.models.checks import check_shape, series_of, tokens_of
from versus.models.hidden_states import FreeStates
from versus.numerics.baum_welch import Categorical, Gaussian
from versus.numerics.class_moments import class_moments
from versus.numerics.covariances import Regularisation, structure
from versus.numerics.mixtures import kmeans_labels

__all__ = ["CategoricalHMM", "GaussianHMM"]


@dataclass(eq=False)
class CategoricalHMM(FreeStates):
    """Hidden states that emit tokens, with log probabilities (K, V); ``alpha`` is the pseudo-count of each, too."""

    def start(self, X: Ragged, rng: np.random.Generator) -> Categorical:
        """Shares of the tokens in training, perturbed for each state."""
        k, size = self.n_components, len(tokens_of(self.schema_).vocabulary)
        shares = (np.bincount(X.values, minlength=size) + self.alpha + 1e-3) * rng.gamma(1.0, size=(k, size))
        return Categorical(np.log(shares / shares.sum(axis=1, keepdims=True)), self.alpha)

    def _of_arrays(self, arrays: Mapping[str, Array]) -> Categorical:
        shape = self.n_components, len(tokens_of(self.schema_).vocabulary)
        return Categorical(check_shape(arrays, "log_probs", shape), self.alpha)


@dataclass(eq=False)
class GaussianHMM(FreeStates):
    """Hidden states that emit rows of numbers: each a normal, or a mixture of normals.

    Args:
        n_components: number of states K.
        n_mix: number of normals of each state.
        covariance_type: "diag" or "full".
        pseudo_counts: prior weight, in rows, of a normal as wide as all rows with uncorrelated columns.
    """

    measure: ClassVar[Measure] = "continuous"

    n_components: Count = 8
    n_mix: Count = 1
    covariance_type: Literal["diag", "full"] = "diag"
    pseudo_counts: Positive = 1.0

    def start(self, X: Ragged, rng: np.random.Generator) -> Gaussian:
        """Means of the clusters of k-means, each as wide as all rows, dealt out to the states."""
        series_of(self.schema_)
        k, m, form = self.n_components, self.n_mix, structure(self.covariance_type)
        pooled = class_moments(X.values, np.zeros(len(X.values), np.int64), 1).filled()
        prior = np.where(pooled.variances[0] > 0, pooled.variances[0], 1.0)
        clusters = class_moments(X.values, kmeans_labels(X.values, k * m, rng), k * m)
        means = np.where(clusters.counts > 0, clusters.means, pooled.means)
        covariances = np.stack([form.of_variances(prior)] * (k * m))
        regular = Regularisation(prior, self.pseudo_counts, np.zeros(len(prior)))
        return Gaussian(np.full((k, m), -np.log(m)), means, covariances, form, regular)

    def _of_arrays(self, arrays: Mapping[str, Array]) -> Gaussian:
        k, m, d = self.n_components, self.n_mix, self.schema_.n_features
        form, nothing = structure(self.covariance_type), np.zeros(d)
        return Gaussian(
            check_shape(arrays, "log_weights", (k, m)),
            check_shape(arrays, "means", (k * m, d)),
            check_shape(arrays, "covariances", (k * m, d) if self.covariance_type == "diag" else (k * m, d, d)),
            form,
            Regularisation(nothing, 0.0, nothing),
        )
