"""Answer where the test rows come from another distribution than the rows to learn from.

Nothing is fitted again and no row is left out: each test row counts with a weight, the same one for all models.

- Classes shift: the rarest class of the rows to learn from becomes nine times as frequent as the most frequent one,
  evenly between (on a logarithmic scale) for the others. Bayes' rule turns p(y | x) to the new priors, where they are
  given and where they are estimated from the test rows without their classes (Saerens, Latinne and Decaestecker,
  "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14, 2002).
- Columns shift: weights exp(z), with z in standard deviations, which is what moves a normal z by one of them
  (Shimodaira, "Improving predictive inference under covariate shift", 2000). z is the score of the first principal
  component, or the logarithm of the distance to the tenth nearest row to learn from: towards sparse regions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes
from versus.evaluation.answers import Answers, HeldOut, in_batches
from versus.metrics.samples import nearest_distances
from versus.models.preprocessing import Preprocessor

WHAT = "answers under shift"
RATIO = 9.0  # of the rarest class to the most frequent one, once they have shifted
NEIGHBOUR, REACH = 10, 2.0  # which neighbour's distance; deviations beyond which weights grow no more
# Rows to learn from that tell where the data lie, fewer if many rows are asked for: distances of so many pairs.
MOST_ROWS, FEWEST_ROWS, PAIRS = 2000, 200, 20_000_000
STEPS, SETTLED, POWERS = 1000, 1e-9, 100  # of EM, and of the power iteration
FEWEST_STEPS, PRODUCTS = 20, 1_000_000_000  # of EM, where each step goes through many probabilities


def concerns(schema: Schema) -> bool:
    """Check that there are classes."""
    return isinstance(schema.y, Classes)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model predicts no classes; None if it predicts."""
    return None if hasattr(model, "predict_proba") else f"{type(model).__name__} predicts no classes"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield probabilities (n, K) with weights of the rows (n,), for each shift and each way to meet it."""
    y, k = held_out.y, held_out.schema.n_classes
    probabilities = in_batches(model.predict_proba, held_out.X).astype(np.float64)
    counts = np.bincount(held_out.data.y[held_out.data.rows(held_out.repeat, "train", "validation")], minlength=k)
    of_rows = np.ones(len(y)) if held_out.weights is None else held_out.weights
    weights, shifted = shifted_classes(y, counts, of_rows)
    own = np.exp(model.log_prior_) if hasattr(model, "log_prior_") else (counts + 1) / (counts + 1).sum()
    yield Answers("classes_shifted", (y, probabilities, weights))
    yield Answers("priors_given", (y, turned(probabilities, own, shifted), weights))
    estimated = estimated_priors(probabilities, own, weights * of_rows)
    yield Answers("priors_estimated", (y, turned(probabilities, own, estimated), weights))
    if not isinstance(held_out.schema.x, Tokens):
        most = int(np.clip(PAIRS // len(y), FEWEST_ROWS, MOST_ROWS))
        known, _, _ = held_out.some(np.random.default_rng(seed), "train", "validation", most=most)
        component, sparse = positions(known, held_out.X, held_out.schema)
        yield Answers("component_shifted", (y, probabilities, tilted(component, of_rows)))
        yield Answers("sparse_shifted", (y, probabilities, tilted(sparse, of_rows)))


def shifted_classes(y: Labels, counts: Array, of_rows: Array) -> tuple[Array, Array]:
    """Return weights (n,) of mean 1 over rows, which give the classes other priors, and those priors (K,).

    Args:
        y: classes of the test rows; one without any of them gets no prior.
        counts: (K,) rows to learn from of each class.
        of_rows: (n,) weights that the test rows have already.
    """
    here = np.bincount(y, of_rows, minlength=len(counts))
    place = np.argsort(np.argsort(counts, kind="stable"), kind="stable")  # 0 for the rarest
    priors = np.where(here > 0, RATIO ** (-place / max(len(counts) - 1, 1)), 0.0)
    priors /= priors.sum()
    return (priors / np.where(here > 0, here, 1.0))[y] * of_rows.sum(), priors


def turned(probabilities: Array, before: Array, after: Array) -> Array:
    """Bayes' rule under other priors: p(y | x) q(y) / p(y), (n, K) -> (n, K), rows sum to 1."""
    found = probabilities * (after / before)
    total = found.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, found / np.where(total > 0, total, 1.0), probabilities))


def estimated_priors(probabilities: Array, before: Array, weights: Array) -> Array:
    """Likeliest priors of rows without classes, by EM: (n, K), (K,) and weights (n,) -> (K,).

    A step is the weighted mean of `turned`, as two products with the probabilities. Where these are many, as of
    thousands of classes, the steps are fewer.
    """
    priors, share = before, weights / weights.sum()
    for _ in range(int(np.clip(PRODUCTS // probabilities.size, FEWEST_STEPS, STEPS))):
        ratio = priors / before
        total = probabilities @ ratio
        of_rows, impossible = np.divide(share, total, out=np.zeros_like(total), where=total > 0), total <= 0
        last, priors = priors, (of_rows @ probabilities) * ratio
        if impossible.any():  # `turned` leaves such rows as they are
            priors = priors + share[impossible] @ probabilities[impossible]
        if np.abs(priors - last).max() < SETTLED:
            break
    return np.asarray(priors / priors.sum())


def positions(learned: Array, asked: Array, schema: Schema) -> tuple[Array, Array]:
    """Place rows along the first principal component and from dense to sparse, (n,) each, in standard deviations."""
    preprocessor = Preprocessor(schema, np.float64).fit(learned)
    known, rows = preprocessor.transform(learned), preprocessor.transform(asked)
    axis = _first_axis(known - known.mean(axis=0))
    distance = nearest_distances(rows, known, min(NEIGHBOUR, len(known)))
    return _standardised(rows @ axis), _standardised(np.log(distance + np.finfo(np.float64).tiny))


def _first_axis(centred: Array) -> Array:
    """First principal axis of rows (m, F) by power iteration, (F,); its largest loading is positive."""
    axis = centred[np.square(centred).sum(axis=1).argmax()]
    for _ in range(POWERS):
        axis = centred.T @ (centred @ axis)
        axis = axis / max(float(np.linalg.norm(axis)), np.finfo(np.float64).tiny)
    return np.asarray(axis * np.sign(axis[np.abs(axis).argmax()]))


def _standardised(z: Array) -> Array:
    spread = z.std()
    return np.asarray((z - z.mean()) / (spread if spread > 0 else 1.0))


def tilted(z: Array, of_rows: Array) -> Array:
    """Weights exp(z) of mean 1 over rows weighted (n,), (n,) -> (n,); beyond two deviations they grow no more."""
    weights = np.exp(np.clip(z, -REACH, REACH))
    return np.asarray(weights / np.average(weights, weights=of_rows))
