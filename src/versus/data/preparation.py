"""From a specification to a prepared data set: load, check, encode, split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from versus.data import source_files, specification
from versus.data.dataset import Dataset
from versus.data.errors import DataError
from versus.data.prepared import Prepared
from versus.data.splits import draw, split
from versus.data.summary import summarise

DEFAULT_REPEATS = 5


def prepare(name: str, spec: BaseModel | Mapping[str, Any], base: Path, cache: Path | None = None) -> Prepared:
    """Load, check, encode and split one data set.

    Args:
        name: name of the data set, of small letters, digits and underscores.
        spec: its entry in params.yaml, a model of `versus.data.specification` or a mapping that makes one.
        base: the folder that paths are relative to, that of params.yaml.
        cache: where downloads are kept; ``.versus/downloads`` in ``base`` by default.

    Returns:
        The arrays, the splits, the schema, and what is known about the data.

    Raises:
        DataError: for everything that is wrong with the data.
        pydantic.ValidationError: for a mapping that is no specification.
    """
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise DataError(f"the data set is called {name!r}; a name has small letters, digits and underscores only")
    given = parse(spec)
    dataset, content, files = load(given, base, cache or base / ".versus" / "downloads")
    dataset = _limited(dataset, content)
    repeats = content.repeats or (1 if dataset.n_test else DEFAULT_REPEATS)
    strata = strata_of(dataset)
    splits = split(strata, dataset.n_test, repeats, content.test_fraction, content.validation_fraction, content.seed)
    sizes: dict[str, int] = {part: rows.shape[1] for part, rows in splits.items()}
    about = {
        "name": name,
        "source": given.model_dump(exclude_defaults=True),
        "files": files,
        "official_test": dataset.n_test > 0,
        "splits": {"repeats": repeats, **sizes},
        **summarise(dataset),
    }
    return Prepared(dataset.X, dataset.y, dataset.schema, splits, about)


def parse(spec: BaseModel | Mapping[str, Any]) -> Any:
    """The specification as its model."""
    if isinstance(spec, BaseModel):
        return spec
    return TypeAdapter(specification.AnySpecification).validate_python(dict(spec))


def load(given: Any, base: Path, cache: Path) -> tuple[Dataset, specification.Splitting, list[dict[str, Any]]]:
    """The data set of a specification, unsplit; the options of its splits; and the files it was read from.

    Raises:
        DataError: for everything that is wrong with the data.
    """
    if isinstance(given, specification.Url):
        from versus.data.download import fetch_all

        folder = fetch_all(given, cache)
        dataset, content, files = load(given.content, folder, cache)
        return dataset, content, [{**file, "url": given.files[file["path"]].url} for file in files]
    files = [source_files.record(base, path) for path in _files(given, base)]
    return _LOADERS[given.source](given, base, cache), given, files


def _files(given: Any, base: Path) -> tuple[str, ...]:
    if isinstance(given, specification.Idx):
        from versus.data import idx

        return tuple(idx.files(given, base).values())
    return specification.paths(given)


def _embedded(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import embedded

    return embedded.load(given)


def _openml(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import openml
    from versus.data.encoding import tabulate

    raw, about = openml.load(given, cache)
    target = given.target or raw.target
    if target is None:
        raise DataError(f"OpenML names no single target for {given.name!r}; say which with `target:`")
    return replace(tabulate(raw, given, target), about=about)


def _delimited(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import delimited
    from versus.data.encoding import tabulate

    return tabulate(delimited.load(given, base), given, given.target)


def _parquet(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import parquet
    from versus.data.encoding import tabulate

    return tabulate(parquet.load(given, base), given, given.target)


def _arff(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import arff
    from versus.data.encoding import tabulate

    return tabulate(arff.load(given, base), given, given.target)


def _arrays(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import arrays
    from versus.data.columns import RawTable
    from versus.data.encoding import depict, tabulate

    raw = arrays.load(given, base)
    return tabulate(raw, given, arrays.TARGET) if isinstance(raw, RawTable) else depict(raw, given)


def _idx(given: Any, base: Path, cache: Path) -> Dataset:
    from versus.data import idx
    from versus.data.encoding import depict

    return depict(idx.load(given, base), given)


# Each imports what it needs when it is called: reading iris.csv should not wait for scikit-learn, nor iris for Arrow.
_LOADERS = {
    "embedded": _embedded,
    "openml": _openml,
    "csv": _delimited,
    "tsv": _delimited,
    "parquet": _parquet,
    "arff": _arff,
    "npz": _arrays,
    "h5": _arrays,
    "npy": _arrays,
    "idx": _idx,
}


def strata_of(dataset: Dataset) -> NDArray[np.int64]:
    """(N,) what splits are balanced by: the class; one stratum for a regression."""
    if dataset.schema.task == "classification":
        return dataset.y.astype(np.int64, copy=False)
    return np.zeros(len(dataset.y), np.int64)


def _limited(dataset: Dataset, options: specification.Splitting) -> Dataset:
    """The part of the rows that ``limit`` and ``test_limit`` leave, in their order."""
    if options.test_limit is not None and not dataset.n_test:
        raise DataError("test_limit is for data with an official test set; here, test_fraction sets its size")
    if options.limit is None and options.test_limit is None:
        return dataset
    strata = strata_of(dataset)
    n = len(strata) - dataset.n_test
    rng = np.random.default_rng([options.seed, 2**31])  # a stream of its own beside those of the repeats
    kept, tested = np.arange(n), np.arange(n, len(strata))
    if options.limit is not None and options.limit < n:
        kept = draw(strata[:n], options.limit, 2 if dataset.n_test else 3, 0, rng)
    if options.test_limit is not None and options.test_limit < dataset.n_test:
        tested = n + draw(strata[n:], options.test_limit, 1, 0, rng)
    rows = np.concatenate([kept, tested])
    return replace(dataset, X=dataset.X[rows], y=dataset.y[rows], n_test=len(tested))
