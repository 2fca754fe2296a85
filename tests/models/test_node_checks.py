"""Tampered trees are refused before compiled code follows them out of their arrays."""

import io
import json
import zipfile

import numpy as np
import pytest

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models import find, persistence
from versus.models.node_checks import check_children
from versus.models.persistence import PersistenceError

SCHEMA = Schema(Table((Column("a"), Column("c", tuple("pqrs")))), Classes(("u", "v")))


@pytest.fixture
def saved(tmp_path):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), rng.integers(0, 4, 300)])
    y = ((X[:, 0] > 0) ^ np.isin(X[:, 1], [0, 2])).astype(np.int64)

    def of(module, name, **args):
        model = find("discriminative", module, name)(**args, random_state=0, schema=SCHEMA).fit(X, y)
        persistence.save(model, tmp_path / "model", "discriminative", module)
        return tmp_path

    return of


def change_arrays(folder, wanted, change):
    """Rewrite every array in model.skops that ``wanted`` picks, and state the new hash."""
    path = folder / "model.skops"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = 0
    for name in members:
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(members[name]), allow_pickle=False)
            if wanted(array):
                buffer = io.BytesIO()
                np.save(buffer, change(array.copy()), allow_pickle=False)
                members[name] = buffer.getvalue()
                changed += 1
    assert changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    about = json.loads((folder / "model.json").read_text())
    about["files"][".skops"] = persistence._seal(path)
    (folder / "model.json").write_text(json.dumps(about))


def setting(field, value, where=0):
    def change(nodes):
        nodes[field][where] = value
        return nodes

    return change


def has(field):
    return lambda array: array.dtype.names is not None and field in array.dtype.names


@pytest.mark.parametrize(
    ("module", "name", "args"), [("trees", "DecisionTree", {}), ("trees", "RandomForest", {"n_estimators": 3})]
)
@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("left_child", 0, "points to node 0"),  # a loop
        ("right_child", 10**9, "points to node 1000000000"),
        ("left_child", -7, "points to node -7"),
        ("feature", 10**6, "splits column 1000000"),
        ("feature", -3, "splits column -3"),
    ],
)
def test_a_tampered_tree_is_refused(module, name, args, field, value, complaint, saved):
    folder = saved(module, name, **args)
    change_arrays(folder, has("left_child"), setting(field, value))
    with pytest.raises(PersistenceError, match=complaint):
        persistence.load(folder / "model")


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("left", 0, "points to node 0"),
        ("right", 2**32 - 1, "points to node 4294967295"),
        ("feature_idx", 10**6, "splits column 1000000"),
        ("bitset_idx", 10**6, "category sets"),
        ("value", np.nan, "finite"),
    ],
)
def test_tampered_boosting_is_refused(field, value, complaint, saved):
    folder = saved("boosting", "HistGradientBoosting", max_iter=3)
    everywhere = slice(None) if field == "bitset_idx" else 0
    change_arrays(folder, has("feature_idx"), setting(field, value, everywhere))
    with pytest.raises(PersistenceError, match=complaint):
        persistence.load(folder / "model")


def test_a_category_split_of_a_numeric_column_is_refused(saved):
    folder = saved("boosting", "HistGradientBoosting", max_iter=3)
    change_arrays(
        folder,
        has("feature_idx"),
        lambda nodes: setting("feature_idx", 1, slice(None))(setting("is_categorical", 1, slice(None))(nodes)),
    )
    with pytest.raises(PersistenceError, match="numeric column by categories"):
        persistence.load(folder / "model")


def test_a_support_vector_machine_with_fewer_vectors_than_it_counts_is_refused(saved):
    folder = saved("kernel", "RBFSVM")
    n_vectors = max(len(persistence.load(folder / "model").estimator_.support_vectors_), 2)
    change_arrays(folder, lambda a: a.shape == (n_vectors, 5), lambda a: a[:2])
    with pytest.raises(PersistenceError, match="support_vectors_ has shape"):
        persistence.load(folder / "model")


def test_sound_children_are_accepted_and_a_tree_needs_a_node():
    leaf = np.array([False, True, True])
    check_children(np.array([1, -1, -1]), np.array([2, -1, -1]), leaf)
    with pytest.raises(ValueError, match="no nodes"):
        check_children(np.array([]), np.array([]), np.array([], dtype=bool))
