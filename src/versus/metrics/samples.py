"""Scores of generated samples: a classifier against real rows, one trained on the samples, and how near copies are.

Classifiers are small random forests: they take tables and images unchanged, need no tuning, and predict each row with
the trees that did not see it, so that the two-sample test needs only one fit. scikit-learn is imported on use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array, Events, Labels, Ragged, joined
from versus.data.schema import Schema
from versus.data.spaces import Series, Tokens
from versus.metrics.classification import balanced_accuracy, class_counts
from versus.metrics.density import placements
from versus.metrics.metric import UndefinedMetricError, means_of
from versus.models.preprocessing import Preprocessor, centre_and_scale

JUDGING_TREES = 50  # about 18 of them judge a row
LEARNING_TREES = 25
LEAST_LEAF = 3  # rows: grown to single rows, trees follow noise columns past a difference of categories
# Beyond these sizes the scores change less than they vary between repeats, while the cost keeps growing.
MOST_ROWS = 1000
FEWEST_ROWS = 20
NEAREST_BLOCK = 1024  # rows of both sides whose distances are held at a time, 8 MB


def c2st_accuracy(real: Events, generated: Events, schema: Schema, seed: int, weights: Array | None = None) -> float:
    """Out-of-bag accuracy of a classifier of generated against real rows; 0.5: indistinguishable, 1: always right.

    Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests" (ICLR 2017).

    Args:
        real: (n, *event), rows that the generator was not fitted on.
        generated: (m, *event); both are cut to the length of the shorter one.
        schema: schema of the events.
        seed: seed of the forest.
        weights: (n,) of the real rows, and of the generated ones in their places, whose classes are the same; both
            sides count alike in all.

    Raises:
        UndefinedMetricError: if too few rows without missing values are left.
    """
    sides = [(rows, np.flatnonzero(schema.x.complete(rows))) for rows in (real, generated)]
    n = min(MOST_ROWS, *(len(whole) for _, whole in sides))
    _expect_rows(n)
    rng = np.random.default_rng(seed)
    chosen = [(rows, whole[rng.permutation(len(whole))[:n]]) for rows, whole in sides]
    events, origin = joined([rows[places] for rows, places in chosen]), np.repeat([0, 1], n)
    counts = None
    if weights is not None:
        counts = np.concatenate([weights[places] / weights[places].mean() for _, places in chosen])
    forest = _forest(JUDGING_TREES, seed, oob_score=True)
    forest.fit(as_matrices(events, schema=schema)[0], origin, sample_weight=counts)
    return float(np.average(forest.oob_decision_function_.argmax(axis=1) == origin, weights=counts))


Rows = tuple[Events, Labels, Array | None]


def transfer_accuracy(train: Rows, test: Rows, schema: Schema, seed: int) -> float:
    """Balanced accuracy on real test rows of a classifier trained on other rows, generated or real.

    Args:
        train: events (n, *event) with their classes (n,), and weights (n,) if not all count alike.
        test: real events not used in any fit, with the same.
        schema: schema of the events.
        seed: seed of the forest.

    Raises:
        UndefinedMetricError: if too few rows are left, or the training rows are of one class.
    """
    (X, y, own), (events, labels, weights) = _complete_rows(train, schema), _complete_rows(test, schema)
    _expect_rows(min(len(y), len(labels)))
    if len(np.unique(y)) < 2:
        raise UndefinedMetricError("the training rows are all of one class")
    fitted_on, probe = as_matrices(X, events, schema=schema)
    forest = _forest(LEARNING_TREES, seed).fit(fitted_on, y, sample_weight=own)
    probabilities = np.zeros((len(labels), schema.n_classes))
    probabilities[:, forest.classes_] = forest.predict_proba(probe)
    return float(balanced_accuracy(means_of(class_counts(labels, probabilities), weights)))


def tstr_balanced_accuracy(on_synthetic: float, on_real: float) -> float:
    """Compute the `transfer_accuracy` from generated training rows: train on synthetic, test on real.

    Esteban, Hyland and Rätsch, "Real-valued (medical) time series generation with recurrent conditional GANs" (2017).
    """
    return on_synthetic


def tstr_ratio(on_synthetic: float, on_real: float) -> float:
    """Ratio of the `transfer_accuracy` from generated rows to that from as many real ones; 1: as good as real.

    Raises:
        UndefinedMetricError: if training on real rows reaches 0.
    """
    if on_real == 0.0:
        raise UndefinedMetricError("training on real rows reaches an accuracy of 0, which nothing can be relative to")
    return on_synthetic / on_real


def copying(train: Events, real: Events, generated: Events, schema: Schema, weights: Array | None = None) -> float:
    """Probability that a generated row is nearer to a row to learn from than a held-out one is; a tie counts half.

    0.5: as near as new rows of the data are; 1: every sample is a copy; towards 0: samples lie away from the data.
    Distances are Euclidean, of standardised columns, scaled pixels, counts of tokens or `summaries`. Meehan, Chaudhuri
    and Dasgupta, "A non-parametric test to detect data-copying in generative models" (AISTATS 2020).

    Args:
        train: (N, *event), the rows that the generator was fitted on.
        real: (n, *event), rows that it was not fitted on.
        generated: (m, *event).
        schema: schema of the events.
        weights: (n,) of the real rows, and of the generated ones in their places, whose classes are the same.

    Raises:
        UndefinedMetricError: if too few rows without missing values are left.
    """
    own, drawn_own = (None if weights is None else weights[schema.x.complete(rows)] for rows in (real, generated))
    train, real, generated = (complete(rows, schema) for rows in (train, real, generated))
    _expect_rows(min(len(train), len(real), len(generated)))
    matrices = as_matrices(train, real, generated, schema=schema)
    held_out, drawn = (nearest_distances(rows, matrices[0], 1) for rows in matrices[1:])
    return float(means_of(placements(held_out, drawn, drawn_own), own)[0])


def memorisation(train: Events, real: Events, generated: Events, schema: Schema, weights: Array | None = None) -> float:
    """Probability that a generated row is nearer to a row to learn from than to a held-out one, of as many of each.

    0.5: no row is favoured; 1: samples lie about the training rows alone. Platzer and Reutterer, "Holdout-based
    empirical assessment of mixed-type synthetic data" (2021).

    Args:
        train, real, generated, schema, weights: as for `copying`; a tie counts half.

    Raises:
        UndefinedMetricError: if too few rows without missing values are left.
    """
    own = None if weights is None else weights[schema.x.complete(generated)]
    train, real, generated = (complete(rows, schema) for rows in (train, real, generated))
    n = min(len(train), len(real))
    _expect_rows(min(n, len(generated)))
    as_many = [rows[np.linspace(0, len(rows) - 1, n).astype(np.int64)] for rows in (train, real)]
    *known, drawn = as_matrices(*as_many, generated, schema=schema)
    to_learned, to_held_out = (nearest_distances(drawn, rows, 1) for rows in known)
    nearer = (to_learned < to_held_out) + 0.5 * (to_learned == to_held_out)
    return float(np.average(nearer, weights=own))


def nearest_distances(asked: Any, known: Any, neighbour: int) -> Array:
    """Distance of each row to its ``neighbour``-th nearest known one, (n, F), (m, F) -> (n,); both may be sparse."""
    nearest = np.full((asked.shape[0], neighbour), np.inf)  # squares of the least distances so far
    largest = 1.0
    for first in range(0, known.shape[0], NEAREST_BLOCK):
        others = known[first : first + NEAREST_BLOCK].astype(np.float64)
        squares = _squares(others)
        largest = max(largest, float(squares.max()))
        for start in range(0, asked.shape[0], NEAREST_BLOCK):
            rows = asked[start : start + NEAREST_BLOCK].astype(np.float64)
            apart = rows @ (-2 * others.T)
            if not isinstance(apart, np.ndarray):
                apart = apart.toarray()
            apart += squares
            apart += _squares(rows)[:, None]
            best = nearest[start : start + len(apart)]
            if neighbour == 1:
                np.minimum(best[:, 0], apart.min(axis=1), out=best[:, 0])
            else:
                best[:] = np.partition(np.hstack([best, apart]), neighbour - 1, axis=1)[:, :neighbour]
    found = nearest.max(axis=1)
    # What cancels is rounding: equal rows are at distance 0, and copies must tie with copies.
    scale = np.finfo(np.float64).eps * 64 * largest
    return np.sqrt(np.where(found > scale, found, 0.0))


def _squares(rows: Any) -> Array:
    """Squared length of each row, of an array or a sparse one, (n, F) -> (n,)."""
    squares = np.square(rows) if isinstance(rows, np.ndarray) else rows.multiply(rows)
    return np.asarray(squares.sum(axis=1)).ravel()


def complete(X: Events, schema: Schema) -> Events:
    """Remove rows with a missing value: generators draw none, so a missing value would reveal a real row."""
    return X[schema.x.complete(X)]


def _complete_rows(rows: Rows, schema: Schema) -> Rows:
    X, y, weights = rows
    whole = schema.x.complete(X)
    return X[whole], y[whole], None if weights is None else weights[whole]


def _expect_rows(n: int) -> None:
    if n < FEWEST_ROWS:
        raise UndefinedMetricError(f"{n} rows without missing values are too few; {FEWEST_ROWS} are needed")


def as_matrices(fitted: Any, *others: Any, schema: Schema) -> list[Any]:
    """Convert events to the forest's input: standardised numbers, scaled pixels, token counts, summaries of series."""
    if isinstance(schema.x, Series):
        rows = [summaries(X) for X in (fitted, *others)]
        centre, scale = centre_and_scale(rows[0])
        return [((each - centre) / scale).astype(np.float32) for each in rows]
    texts = isinstance(schema.x, Tokens)
    from versus.models.counts import TokenCounts  # params.py, which every command reads, need not wait for scipy

    preprocessor: Any = TokenCounts(schema) if texts else Preprocessor(schema, dtype=np.float32)
    preprocessor.fit(fitted)
    return [preprocessor.transform(X) for X in (fitted, *others)]


def summaries(X: Ragged) -> Array:
    """Length of each sequence of rows, and mean, deviation and mean step of each column, (total, D) -> (N, 3 D + 1).

    The step is the mean absolute difference between neighbours in time: what a chain says beyond single rows.
    """
    found = [
        [len(x), *x.mean(axis=0), *x.std(axis=0), *np.abs(np.diff(x, axis=0)).sum(axis=0) / max(len(x) - 1, 1)]
        for x in X
    ]
    return np.array(found)


def _forest(trees: int, seed: int, **options: Any) -> Any:
    from sklearn.ensemble import RandomForestClassifier  # 2 s to import; only generators' cells come here

    return RandomForestClassifier(trees, min_samples_leaf=LEAST_LEAF, random_state=seed, n_jobs=1, **options)
