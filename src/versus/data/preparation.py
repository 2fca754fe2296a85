"""Preparation of a data set from its specification: load, check, encode, split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from versus.arrays import Ragged
from versus.data import file_specification, specification, table_specification
from versus.data.columns import RawTable
from versus.data.encoding import encode
from versus.data.errors import DataError
from versus.data.images import RawImages
from versus.data.ordered_splits import split_in_blocks, split_in_time
from versus.data.prepared import Dataset, Part, Prepared
from versus.data.sources import source_files
from versus.data.splits import draw, split, split_draws
from versus.data.texts import RawTexts
from versus.data.units import units


def prepare(
    name: str, spec: BaseModel | Mapping[str, Any], base: Path, seed: int = 0, cache: Path | None = None
) -> Prepared:
    """Load, check, encode and split one data set.

    Args:
        name: name of the data set, in lower-case letters, digits and underscores.
        spec: its entry in params.yaml, a model of `versus.data.specification` or a mapping that builds one.
        base: the folder of params.yaml, to which paths are relative.
        seed: seed of all randomness, unless the specification has its own.
        cache: folder of downloads; ``.versus/downloads`` in ``base`` by default.

    Returns:
        The arrays, the splits, the schema, and facts about the data.

    Raises:
        DataError: for any fault in the data.
        pydantic.ValidationError: if the mapping is not a valid specification.
    """
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise DataError(f"the data set is called {name!r}; a name has small letters, digits and underscores only")
    given = _seeded(parse(spec), seed)
    return divide(name, *load(given, base, cache or base / ".versus" / "downloads"), given)


def divide(
    name: str, dataset: Dataset, content: table_specification.Splitting, files: list[dict[str, Any]], given: BaseModel
) -> Prepared:
    """Split a data set that was loaded by the specification ``given``, whose split options are ``content``."""
    dataset = _limited(dataset, content)
    together = None if dataset.draws or dataset.is_stream else units(dataset)
    own = slice(0, len(dataset.y) - dataset.n_test)
    n_units = len(dataset.y[own]) if together is None else len(np.unique(together[own]))
    folds = content.folds if content.repeats else min(content.folds, n_units)
    repeats = dataset.draws or content.repeats or (1 if dataset.n_test else folds)
    if repeats > 1 and not dataset.n_test and dataset.times is None and "test_fraction" in content.model_fields_set:
        near = max(2, round(1 / content.test_fraction))
        raise DataError(
            f"test_fraction: {content.test_fraction:g} is for repeats: 1; with several repeats each fold is tested in "
            f"turn, so give `folds: {near}` instead, which tests {1 / near:.3g} of the rows at a time"
        )
    strata = dataset.schema.y.strata(dataset.y)
    fractions = content.test_fraction, content.validation_fraction
    if dataset.draws:
        splits = split_draws(strata, dataset.n_test, repeats, content.validation_fraction, content.seed or 0)
    elif dataset.is_stream:
        splits = split_in_blocks(len(strata), dataset.n_test, repeats, folds, *fractions)
    elif dataset.times is None:
        splits = split(strata, dataset.n_test, repeats, folds, *fractions, content.seed or 0, together)
    else:
        splits = split_in_time(dataset.times, strata, dataset.n_test, repeats, *fractions)
    _expect_weights(dataset.weights, splits)
    sizes: dict[str, list[int]] = {part: rows.lengths.tolist() for part, rows in splits.items()}
    about = {
        "name": name,
        "source": given.model_dump(exclude_defaults=True, exclude={"mute": True, "content": {"mute"}}),
        "files": files,
        "official_test": dataset.n_test > 0 and not dataset.draws,
        "splits": {"repeats": repeats, "seed": content.seed, **sizes},
        **dataset.summary(),
    }
    return Prepared(dataset.X, dataset.y, dataset.schema, splits, about, together, dataset.weights, dataset.novel)


def _expect_weights(weights: NDArray[np.float64] | None, splits: Mapping[Part, Ragged]) -> None:
    """Raise an error where all rows of a part have weight 0: nothing could be learnt or scored there."""
    if weights is None:
        return
    for part, of_repeats in splits.items():
        for repeat in range(len(of_repeats)):
            if not weights[of_repeats[repeat]].any():
                raise DataError(
                    f"weight: repeat {repeat}: all {len(of_repeats[repeat])} rows of the {part} part weigh 0; give "
                    "fewer `folds`, or leave rows of weight 0 out"
                )


def parse(spec: BaseModel | Mapping[str, Any]) -> Any:
    """Convert the specification to its pydantic model."""
    if isinstance(spec, BaseModel):
        return spec
    return TypeAdapter(specification.AnySpecification).validate_python(dict(spec))


def options(spec: Any) -> table_specification.Splitting:
    """Return the part of a specification that has the split options."""
    found: table_specification.Splitting = spec.content if isinstance(spec, specification.Url) else spec
    return found


def _seeded(given: Any, seed: int) -> Any:
    if isinstance(given, specification.Url):
        return given.model_copy(update={"content": _seeded(given.content, seed)})
    return given if given.seed is not None else given.model_copy(update={"seed": seed})


def load(given: Any, base: Path, cache: Path) -> tuple[Dataset, table_specification.Splitting, list[dict[str, Any]]]:
    """Load the unsplit data set of a specification; return it with its split options and source files.

    Raises:
        DataError: for any fault in the data.
    """
    if isinstance(given, specification.Url):
        from versus.data.sources.download import fetch_all

        folder = fetch_all(given, cache)
        dataset, content, files = load(given.content, folder, cache)
        return dataset, content, [{**file, "url": given.files[file["path"]].url} for file in files]
    if isinstance(given, specification.Embedded):
        from versus.data.sources import embedded

        return embedded.load(given), given, []
    if isinstance(given, file_specification.DomainPair):
        from versus.data.sources import domains

        inner = {name: in_folder(images, base / given.path) for name, images in given.of.items()}
        parts = {name: read(images, folder, cache) for name, (images, folder) in inner.items()}
        paths = [(folder, path) for images, folder in inner.values() for path in _files(images, folder)]
        return domains.joined(parts, given), given, [source_files.record(*where) for where in paths]
    inside, folder = in_folder(given, base)
    files = [source_files.record(folder, path) for path in _files(inside, folder)]
    return encode(read(inside, folder, cache), inside), given, files


def in_folder(given: Any, base: Path) -> tuple[Any, Path]:
    """Return the specification relative to the folder of its names; if ``file`` is given, that is ``path``."""
    if getattr(given, "file", None) is None:
        return given, base
    return given.model_copy(update={"path": given.file, "file": None}), base / given.path


def _files(given: Any, base: Path) -> tuple[str, ...]:
    if isinstance(given, file_specification.Idx):
        from versus.data.sources import idx

        beside = () if given.novel_path is None else (given.novel_path,)
        return (*idx.files(given, base).values(), *beside)
    return file_specification.paths(given)


def read(given: Any, base: Path, cache: Path) -> RawTable | RawImages | RawTexts:
    """Read the columns or images of any source except the embedded ones, before encoding.

    Raises:
        DataError: if a file cannot be read.
    """
    # Each branch imports its reader: no source waits for the libraries of another.
    if isinstance(given, specification.OpenML):
        from versus.data.sources import openml

        return openml.load(given, cache)
    if isinstance(given, table_specification.Brought):
        from versus.data.sources import brought

        return brought.load(given, base)
    if isinstance(given, table_specification.Csv | table_specification.Tsv):
        from versus.data.sources import delimited

        return delimited.load(given, base)
    if isinstance(given, table_specification.Parquet):
        from versus.data.sources import parquet

        return parquet.load(given, base)
    if isinstance(given, table_specification.Xlsx | table_specification.Json):
        from versus.data.sources import records

        return records.load(given, base)
    if isinstance(given, table_specification.Arff):
        from versus.data.sources import arff

        return arff.load(given, base)
    if isinstance(given, file_specification.Idx):
        from versus.data.sources import idx

        return idx.load(given, base)
    if isinstance(given, file_specification.Pictures):
        from versus.data.sources import pictures

        return pictures.load(given, base)
    if isinstance(given, file_specification.Documents):
        from versus.data.sources import documents

        return documents.load(given, base)
    if isinstance(given, file_specification.Stream):
        from versus.data.sources import streams

        return streams.load(given, base)
    if isinstance(given, file_specification.Conll):
        from versus.data.sources import conll

        return conll.load(given, base)
    if isinstance(given, file_specification.Penn):
        from versus.data.sources import penn

        return penn.load(given, base)
    from versus.data.sources import arrays

    return arrays.load(given, base)


def _limited(dataset: Dataset, options: table_specification.Splitting) -> Dataset:
    """Select the rows that ``limit`` and ``test_limit`` keep, in their order."""
    if dataset.draws:
        return dataset  # drawn within the limits
    if options.test_limit is not None and not dataset.n_test:
        raise DataError("test_limit is for data with an official test set; here, test_fraction sets its size")
    if options.limit is None and options.test_limit is None:
        return dataset
    strata = dataset.schema.y.strata(dataset.y)
    n = len(strata) - dataset.n_test
    rng = np.random.default_rng([options.seed or 0, 2**31])  # a separate stream, independent of the repeats
    kept, tested = np.arange(n), np.arange(n, len(strata))
    if options.limit is not None and options.limit < n:
        kept = (
            np.arange(options.limit)
            if dataset.is_stream
            else draw(strata[:n], options.limit, 2 if dataset.n_test else 3, 0, rng)
        )
    if options.test_limit is not None and options.test_limit < dataset.n_test:
        tested = n + draw(strata[n:], options.test_limit, 1, 0, rng)
    rows = np.concatenate([kept, tested])
    return dataset.take(rows, len(tested))
