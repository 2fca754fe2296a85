"""Checks of trees from a file, once, on loading, as compiled code follows them without checking bounds.

A node whose child or feature index lies outside its arrays would read foreign memory or never end, see
https://github.com/scikit-learn/scikit-learn/pull/34558; skops checks the types in a file, not their contents.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array


def check_tree(estimator: Any, n_columns: int) -> None:
    """Refuse a CART tree with a node that points backwards, past the last node, or past the last column.

    Raises:
        ValueError: naming the node.
    """
    tree = estimator.tree_
    if tree.n_features != n_columns or estimator.n_features_in_ != n_columns:
        raise ValueError(f"the tree splits {tree.n_features} columns; the data have {n_columns}")
    leaf = (tree.children_left == -1) & (tree.children_right == -1)
    check_children(tree.children_left, tree.children_right, leaf)
    check_features(tree.feature, leaf, n_columns)
    if len(tree.value) != tree.node_count or not np.isfinite(tree.value).all():
        raise ValueError(f"{tree.node_count} nodes need as many finite values")


def check_forest(estimator: Any, n_columns: int) -> None:
    """Refuse a forest with a tree that `check_tree` refuses, or that is not a tree of its kind."""
    expected = type(estimator.estimator)
    for tree in estimator.estimators_:
        if type(tree) is not expected:
            raise ValueError(f"the forest holds a {type(tree).__name__}; only {expected.__name__} belongs there")
        check_tree(tree, n_columns)


def check_children(left: Array, right: Array, leaf: Array) -> None:
    """Check that children come after their parent and exist, so that every path ends."""
    node = np.arange(len(leaf))
    if not len(leaf):
        raise ValueError("a tree has no nodes")
    for child in (left, right):
        wrong = ~leaf & ((child <= node) | (child >= len(leaf)))
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"node {k} of {len(leaf)} points to node {child[k]}; only later nodes can be children")


def check_features(feature: Array, leaf: Array, n_columns: int) -> None:
    """Check that each inner node splits a column that exists."""
    wrong = ~leaf & ((feature < 0) | (feature >= n_columns))
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"node {k} splits column {feature[k]}; the data have {n_columns}")


def check_boosting(estimator: Any, n_columns: int) -> None:
    """Refuse boosted trees whose nodes or category sets point outside their arrays.

    Raises:
        ValueError: naming the node.
    """
    if estimator.n_features_in_ != n_columns:
        raise ValueError(f"the trees split {estimator.n_features_in_} columns; the data have {n_columns}")
    bins = estimator._bin_mapper
    categorical = np.asarray(bins.is_categorical_, dtype=bool)
    if categorical.shape != (n_columns,) or len(bins.bin_thresholds_) != n_columns:
        raise ValueError(f"the bins cover {categorical.size} columns; the data have {n_columns}")
    for d in np.flatnonzero(categorical):
        known = np.asarray(bins.bin_thresholds_[d])
        if not ((known >= 0) & (known < 256)).all():
            raise ValueError(f"column {d} has categories outside 0 to 255")
    prepared = estimator._preprocess_X(np.zeros((1, n_columns)), reset=False)
    if prepared.shape != (1, n_columns):
        raise ValueError(f"the trees' own preprocessing makes {prepared.shape[1]} columns of {n_columns}")
    for stage in estimator._predictors:
        if len(stage) != estimator.n_trees_per_iteration_:
            raise ValueError(f"a stage has {len(stage)} trees; {estimator.n_trees_per_iteration_} would fit")
        for predictor in stage:
            _check_predictor(predictor, categorical)


def _check_predictor(predictor: Any, categorical: Array) -> None:
    nodes, sets = predictor.nodes, predictor.raw_left_cat_bitsets
    leaf = nodes["is_leaf"] != 0
    # signed, so that a huge unsigned index stays huge rather than wrapping in the comparison
    check_children(nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), leaf)
    check_features(nodes["feature_idx"], leaf, len(categorical))
    splits_set = ~leaf & (nodes["is_categorical"] != 0)
    if splits_set.any() and not categorical[nodes["feature_idx"][splits_set]].all():
        raise ValueError("a node splits a numeric column by categories")
    if sets.ndim != 2 or sets.shape[1] != 8 or (nodes["bitset_idx"][splits_set] >= len(sets)).any():
        raise ValueError(f"a node points outside the category sets of shape {sets.shape}")
    if not np.isfinite(nodes["value"]).all():
        raise ValueError("a leaf has no finite value")
