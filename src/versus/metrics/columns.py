"""Distances of generated from real tables, column by column and pair by pair.

Total variation and Kolmogorov–Smirnov distances of the marginals, Wasserstein distances in standard deviations, and
differences of correlations, numbers as they are and categories as one column of 0 and 1 each; after the fidelity scores
of Zhao, Kunar, Birke and Chen, "CTAB-GAN" (2021). All are 0 for equal distributions, and above 0 by chance for samples
of them: the same distances of as many real rows say by how much. scipy is imported on use.
"""

from __future__ import annotations

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import FEWEST_ROWS, complete

WIDEST = 2000  # columns, with one for each category: correlations take time and memory with their square


def marginal_distance(real: Array, generated: Array, schema: Schema) -> float:
    """Mean over columns of the largest difference of probabilities: of any set of categories, of any half-line.

    Args:
        real: (n, D), rows with a missing value do not count.
        generated: (m, D).
        schema: schema of the rows.

    Raises:
        UndefinedMetricError: if too few rows are left.
    """
    from scipy.stats import ks_2samp

    real, generated = _complete(real, generated, schema)
    found = []
    for size, x, y in zip(schema.cardinalities, real.T, generated.T, strict=True):
        if size:
            p, q = (np.bincount(codes.astype(np.int64), minlength=size) / len(codes) for codes in (x, y))
            found.append(0.5 * np.abs(p - q).sum())
        else:
            found.append(ks_2samp(x, y, method="asymp").statistic)
    return float(np.mean(found))


def wasserstein_distance(real: Array, generated: Array, schema: Schema) -> float:
    """Mean over numeric columns of the area between the distribution functions, in standard deviations of real rows.

    Args:
        real, generated, schema: as for `marginal_distance`.

    Raises:
        UndefinedMetricError: if no column is numeric, or too few rows are left.
    """
    from scipy.stats import wasserstein_distance as distance

    real, generated = _complete(real, generated, schema)
    numeric = np.flatnonzero(np.asarray(schema.cardinalities) == 0)
    if not len(numeric):
        raise UndefinedMetricError("no column is numeric")
    scales = real[:, numeric].std(axis=0)
    pairs = zip(real[:, numeric].T, generated[:, numeric].T, np.where(scales > 0, scales, 1.0), strict=True)
    return float(np.mean([distance(x, y) / scale for x, y, scale in pairs]))


def correlation_distance(real: Array, generated: Array, schema: Schema) -> float:
    """Mean absolute difference of the correlations of two columns, over all pairs; of categories, over theirs.

    Args:
        real, generated, schema: as for `marginal_distance`.

    Raises:
        UndefinedMetricError: if there is only one column, or too few rows are left.
    """
    real, generated = _complete(real, generated, schema)
    if schema.n_features < 2:
        raise UndefinedMetricError("a single column has no correlation")
    widths = np.maximum(schema.cardinalities, 1)
    if widths.sum() > WIDEST:
        raise UndefinedMetricError(f"{widths.sum()} columns have too many correlations; at most {WIDEST}")
    apart = np.abs(_correlations(real, schema) - _correlations(generated, schema))
    firsts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    blocks = np.add.reduceat(np.add.reduceat(apart, firsts, axis=0), firsts, axis=1) / np.outer(widths, widths)
    return float(blocks[np.triu_indices(len(widths), 1)].mean())


def _correlations(X: Array, schema: Schema) -> Array:
    """Correlations of all columns, categories as indicators, (F, F); 0 where a column is constant."""
    parts = [
        x[:, None] == np.arange(size) if size else x[:, None] for x, size in zip(X.T, schema.cardinalities, strict=True)
    ]
    columns = np.hstack(parts).astype(np.float64)
    columns -= columns.mean(axis=0)
    norms = np.sqrt(np.square(columns).sum(axis=0))
    columns /= np.where(norms > 0, norms, 1.0)
    found: Array = columns.T @ columns
    return found


def _complete(real: Array, generated: Array, schema: Schema) -> tuple[Array, Array]:
    rows = np.asarray(complete(real, schema), np.float64), np.asarray(complete(generated, schema), np.float64)
    if min(map(len, rows)) < FEWEST_ROWS:
        raise UndefinedMetricError(
            f"{min(map(len, rows))} rows without missing values are too few; {FEWEST_ROWS} needed"
        )
    return rows
