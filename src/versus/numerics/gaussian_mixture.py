r"""A mixture of normals as a density of numeric events.

.. math:: p(x) = \sum_{k} \pi_k \, N(x; \mu_k, \Sigma_k)

Fitted by EM (Dempster, Laird and Rubin, 1977); McLachlan and Peel, *Finite Mixture Models* (2000).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, Self

import numpy as np

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.models.learned_arrays import check_names, check_shape, restored_schema
from versus.numerics.class_moments import class_moments, variance_floor
from versus.numerics.covariance import Regularisation, structure
from versus.numerics.cuda import DeviceMoments, use_cuda
from versus.numerics.expectation_maximisation import Mixture, Moments, climb, expected_moments, maximise
from versus.numerics.features import as_events, as_rows, dequantised_rows, require_numeric
from versus.numerics.kmeans import kmeans_labels
from versus.numerics.single_precision import SinglePrecisionMoments
from versus.numerics.triangle_bounds import BoundedMoments

_LONG = 5e10  # floating-point operations, about a second of a core: shorter fits are not worth another copy of the rows
_TALL = 50  # rows for each column from which bounds pay: to move them costs what two rows a column do


class GaussianMixture:
    """A mixture of normals: a density of numeric events, without classes.

    Learned: ``weights_`` (K,), ``means_`` (K, D), ``covariances_`` ((K, D, D), (D, D), (K, D) or (K,)), and after a
    fit ``trace_``, the mean log-likelihood (nats a row) that each EM step began with.

    Args:
        components: number of normals K; more than there are rows does no harm.
        covariance: "full", "tied", "diagonal" or "spherical".
        starts: how many k-means++ starts are climbed from; the most likely result is kept.
        steps: EM steps at most.
        tolerance: EM ends when the mean log-likelihood rises by less, nats a row.
        pseudo_counts: rows' worth of belief that a component is as wide as all the data and its columns uncorrelated;
            0 is maximum likelihood, "auto" Fraley and Raftery's 2 more than the columns that a covariance joins.
        variance_floor: added to each variance, as a fraction of the column's variance in all rows.
        device: "auto", "cpu" or "cuda"; "auto" takes a GPU where there is one and the fit is worth it. On the CPU, a
            long fit of full covariances in float64 takes its large steps in float32, and its small ones without the
            components that cannot matter to a row.
        schema: what the data look like; inferred where None.
        random_state: seed of the starts and of the spreading of pixels.
    """

    measure: Measure = "continuous"

    def __init__(
        self,
        components: int = 4,
        covariance: Literal["full", "tied", "diagonal", "spherical"] = "full",
        starts: int = 1,
        steps: int = 200,
        tolerance: float = 1e-4,
        pseudo_counts: float | Literal["auto"] = "auto",
        variance_floor: float = 1e-6,
        device: str = "auto",
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.components = components
        self.covariance = covariance
        self.starts = starts
        self.steps = steps
        self.tolerance = tolerance
        self.pseudo_counts = pseudo_counts
        self.variance_floor = variance_floor
        self.device = device
        self.schema = schema
        self.random_state = random_state

    def fit(self, X: Array, y: Array | None = None, start: Mixture | None = None) -> Self:
        """Learn from X (N, *event); y is ignored; EM climbs from ``start`` where that is given.

        Raises:
            ValueError: for categorical columns, or arguments out of range.
        """
        for name in ("components", "starts", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}; at least 1 is needed")
        self.schema_ = self.schema or Schema.of(X)
        require_numeric("GaussianMixture", self.schema_)
        rng = np.random.default_rng(self.random_state)
        # Single precision stays: it halves time and memory. What is not floating point becomes float64.
        precision = np.float32 if X.dtype == np.float32 else np.float64
        rows = dequantised_rows(X, self.schema_, rng, precision)
        pooled = class_moments(rows, np.zeros(len(rows), np.int64), 1).filled().variances[0]
        regular = Regularisation(
            pooled + variance_floor(pooled, self.variance_floor),
            self._pseudo_counts(rows.shape[1]),
            variance_floor(pooled, self.variance_floor),
        )
        expected, approximation = self._e_steps(rows)
        starts = [start] if start else (self._start(rows, regular, rng) for _ in range(self.starts))
        found = [climb(expected, s, self.steps, self.tolerance, regular, approximation) for s in starts]
        self.mixture_, trace = max(found, key=lambda mixture_and_trace: mixture_and_trace[1][-1])
        self.trace_ = np.array(trace)
        return self

    def _pseudo_counts(self, n_columns: int) -> float:
        if self.pseudo_counts == "auto":
            return 2.0 + (n_columns if self.covariance in ("full", "tied") else 1)
        if isinstance(self.pseudo_counts, str) or not self.pseudo_counts >= 0:
            raise ValueError(f"pseudo_counts={self.pseudo_counts!r}; accepted are 'auto' and numbers from 0 up")
        return float(self.pseudo_counts)

    def _e_steps(self, rows: Array) -> tuple[Callable[[Mixture], Moments], SinglePrecisionMoments | None]:
        """The E-step over the rows, on the GPU where that is worth it; and a faster, rougher one for the way there."""
        operations = float(4 * rows.size * rows.shape[1] * self.components * self.steps)
        gpu, complete = use_cuda(self.device, operations), not np.isnan(rows).any()
        self.device_ = "cuda" if gpu and complete else "cpu"
        if gpu and complete:
            return DeviceMoments(rows), None
        long = operations >= _LONG and self.covariance == "full" and complete and rows.dtype == np.float64
        tall = len(rows) >= _TALL * rows.shape[1]
        exact = BoundedMoments(rows) if long and tall else partial(expected_moments, rows)
        return exact, SinglePrecisionMoments(rows) if long else None

    def _start(self, rows: Array, regular: Regularisation, rng: np.random.Generator) -> Mixture:
        labels = kmeans_labels(rows, self.components, rng)
        moments = class_moments(rows, labels, self.components).filled()
        rows = np.where(np.isnan(rows), class_moments(rows, labels * 0, 1).filled().means, rows)
        hard = (np.arange(self.components)[:, None] == labels).astype(np.float64)
        form = structure(self.covariance)
        first, scatter = form.scatter(rows, hard, moments.means)
        return maximise(form, Moments(hard.sum(axis=1), first, scatter, 0.0), moments.means, regular)

    def log_prob(self, X: Array) -> Array:
        """Log p(x) of the observed features, (N, *event) -> (N,) nats."""
        rows = as_rows(X, self.schema_, np.float32 if X.dtype == np.float32 else np.float64)
        joint = self.mixture_.component_log_density(rows) + np.log(self.mixture_.weights)[:, None]
        top = joint.max(axis=0)
        log_p: Array = np.log(np.exp(joint - top).sum(axis=0)) + top
        return log_p

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event); y is ignored."""
        rng = np.random.default_rng(random_state)
        drawn = rng.choice(len(self.mixture_.weights), size=n, p=self.mixture_.weights)
        rows = self.mixture_.means[drawn]
        noise = rng.standard_normal(rows.shape)
        for k, lower in enumerate(np.linalg.cholesky(self.mixture_.expanded())):
            rows[drawn == k] += noise[drawn == k] @ lower.T
        return as_events(rows, self.schema_)

    def get_arrays(self) -> dict[str, Array]:
        """Weights, means and covariances."""
        return {
            "weights": self.mixture_.weights,
            "means": self.mixture_.means,
            "covariances": self.mixture_.covariances,
        }

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("weights", "means", "covariances"))
        k, d = self.components, self.schema_.n_features
        shapes = {"full": (k, d, d), "tied": (d, d), "diagonal": (k, d), "spherical": (k,)}
        self.mixture_ = Mixture(
            structure(self.covariance),
            check_shape(arrays, "weights", (k,)),
            check_shape(arrays, "means", (k, d)),
            check_shape(arrays, "covariances", shapes[self.covariance]),
        )
