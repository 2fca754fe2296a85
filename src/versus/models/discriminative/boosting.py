r"""Gradient boosting of trees on binned features, by scikit-learn.

.. math:: f(x) = f_0 + \sum_{b=1}^B \eta\, t_b(x), \qquad p(y \mid x) = \operatorname{softmax}(f(x)),\quad \hat y = f(x)

Each tree fits the gradient of the loss at the sum so far (Friedman, "Greedy function approximation", 2001), with
features binned into at most 255 values (Ke et al., LightGBM, 2017). Missing and categorical values are taken as they
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.models.arguments import Between, Count, NonNegative, Positive, SearchSpace
from versus.models.estimator import EstimatorClassifier, EstimatorModel, EstimatorRegressor, limited
from versus.models.node_checks import check_boosting
from versus.models.preprocessing import Flattened

__all__ = ["HistGradientBoosting", "HistGradientBoostingRegressor"]

_MODULE = "sklearn.ensemble._hist_gradient_boosting"
# Besides the trees and their bins, the types that scikit-learn wraps around categorical columns to order codes.
_TYPES = (
    f"{_MODULE}.predictor.TreePredictor",
    f"{_MODULE}.binning._BinMapper",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.utils.validation.check_array",
    "functools.partial",
)
_MOST_CATEGORIES = 255  # categories that a bin index of one byte can hold


@dataclass(eq=False)
class Boosting(EstimatorModel):
    """Boosted trees.

    Args:
        max_iter: number of rounds; each grows one tree, or one a class where there are more than two.
        learning_rate: factor of each tree's contribution.
        max_leaf_nodes: maximum number of leaves of a tree.
        min_samples_leaf: minimum number of training rows in a leaf.
        n_jobs: processor cores that grow trees and predict.
        random_state: of the subsample that bins are chosen from.
    """

    search_space: ClassVar[SearchSpace] = {
        "max_iter": Between(20, 500),
        "learning_rate": Between(0.01, 0.5),
        "max_leaf_nodes": Between(3, 63),
        "min_samples_leaf": Between(3, 60),
    }

    late_imports: ClassVar[tuple[str, ...]] = ("sklearn.ensemble", "threadpoolctl")

    max_iter: Count = 100
    learning_rate: Positive = 0.1
    max_leaf_nodes: Count = 31
    min_samples_leaf: Count = 20
    n_jobs: int = 1
    random_state: int | None = None

    def _options(self) -> dict[str, Any]:
        """Arguments of scikit-learn's ensemble; it uses all of the rows: early stopping would hold some out."""
        arguments = self.arguments()
        del arguments["n_jobs"]
        return arguments | {"early_stopping": False, "categorical_features": self._categorical()}

    def _new_preprocessor(self, schema: Schema) -> Flattened:
        return Flattened(schema)

    def _categorical(self) -> Array | None:
        """Mask of the columns that are split by category; past 255 categories the codes are taken as numbers."""
        cardinalities = np.asarray(self.schema_.cardinalities)
        mask: Array = (cardinalities > 0) & (cardinalities <= _MOST_CATEGORIES)
        return mask if mask.any() else None

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Any:
        """Learn from X (N, *event), y (N,) and weights (N,), if any.

        Threads add partial sums in the order in which they finish: bit for bit the same from run to run for one or
        two of them, and the same but for rounding for more.
        """
        with limited(self.n_jobs):
            return super().fit(X, y, sample_weight)

    def check_estimator(self, estimator: Any) -> None:
        """Check that every node points forward, to a node, a column and a set of categories that exist."""
        check_boosting(estimator, self.preprocessor_.n_columns)


@dataclass(eq=False)
class HistGradientBoosting(Boosting, EstimatorClassifier):
    """Boosted trees for classification by log loss.

    Args, besides those of `Boosting`:
        l2_regularization: penalty on leaf values.
    """

    trusted_types = (f"{_MODULE}.gradient_boosting.HistGradientBoostingClassifier", *_TYPES)

    l2_regularization: NonNegative = 0.0

    def new_estimator(self) -> Any:
        """Build the unfitted ensemble."""
        from sklearn.ensemble import HistGradientBoostingClassifier  # 2 s to import

        return HistGradientBoostingClassifier(**self._options())

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K); a class unseen in training gets 0."""
        with limited(self.n_jobs):
            return super().predict_proba(X)


class HistGradientBoostingRegressor(Boosting, EstimatorRegressor):
    """Boosted trees for regression by squared error; arguments of `Boosting`."""

    trusted_types = (f"{_MODULE}.gradient_boosting.HistGradientBoostingRegressor", *_TYPES)

    def new_estimator(self) -> Any:
        """Build the unfitted ensemble."""
        from sklearn.ensemble import HistGradientBoostingRegressor as Fitter  # 2 s to import

        return Fitter(**self._options())

    def predict(self, X: Array) -> Array:
        """E[y | x] in the unit of the target, (N, *event) -> (N,)."""
        with limited(self.n_jobs):
            return super().predict(X)
