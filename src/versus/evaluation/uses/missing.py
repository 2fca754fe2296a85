"""Answer although half of the columns are missing: by the model itself, and after they were filled.

A model of P(x, y) can leave out what is missing by summing over it; a model of P(y|x) must put something there. The
same values are blanked for all models: in each row a random half of the columns, at least one. They are filled from
nearest neighbours, and where columns are few and all numbers, by regressions of each column on the others in turn.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.data.targets import Classes
from versus.evaluation.answers import Answers, HeldOut, in_batches
from versus.metrics.metric import UndefinedMetricError

WHAT = "answers with missing columns"
NEIGHBOURS, MOST_DONORS = 5, 200  # each cell pays for the distances of all its test rows to all of them
MOST_FILLED = 500_000  # values of the test rows: beyond, filling takes longer than many a fit
MOST_COLUMNS, ROUNDS = 15, 5  # of iterated regressions, which take D regressions a round


def concerns(schema: Schema) -> bool:
    """Check that there are classes, and two columns or more."""
    return isinstance(schema.x, Table) and isinstance(schema.y, Classes) and schema.n_features > 1


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model predicts no classes; None if it predicts."""
    return None if hasattr(model, "predict_proba") else f"{type(model).__name__} predicts no classes"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield probabilities (n, K) of blanked rows, as the model takes them and filled from rows to learn from."""
    rng = np.random.default_rng(seed)
    X = blanked(held_out.X, rng)
    try:
        taken = in_batches(model.predict_proba, X).astype(np.float64)
    except ValueError as error:
        raise UndefinedMetricError(f"{type(model).__name__} takes no missing values: {error}") from error
    yield Answers("missing", (held_out.y, taken))
    if X.size > MOST_FILLED:
        raise UndefinedMetricError(f"nearest neighbours would take long to fill {X.size} values; at most {MOST_FILLED}")
    donors = np.asarray(held_out.some(rng, "train", "validation", most=MOST_DONORS)[0], dtype=np.float64)
    filled_in = filled(X, donors, np.asarray(held_out.schema.cardinalities) > 0)
    yield Answers("imputed", (held_out.y, in_batches(model.predict_proba, filled_in).astype(np.float64)))
    if held_out.schema.has_categorical or X.shape[1] > MOST_COLUMNS:
        what = f"{X.shape[1]} columns" if X.shape[1] > MOST_COLUMNS else "categories"
        raise UndefinedMetricError(f"iterated regressions fill at most {MOST_COLUMNS} columns of numbers, not {what}")
    filled_in = regressed(X, donors)
    yield Answers("iterated", (held_out.y, in_batches(model.predict_proba, filled_in).astype(np.float64)))


def blanked(X: Array, rng: np.random.Generator) -> Array:
    """Blank a random half of the columns of each row, (n, D) -> (n, D) with NaN; the larger half of an odd number."""
    places = rng.random(X.shape).argsort(axis=1)
    return np.where(places < (X.shape[1] + 1) // 2, np.nan, np.asarray(X, dtype=np.float64))


def filled(X: Array, donors: Array, categorical: Array) -> Array:
    """Fill rows from their nearest donors: numbers by the mean of five, categories by that of the nearest one.

    Distances are over the columns that both have, numbers in standard deviations (Troyanskaya and others, "Missing
    value estimation methods for DNA microarrays", 2001). A row that has no column in common with a donor gets means and
    most frequent categories. A column that no donor has stays missing.

    Args:
        X: (n, D) with NaN.
        donors: (m, D), rows to learn from; may have NaN.
        categorical: (D,) True where the column holds codes.
    """
    from sklearn.impute import KNNImputer  # 0.5 s, and only tables need it

    known = ~np.isnan(donors).all(axis=0)
    with np.errstate(invalid="ignore"):
        centre, scale = np.nanmean(donors[:, known], axis=0), np.nanstd(donors[:, known], axis=0)
    scale = np.where(categorical[known] | ~(scale > 0), 1.0, scale)
    centre = np.where(categorical[known], 0.0, centre)
    of_donors, of_rows = ((A[:, known] - centre) / scale for A in (donors, X))
    found = X.copy()
    for neighbours, chosen in ((NEIGHBOURS, ~categorical[known]), (1, categorical[known])):
        if chosen.any():
            imputer = KNNImputer(n_neighbors=neighbours).fit(of_donors)
            values = imputer.transform(of_rows) * scale + centre
            found[:, np.flatnonzero(known)[chosen]] = values[:, chosen]
    for d in np.flatnonzero(known & categorical):
        mean = found[:, d] % 1 != 0  # of a row that has no column in common with any donor
        found[mean, d] = np.bincount(donors[~np.isnan(donors[:, d]), d].astype(np.int64)).argmax()
    return found


def regressed(X: Array, donors: Array) -> Array:
    """Fill rows by ridge regressions of each column on the others, in turn and again, fitted to the donors.

    Multiple imputation by chained equations, with one imputation: van Buuren and Groothuis-Oudshoorn, "mice" (2011).

    Args:
        X: (n, D) numbers with NaN.
        donors: (m, D), rows to learn from; may have NaN. A column that no donor has stays missing.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - its name is a switch
    from sklearn.impute import IterativeImputer
    from sklearn.linear_model import Ridge

    known = ~np.isnan(donors).all(axis=0)
    centre, spread = np.nanmean(donors[:, known], axis=0), np.nanstd(donors[:, known], axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    imputer = IterativeImputer(Ridge(1.0), max_iter=ROUNDS, tol=0.0, imputation_order="roman")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the rounds are as many as asked for
        imputer.fit((donors[:, known] - centre) / scale)
    found = X.copy()
    found[:, known] = imputer.transform((X[:, known] - centre) / scale) * scale + centre
    return found
