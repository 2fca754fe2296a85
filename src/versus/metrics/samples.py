"""Scores of generated samples: can a classifier tell them from real rows, and can one learn from them?

Both use a small random forest: it takes tables and images as they come, needs no tuning, and judges each row by the
trees that did not see it, so that one fit does for the two-sample test. scikit-learn is imported where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Events, Labels, joined
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.metrics.classification import balanced_accuracy, class_counts
from versus.metrics.metric import UndefinedMetricError
from versus.models.counts import TokenCounts
from versus.models.preprocessing import Preprocessor

JUDGING_TREES = 50  # about 18 of them judge a row
LEARNING_TREES = 25
LEAST_LEAF = 3  # rows: grown to single rows, trees follow noise columns past a difference of categories
# Past these sizes the scores move by less than they vary from repeat to repeat, and the cost goes on growing.
MOST_ROWS = 1000
FEWEST_ROWS = 20


def c2st_accuracy(real: Events, generated: Events, schema: Schema, seed: int) -> float:
    """Out-of-bag accuracy of a classifier that tells generated from real rows; 0.5: it cannot, 1: always.

    Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests" (ICLR 2017).

    Args:
        real: (n, *event), rows that the generator was not fitted on.
        generated: (m, *event); as many of the longer one are used as the shorter has.
        schema: what the events are.
        seed: of the forest.

    Raises:
        UndefinedMetricError: where too few rows without missing values are left.
    """
    real, generated = complete(real, schema), complete(generated, schema)
    n = min(len(real), len(generated), MOST_ROWS)
    _expect_rows(n)
    rng = np.random.default_rng(seed)
    events = joined([rows[rng.permutation(len(rows))[:n]] for rows in (real, generated)])
    origin = np.repeat([0, 1], n)
    forest = _forest(JUDGING_TREES, seed, oob_score=True).fit(_as_matrices(events, schema=schema)[0], origin)
    return float(forest.oob_score_)


def transfer_accuracy(train: tuple[Events, Labels], test: tuple[Events, Labels], schema: Schema, seed: int) -> float:
    """Balanced accuracy on real test rows of a classifier trained on other rows, generated or real.

    Args:
        train: events (n, *event) with their classes (n,).
        test: real events that nothing was fitted on, with their classes.
        schema: what the events are.
        seed: of the forest.

    Raises:
        UndefinedMetricError: where too few rows are left, or the training rows are of one class.
    """
    (X, y), (events, labels) = _complete_pair(train, schema), _complete_pair(test, schema)
    _expect_rows(min(len(y), len(labels)))
    if len(np.unique(y)) < 2:
        raise UndefinedMetricError("the training rows are all of one class")
    fitted_on, probe = _as_matrices(X, events, schema=schema)
    forest = _forest(LEARNING_TREES, seed).fit(fitted_on, y)
    probabilities = np.zeros((len(labels), schema.n_classes))
    probabilities[:, forest.classes_] = forest.predict_proba(probe)
    return float(balanced_accuracy(class_counts(labels, probabilities).mean(axis=0)))


def tstr_balanced_accuracy(on_synthetic: float, on_real: float) -> float:
    """Train on synthetic, test on real: the `transfer_accuracy` from generated training rows.

    Esteban, Hyland and Rätsch, "Real-valued (medical) time series generation with recurrent conditional GANs" (2017).
    """
    return on_synthetic


def tstr_ratio(on_synthetic: float, on_real: float) -> float:
    """The `transfer_accuracy` from generated rows divided by that from as many real ones; 1: as good as real.

    Raises:
        UndefinedMetricError: where training on real rows reaches 0.
    """
    if on_real == 0.0:
        raise UndefinedMetricError("training on real rows reaches an accuracy of 0, which nothing can be relative to")
    return on_synthetic / on_real


def complete(X: Events, schema: Schema) -> Events:
    """The rows without a missing value: generators draw none, so a missing value would give a row away."""
    return X[schema.x.complete(X)]


def _complete_pair(pair: tuple[Events, Labels], schema: Schema) -> tuple[Events, Labels]:
    X, y = pair
    whole = schema.x.complete(X)
    return X[whole], y[whole]


def _expect_rows(n: int) -> None:
    if n < FEWEST_ROWS:
        raise UndefinedMetricError(f"{n} rows without missing values are too few; {FEWEST_ROWS} are needed")


def _as_matrices(fitted: Any, *others: Any, schema: Schema) -> list[Any]:
    """What the forest sees: numbers and pixels as they are, of texts how often each token occurs."""
    texts = isinstance(schema.x, Tokens)
    preprocessor: Any = TokenCounts(schema) if texts else Preprocessor(schema, standardise=False, dtype=np.float32)
    preprocessor.fit(fitted)
    return [preprocessor.transform(X) for X in (fitted, *others)]


def _forest(trees: int, seed: int, **options: Any) -> Any:
    from sklearn.ensemble import RandomForestClassifier  # 2 s to import; only generators' cells come here

    return RandomForestClassifier(trees, min_samples_leaf=LEAST_LEAF, random_state=seed, n_jobs=1, **options)
