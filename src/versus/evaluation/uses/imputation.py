"""Fill gaps: the error of a model's numbers where half of the columns are missing, beside means and neighbours.

The gaps are those of `versus.evaluation.uses.missing`, which asks for classes in spite of them; errors are in standard
deviations of the rows to learn from. A mean that fills all gaps has about 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches
from versus.evaluation.uses.missing import MOST_DONORS, MOST_FILLED, blanked, filled
from versus.metrics.metric import UndefinedMetricError

WHAT = "filling gaps"


def concerns(schema: Schema) -> bool:
    """Check that there are two columns or more, one of them of numbers."""
    return isinstance(schema.x, Table) and schema.n_features > 1 and 0 in schema.cardinalities


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model fills no gaps, as most; None if it does."""
    return None if hasattr(model, "impute") else f"{type(model).__name__} fills no gaps"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield rows (n, D) with what fills their gaps: the model's values, means, those of nearest neighbours.

    Raises:
        EvaluationError: if the model leaves a gap, or changes what is no gap.
    """
    rng = np.random.default_rng(seed)
    X = blanked(held_out.X, rng)
    truth, numeric = np.asarray(held_out.X, dtype=np.float64), np.asarray(held_out.schema.cardinalities) == 0
    gaps = np.isnan(X)
    donors = np.asarray(held_out.data.take(held_out.repeat, "train", "validation")[0], dtype=np.float64)
    known = ~np.isnan(donors).all(axis=0)
    means, spread = np.zeros(X.shape[1]), np.ones(X.shape[1])
    means[known], spread[known] = np.nanmean(donors[:, known], axis=0), np.nanstd(donors[:, known], axis=0)
    asked, scale = gaps & numeric & known, np.where(spread > 0, spread, 1.0)
    found = in_batches(model.impute, X)
    if found.shape != X.shape or np.isnan(found).any() or not np.array_equal(found[~gaps], X[~gaps]):
        raise EvaluationError(f"repeat {held_out.repeat}: impute leaves gaps, or changes what is none")
    yield Answers("gaps_filled", (truth, found, asked, scale))
    yield Answers("gaps_by_means", (truth, np.where(gaps, means, X), asked, scale))
    if X.size > MOST_FILLED:
        raise UndefinedMetricError(f"nearest neighbours would take long to fill {X.size} values; at most {MOST_FILLED}")
    donors = donors[np.sort(rng.permutation(len(donors))[:MOST_DONORS])]
    by_neighbours = filled(X, donors, ~numeric)
    yield Answers("gaps_by_neighbours", (truth, np.where(np.isnan(by_neighbours), means, by_neighbours), asked, scale))
