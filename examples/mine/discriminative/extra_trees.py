"""Extremely randomised trees: thresholds are drawn, and the best of the drawn splits is taken (Geurts et al. 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from versus.models.discriminative.trees import TREE_TYPES, Forest
from versus.models.estimator import EstimatorClassifier

__all__ = ["ExtraTrees"]


@dataclass(eq=False)
class ExtraTrees(Forest, EstimatorClassifier):
    """Trees on all rows, whose votes are averaged; the arguments are those of `Forest`."""

    trusted_types = (
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.tree._classes.ExtraTreeClassifier",
        *TREE_TYPES,
    )

    def new_estimator(self) -> Any:
        """Build the unfitted trees."""
        from sklearn.ensemble import ExtraTreesClassifier

        return ExtraTreesClassifier(**self.arguments())
