r"""Decision trees and random forests, grown by scikit-learn.

.. math:: p(y \mid x) = \frac{1}{B} \sum_{b=1}^B p_b(y \mid x)

A tree gives the class frequencies of the leaf that x falls in (Breiman, Friedman, Olshen and Stone 1984); a forest
averages trees grown on bootstrap samples (Breiman, "Random Forests", 2001).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from versus.data.schema import Schema
from versus.models.estimator import EstimatorClassifier, EstimatorRegressor
from versus.models.node_checks import check_forest, check_tree

__all__ = ["DecisionTree", "RandomForest", "RandomForestRegressor"]

TREE_TYPES = ("sklearn.tree._tree.Tree",)


class DecisionTree(EstimatorClassifier):
    """One CART tree (Breiman et al. 1984).

    Args:
        max_depth: maximum number of splits on a path; None for no limit.
        min_samples_leaf: minimum number of training rows in a leaf.
        schema: form of the data; inferred from the arrays where None.
        random_state: of the choice among equally good splits.
    """

    standardise: ClassVar[bool] = False
    dtype: ClassVar[type[np.floating[Any]]] = np.float32
    trusted_types = ("sklearn.tree._classes.DecisionTreeClassifier", *TREE_TYPES)

    late_imports = ("sklearn.tree",)

    def __init__(
        self,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.schema = schema
        self.random_state = random_state

    def new_estimator(self) -> Any:
        """Build the unfitted tree."""
        from sklearn.tree import DecisionTreeClassifier  # 2 s to import

        return DecisionTreeClassifier(
            max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf, random_state=self.random_state
        )

    def check_estimator(self, estimator: Any) -> None:
        """Check that every node points forward, to a node and a column that exist."""
        check_tree(estimator, self.preprocessor_.n_columns)


class _Forest:
    standardise: ClassVar[bool] = False
    dtype: ClassVar[type[np.floating[Any]]] = np.float32
    preprocessor_: Any

    def check_estimator(self, estimator: Any) -> None:
        """Check that every node of every tree points forward, to a node and a column that exist."""
        check_forest(estimator, self.preprocessor_.n_columns)


class RandomForest(_Forest, EstimatorClassifier):
    """Trees on bootstrap samples, each split seeing √F of the columns; the votes are averaged.

    Args:
        n_estimators: number of trees.
        max_depth: maximum number of splits on a path; None for no limit.
        min_samples_leaf: minimum number of training rows in a leaf.
        n_jobs: processor cores that grow and predict; the result does not depend on it.
        schema: form of the data; inferred from the arrays where None.
        random_state: of the bootstrap samples and the columns seen.
    """

    trusted_types = ("sklearn.ensemble._forest.RandomForestClassifier", *DecisionTree.trusted_types)

    late_imports = ("sklearn.ensemble",)

    def __init__(
        self,
        n_estimators: int = 100,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        n_jobs: int = 1,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.n_jobs = n_jobs
        self.schema = schema
        self.random_state = random_state

    def new_estimator(self) -> Any:
        """Build the unfitted forest."""
        from sklearn.ensemble import RandomForestClassifier  # 2 s to import

        return RandomForestClassifier(
            self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )


class RandomForestRegressor(_Forest, EstimatorRegressor):
    """Regression trees on bootstrap samples; their predictions are averaged.

    Args:
        n_estimators: number of trees.
        max_features: the share of the columns that each split sees.
        min_samples_leaf: minimum number of training rows in a leaf.
        n_jobs: processor cores that grow and predict; the result does not depend on it.
        schema: form of the data; inferred from the arrays where None.
        random_state: of the bootstrap samples and the columns seen.
    """

    trusted_types = (
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.tree._classes.DecisionTreeRegressor",
        *TREE_TYPES,
    )

    late_imports = ("sklearn.ensemble",)

    def __init__(
        self,
        n_estimators: int = 100,
        max_features: float = 1.0,
        min_samples_leaf: int = 1,
        n_jobs: int = 1,
        schema: Schema | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.n_jobs = n_jobs
        self.schema = schema
        self.random_state = random_state

    def new_estimator(self) -> Any:
        """Build the unfitted forest."""
        from sklearn.ensemble import RandomForestRegressor as Fitter  # 2 s to import

        return Fitter(
            self.n_estimators,
            max_features=self.max_features,
            min_samples_leaf=self.min_samples_leaf,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
