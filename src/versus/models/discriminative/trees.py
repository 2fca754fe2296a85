r"""Decision trees and random forests, grown by scikit-learn.

.. math:: p(y \mid x) = \frac{1}{B} \sum_{b=1}^B p_b(y \mid x)

A tree gives the class frequencies of the leaf that x falls in (Breiman, Friedman, Olshen and Stone 1984); a forest
averages trees grown on bootstrap samples (Breiman, "Random Forests", 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from versus.models.arguments import Between, Count, SearchSpace, Share
from versus.models.estimator import EstimatorClassifier, EstimatorModel, EstimatorRegressor
from versus.models.node_checks import check_forest, check_tree

__all__ = ["DecisionTree", "RandomForest", "RandomForestRegressor"]

TREE_TYPES = ("sklearn.tree._tree.Tree",)


@dataclass(eq=False)
class DecisionTree(EstimatorClassifier):
    """One CART tree (Breiman et al. 1984).

    Args:
        max_depth: maximum number of splits on a path; None for no limit.
        min_samples_leaf: minimum number of training rows in a leaf.
        random_state: of the choice among equally good splits.
    """

    search_space: ClassVar[SearchSpace] = {"max_depth": (None, 2, 4, 8, 16), "min_samples_leaf": Between(1, 100)}

    dtype: ClassVar[type[np.floating[Any]]] = np.float32
    trusted_types = ("sklearn.tree._classes.DecisionTreeClassifier", *TREE_TYPES)
    late_imports = ("sklearn.tree",)

    max_depth: Count | None = None
    min_samples_leaf: Count = 1
    random_state: int | None = None

    def new_estimator(self) -> Any:
        """Build the unfitted tree."""
        from sklearn.tree import DecisionTreeClassifier  # 2 s to import

        return DecisionTreeClassifier(**self.arguments())

    def check_estimator(self, estimator: Any) -> None:
        """Check that every node points forward, to a node and a column that exist."""
        check_tree(estimator, self.preprocessor_.n_columns)


@dataclass(eq=False)
class Forest(EstimatorModel):
    """Trees on bootstrap samples.

    Args:
        n_estimators: number of trees.
        min_samples_leaf: minimum number of training rows in a leaf.
        n_jobs: processor cores that grow and predict; the result does not depend on it.
        random_state: of the bootstrap samples and the columns seen.
    """

    search_space: ClassVar[SearchSpace] = {"min_samples_leaf": Between(1, 30)}

    dtype: ClassVar[type[np.floating[Any]]] = np.float32
    late_imports: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    n_estimators: Count = 100
    min_samples_leaf: Count = 1
    n_jobs: int = 1
    random_state: int | None = None

    def check_estimator(self, estimator: Any) -> None:
        """Check that every node of every tree points forward, to a node and a column that exist."""
        check_forest(estimator, self.preprocessor_.n_columns)


@dataclass(eq=False)
class RandomForest(Forest, EstimatorClassifier):
    """Classification trees, each split seeing √F of the columns; the votes are averaged.

    Args, besides those of `Forest`:
        max_depth: maximum number of splits on a path; None for no limit.
    """

    search_space: ClassVar[SearchSpace] = {"max_depth": (None, 4, 8, 16), "min_samples_leaf": Between(1, 30)}

    trusted_types = ("sklearn.ensemble._forest.RandomForestClassifier", *DecisionTree.trusted_types)

    max_depth: Count | None = None

    def new_estimator(self) -> Any:
        """Build the unfitted forest."""
        from sklearn.ensemble import RandomForestClassifier  # 2 s to import

        return RandomForestClassifier(**self.arguments())


@dataclass(eq=False)
class RandomForestRegressor(Forest, EstimatorRegressor):
    """Regression trees; their predictions are averaged.

    Args, besides those of `Forest`:
        max_features: the share of the columns that each split sees.
    """

    search_space: ClassVar[SearchSpace] = {"max_features": (0.2, 0.4, 0.7, 1.0), "min_samples_leaf": Between(1, 30)}

    trusted_types = (
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.tree._classes.DecisionTreeRegressor",
        *TREE_TYPES,
    )

    max_features: Share = 1.0

    def new_estimator(self) -> Any:
        """Build the unfitted forest."""
        from sklearn.ensemble import RandomForestRegressor as Fitter  # 2 s to import

        return Fitter(**self.arguments())
