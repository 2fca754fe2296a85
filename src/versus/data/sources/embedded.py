"""Data sets that need no download: generated, shipped with scikit-learn, or found in installed source code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data.images import outlines
from versus.data.prepared import Dataset
from versus.data.schema import Schema
from versus.data.sources import animals, python_trees, source_code
from versus.data.spaces import Column, Image, Series, Table
from versus.data.specification import Embedded
from versus.data.table_specification import Labelled
from versus.data.targets import Classes, Domains, Number, Tags
from versus.data.texts import transcribe

TEST_ROWS = 4000  # of each draw: with so many, a score's noise comes from the training rows
MOST = 10**9
COUNTING = (0.15, 0.7, 0.15)  # of the steps 0, 1 and 2 from one digit of a sequence to the next
_UCI = "CC BY 4.0, UCI Machine Learning Repository; shipped with scikit-learn"
_GENERATED = {"licence": "generated, free of rights", "citation": "none"}


def load(specification: Embedded) -> Dataset:
    """Load the data set of that name; ``seed`` and ``rows`` are for generated data only."""
    return _LOADERS[specification.name](specification)


def _synthetic(specification: Embedded) -> Dataset:
    # scikit-learn takes 2 s to import, so it is imported only for its own data sets.
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n_samples=_size(specification, 800),
        n_features=20,
        n_informative=8,
        n_redundant=4,
        n_classes=3,
        n_clusters_per_class=2,
        class_sep=1.2,
        flip_y=0.02,
        random_state=specification.seed or 0,
    )
    about = {
        "description": "three classes of two Gaussian clusters; 8 informative columns, 4 mixtures of them, 8 of noise",
        "licence": _GENERATED["licence"],
        "citation": "Guyon 2003, Design of experiments for the NIPS 2003 variable selection benchmark",
    }
    return _drawn(_table(X, y, [f"x{d}" for d in range(X.shape[1])], ["0", "1", "2"], about), specification)


def _moons(specification: Embedded) -> Dataset:
    from sklearn.datasets import make_moons

    X, y = make_moons(_size(specification, 800), noise=0.25, random_state=specification.seed or 0)
    about = {"description": "two half circles that interlock, with Gaussian noise of 0.25", **_GENERATED}
    return _drawn(_table(X, y, ["x0", "x1"], ["upper", "lower"], about), specification)


def _animals(specification: Embedded) -> Dataset:
    X, y = animals.draw(_size(specification, 480), np.random.default_rng(specification.seed or 0))
    about = {
        "description": "four animals by covering, legs, tail and beak; each feature has the animal's typical value "
        f"with probability {animals.FIDELITY}, and any other value otherwise",
        **_GENERATED,
    }
    columns = tuple(Column(name, values) for name, values in animals.FEATURES.items())
    schema = Schema(Table(columns), Classes(tuple(animals.TYPICAL), "animal"))
    return _drawn(Dataset(X, y, schema, about=about), specification)


def _iris(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_iris

    about = {
        "description": "sepals and petals of three species of iris",
        "licence": _UCI,
        "citation": "Fisher 1936, The use of multiple measurements in taxonomic problems",
    }
    return _shipped(load_iris(), "species", about)


def _wine(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_wine

    about = {
        "description": "chemical analyses of wines from three growers",
        "licence": _UCI,
        "citation": "Aeberhard and Forina 1992, Wine, doi:10.24432/C5PC7J",
    }
    return _shipped(load_wine(), "cultivar", about)


def _breast_cancer(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_breast_cancer

    about = {
        "description": "cell nuclei in images of breast masses, malignant or benign",
        "licence": _UCI,
        "citation": "Wolberg, Mangasarian and others 1993, Breast Cancer Wisconsin (Diagnostic), doi:10.24432/C5DW2B",
    }
    return _shipped(load_breast_cancer(), "diagnosis", about)


def _digits(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_digits

    found = load_digits()
    about = {
        "description": "handwritten digits, 8×8 pixels of 17 levels",
        "licence": _UCI,
        "citation": "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49",
    }
    classes = tuple(str(name) for name in found.target_names)
    schema = Schema(Image((8, 8), 17), Classes(classes, "digit"))
    return Dataset(found.images.astype(np.uint8), found.target.astype(np.int64), schema, about=about)


def _outlines(specification: Embedded) -> Dataset:
    found = _digits(specification)
    second = np.random.default_rng(0).permutation(len(found.y)) % 2  # no digit is in both domains
    X = np.where(second[:, None, None], outlines(found.X), found.X)
    answer = Domains.joined(("digit", "outline"), found.schema.classes, known="outlines")
    about = {**found.about, "description": "handwritten digits, and the outlines of other ones: two domains, no pairs"}
    return Dataset(X, second * len(answer.kinds) + found.y, Schema(found.schema.x, answer), about=about)


def _digit_sequences(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_digits

    found, rng = load_digits(), np.random.default_rng(0)
    left = [rng.permutation(np.flatnonzero(found.target == digit)).tolist() for digit in range(10)]
    rows: list[int] = []
    lengths: list[int] = []
    while True:
        digits = (rng.integers(10) + np.cumsum(rng.choice(3, rng.integers(6, 13), p=COUNTING))) % 10
        if any((digits == k).sum() > len(images) for k, images in enumerate(left)):
            break
        rows += [left[digit].pop() for digit in digits]
        lengths.append(len(digits))
    about = {
        "description": "handwritten digits, a row of 4×4 means of pixels each, that count upwards: the next one is one "
        f"more with probability {COUNTING[1]}, the same or two more else; each image is used once",
        "licence": _UCI,
        "citation": "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49",
    }
    pixels = found.images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    columns = tuple(Column(f"row{i}column{j}") for i in range(4) for j in range(4))
    schema = Schema(Series(columns), Tags(tuple(map(str, range(10))), "digit"))
    X = Ragged.cut(pixels[rows], lengths)
    return Dataset(X, Ragged(found.target[rows].astype(np.int64), X.starts), schema, about=about)


def _diabetes(specification: Embedded) -> Dataset:
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    about = {
        "description": "progression of diabetes a year after ten measurements of 442 patients",
        "licence": "none stated; published with the paper, shipped with scikit-learn",
        "citation": "Efron, Hastie, Johnstone and Tibshirani 2004, Least angle regression",
    }
    columns = tuple(Column(name, ("1", "2") if name == "sex" else None) for name in found.feature_names)
    X = found.data.astype(np.float64)
    X[:, list(found.feature_names).index("sex")] -= 1  # codes of its two values, which no source explains
    schema = Schema(Table(columns), Number("progression"))
    return Dataset(X, found.target.astype(np.float64), schema, about=about)


def _size(specification: Embedded, typical: int) -> int:
    """Return the number of rows of all draws, each of training rows followed by test rows."""
    learnt = min(specification.rows or typical, specification.limit or MOST)
    return (learnt + _tested(specification)) * (specification.repeats or specification.folds)


def _tested(specification: Embedded) -> int:
    return min(TEST_ROWS, specification.test_limit or MOST)


def _drawn(rows: Dataset, specification: Embedded) -> Dataset:
    """Mark rows as independent draws: each repeat learns from rows of its own and is tested on rows of its own."""
    return replace(rows, n_test=_tested(specification), draws=specification.repeats or specification.folds)


def _shipped(found: Any, target: str, about: dict[str, str]) -> Dataset:
    return _table(found.data, found.target, list(found.feature_names), list(found.target_names), about, target)


def _table(
    X: Any, y: Any, names: list[str], classes: list[str], about: dict[str, str], target: str = "target"
) -> Dataset:
    columns = tuple(Column(str(name)) for name in names)
    schema = Schema(Table(columns), Classes(tuple(map(str, classes)), target))
    return Dataset(np.asarray(X, np.float64), np.asarray(y, np.int64), schema, about=about)


_AS_IT_IS = Labelled.model_validate({})

_LOADERS: dict[str, Callable[[Embedded], Dataset]] = {
    "synthetic": _synthetic,
    "moons": _moons,
    "animals": _animals,
    "iris": _iris,
    "wine": _wine,
    "breast_cancer": _breast_cancer,
    "digits": _digits,
    "outlines": _outlines,
    "diabetes": _diabetes,
    "digit_sequences": _digit_sequences,
    "docstrings": lambda specification: transcribe(source_code.docstrings(), _AS_IT_IS),
    "docstring_stream": lambda specification: transcribe(source_code.docstring_stream(), _AS_IT_IS),
    "python_tokens": lambda specification: transcribe(source_code.python_tokens(), _AS_IT_IS),
    "python_trees": lambda specification: transcribe(python_trees.python_trees(), _AS_IT_IS),
}
