"""Encoding of raw columns and images as a `Dataset`: roles of columns, codes, and checks of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data import dates, images, series, texts
from versus.data.columns import LARGEST, Numbers, RawColumn, RawTable, Words, as_numbers, as_words, is_number
from versus.data.errors import DataError, listed, unknown
from versus.data.notation import Notation
from versus.data.prepared import Dataset
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.table_specification import Labelled, Tabular
from versus.data.target_column import check_counts, encode_target, first_word, rounded
from versus.data.targets import Classes, Number

MOST_VALUES = 10  # numbers with more values than this are quantities, such as ages and counts
ROWS_A_VALUE = 10  # on average, below which values can be few only because the rows are
_STRAY = 0.1  # up to this share of texts among numbers is a fault in the file rather than a categorical column


@dataclass(frozen=True)
class Feature:
    """Encoded column: (N,) float64, codes or numbers, NaN if missing."""

    column: Column
    values: NDArray[np.float64]


def encode(raw: RawTable | images.RawImages | texts.RawTexts, specification: Any) -> Dataset:
    """Encode the output of a reader for models.

    Raises:
        DataError: as for `tabulate` and `depict`, and if neither the source nor the user names a target.
    """
    if isinstance(raw, images.RawImages):
        return depict(raw, specification)
    if isinstance(raw, texts.RawTexts):
        return _kept(texts.transcribe(raw, specification))
    target = getattr(specification, "target", None) or raw.target
    if target is None:
        raise DataError(f"{raw.file}: names no single target column; say which with `target:`")
    return replace(tabulate(raw, specification, target), about=raw.about)


def tabulate(raw: RawTable, specification: Tabular, target: str) -> Dataset:
    """Encode a table for models; as images if the specification gives a ``shape``.

    Raises:
        DataError: if a column does not exist, the target cannot be learnt, values are infinite, or texts are among
            numbers.
    """
    by_name = {column.name: column for column in raw.columns}
    _check_names(raw, specification, target)
    if len(by_name[target].missing) == 0:
        raise DataError(f"{raw.file}: holds no rows")
    answers = by_name[target]
    if target in specification.dates and not answers.missing.any():
        lengths = moments(answers, specification, raw)
        answers = Numbers(target, dates.parts(target, lengths, specification.dates[target])[0][1])
        specification = specification.model_copy(update={"task": Number.task})
    y, answer = encode_target(answers, specification, raw.file, raw.locate)
    warnings = [*raw.warnings, *check_counts(y, answer, answers, raw.n_test, raw.file), *rounded(y, answer)]
    apart = (specification.group, specification.time, specification.weight, specification.sequence)
    left_out = {target, *specification.drop, *raw.unused, *apart}
    kept = [column for column in raw.columns if column.name not in left_out]
    groups = None if specification.group is None else _groups(by_name[specification.group])
    times = None if specification.time is None else _times(by_name[specification.time], specification, raw)
    weights = None if specification.weight is None else _weights(by_name[specification.weight], raw)
    if weights is not None and (weights == 1).all():
        weights = None
        warnings.append(f"weight: all rows of column {specification.weight!r} count alike")
    own: dict[str, Any] = {"groups": groups, "times": times, "weights": weights}
    all_numbers = specification.shape is not None or specification.sequence is not None
    undecided = () if all_numbers else (c for c in kept if c.name not in specification.numeric)
    discrete = discrete_columns([c for c in undecided if isinstance(c, Numbers) and not c.missing.all()])
    features = []
    for column in kept:
        if column.missing.all():
            warnings.append(f"column {column.name!r} has no values; left out")
            continue
        if column.name in specification.dates:
            parts = encode_dates(column, specification, raw)
            if not parts:
                names = listed(dates.part_names(column.name, specification.dates[column.name]))
                warnings.append(f"column {column.name!r}: all have one {names}; left out")
            features += parts
            continue
        features.append(encode_feature(as_words(column) if column.name in discrete else column, specification, raw))
    if not features:
        raise DataError(f"{raw.file}: no column is left beside the target {target!r}")
    if specification.sequence is not None:
        columns, values = [f.column for f in features], [f.values for f in features]
        return series.arrange(raw, specification, columns, values, (y, answer), warnings)
    if specification.shape is not None:
        pixels, levels = _pixels(features, specification, raw.file)
        schema = Schema(Image(pixels.shape[1:], levels), answer)
        return _kept(Dataset(pixels, y, schema, raw.n_test, warnings, **own))
    X = np.empty((len(y), len(features)))
    for place, feature in enumerate(features):
        X[:, place] = feature.values
    reading = {**specification.reading, "columns": len(raw.columns)}
    reading["dates"] = {name: form for name, form in specification.dates.items() if name != target}
    if not reading["dates"]:
        del reading["dates"]
    schema = Schema(Table(tuple(feature.column for feature in features), reading), answer)
    return _kept(Dataset(X, y, schema, raw.n_test, warnings, **own))


def _groups(column: RawColumn) -> NDArray[np.int64]:
    """Group of each row (N,); a row without one is a group of its own."""
    codes = as_words(column).codes
    alone = codes < 0
    return np.where(alone, codes.max() + np.cumsum(alone), codes).astype(np.int64)


def _times(column: RawColumn, specification: Tabular, raw: RawTable) -> NDArray[np.float64]:
    """Time of each row (N,): the number, or the seconds of a date.

    Raises:
        DataError: if a value is missing, or neither a number nor a date.
    """
    if column.missing.any():
        row = int(np.argmax(column.missing))
        raise DataError(f"{raw.locate(row)}: time: column {column.name!r} has no value here; take such rows out")
    if column.name not in specification.dates and (numbers := as_numbers(column)) is not None:
        return np.array(numbers.values)
    return moments(column, specification, raw, "time").astype(np.int64) / 1e6


def _weights(column: RawColumn, raw: RawTable) -> NDArray[np.float64]:
    """Weight of each row (N,), in units of their mean: the unit of the column has no effect.

    Raises:
        DataError: if a value is missing, no number, infinite or below 0, or all are 0.
    """
    remedy = "a weight is a number from 0 up; correct it, or take the row out"
    numbers = as_numbers(column)
    if numbers is None:
        row, word = first_word(column)
        raise DataError(f"{raw.locate(row)}: weight: column {column.name!r} holds {word!r}; {remedy}")
    values = numbers.values
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        seen = "no value" if np.isnan(values[row]) else f"{values[row]:g}"
        raise DataError(
            f"{raw.locate(row)}: weight: column {column.name!r} holds {seen}, and so in {int(wrong.sum())} of "
            f"{len(values)} rows; {remedy}"
        )
    if not values.any():
        raise DataError(f"{raw.file}: weight: column {column.name!r} is 0 in all rows, so none counts; name another")
    scaled = values / values.max()  # a sum of large weights may be infinite
    return np.asarray(scaled / scaled.mean()) if (scaled != scaled[0]).any() else np.ones(len(values))


def moments(column: RawColumn, specification: Tabular, raw: RawTable, key: str = "dates") -> NDArray[np.datetime64]:
    """Read a column of dates, (N,) datetime64[us]: NaT where the value is missing.

    Raises:
        DataError: if a value is no date in the format that ``dates`` gives, or else as in ISO 8601.
    """
    form = specification.dates.get(column.name, dates.ISO)
    words = as_words(column)
    found = np.append(dates.read(words.words, form), np.datetime64("NaT"))  # the last answers for -1, the missing
    unread = np.flatnonzero(np.isnat(found)[words.codes] & (words.codes >= 0))
    if len(unread):
        wanted = "as 2024-01-31 or 2024-01-31 23:59" if form == dates.ISO else f"as {form}"
        raise DataError(
            f"{raw.locate(int(unread[0]))}: {key}: column {column.name!r} holds "
            f"{words.words[words.codes[unread[0]]]!r}; wants {'numbers, or ' * (key == 'time')}{dates.noun(form)}s "
            f"written {wanted}"
        )
    return found[words.codes]


def encode_dates(column: RawColumn, specification: Tabular, raw: RawTable) -> list[Feature]:
    """Encode a column of dates or times as the parts that vary, without those that are dropped."""
    found = dates.parts(column.name, moments(column, specification, raw), specification.dates[column.name])
    return [Feature(*part) for part in found if dates.varies(part[1]) and part[0].name not in specification.drop]


def discrete_columns(columns: Sequence[Numbers]) -> set[str]:
    """Find numbers that are categories: at most ten values, in ten rows each on average, whatever their unit.

    Such values have probabilities and no density: a normal of a column that is constant in a class is infinitely high.
    Columns that may be pixels are judged together, by the values of all of them.
    """
    if may_be_pixels(columns):
        pooled = Numbers("", np.concatenate([column.values for column in columns]))
        return {column.name for column in columns} if _is_discrete(pooled) else set()
    return {column.name for column in columns if _is_discrete(column)}


def _is_discrete(column: Numbers) -> bool:
    present = column.values[~column.missing]
    if len(set(present[:1000].tolist())) > MOST_VALUES:  # most columns: no need to sort them
        return False
    found = np.unique(present)
    return bool(np.isfinite(found).all()) and 2 <= len(found) <= min(MOST_VALUES, len(present) / ROWS_A_VALUE)


def may_be_pixels(columns: Sequence[Numbers]) -> bool:
    """Check that columns share one range, have no missing values, and their count is a square of at least 8 × 8."""
    side = math.isqrt(len(columns))
    if side < 8 or side**2 != len(columns) or any(column.missing.any() for column in columns):
        return False
    lowest, highest = (np.array([bound(column.values) for column in columns]) for bound in (np.min, np.max))
    return bool(lowest.min() >= 0 and np.median(highest) == highest.max())


def depict(raw: images.RawImages, specification: Labelled) -> Dataset:
    """Encode images for models.

    Raises:
        DataError: if the labels cannot be learnt.
    """
    y, answer = encode_target(raw.labels, specification, raw.file, raw.locate)
    warnings = [*raw.warnings, *check_counts(y, answer, raw.labels, raw.n_test, raw.file)]
    schema = Schema(Image(raw.pixels.shape[1:], raw.levels, specification.reading), answer)
    return _kept(Dataset(raw.pixels, y, schema, raw.n_test, warnings, novel=raw.novel))


def _kept(dataset: Dataset) -> Dataset:
    """Remove the rows whose class label_map leaves out; if there are none, return the same arrays."""
    if not isinstance(dataset.schema.y, Classes) or (dataset.y >= 0).all():
        return dataset
    kept = dataset.y >= 0
    return dataset.take(kept, int(kept[len(kept) - dataset.n_test :].sum()))


def _check_names(raw: RawTable, specification: Tabular, target: str) -> None:
    names = [column.name for column in raw.columns]
    if target not in names:
        numbers = sum(is_number(name) for name in names)
        hint = ". The first line looks like data: say `header: false`" if 2 * numbers > len(names) else ""
        raise DataError(f"{raw.file}: target: {unknown('column', target, names)}{hint}")
    parts = [part for named in specification.dates.items() for part in dates.part_names(*named)]
    if set(parts) & set(names):
        raise DataError(f"{raw.file}: dates: {listed(set(parts) & set(names))} is the name of a column already")
    for key in ("categorical", "numeric", "drop", "dates", "group", "time", "weight", "sequence"):
        given = getattr(specification, key)
        for name in [given] if isinstance(given, str) else given or ():
            if name not in names and name not in raw.unused and (key != "drop" or name not in parts):
                raise DataError(f"{raw.file}: {key}: {unknown('column', name, names)}")
            if name == target and key != "categorical" and specification.dates.get(name) not in dates.DURATIONS:
                raise DataError(f"{raw.file}: {key}: {name!r} is the target; only other columns can stand here")


def encode_feature(column: RawColumn, specification: Tabular, raw: RawTable) -> Feature:
    """Encode a column as numbers or as codes of its categories, those of the whole file in fixed order.

    Raises:
        DataError: if values are infinite, or texts where numbers are required.
    """
    numbers = None
    if column.name not in specification.categorical:
        numbers = column if isinstance(column, Numbers) else None
        if numbers is None and column.name in specification.numeric:
            numbers = as_numbers(column)
            if numbers is None:
                row, word = first_word(column)
                raise DataError(f"{raw.locate(row)}: column {column.name!r} holds {word!r}; numeric asks for numbers")
    if numbers is not None:
        return _numeric(numbers, raw)
    words = as_words(column)
    if isinstance(column, Words) and not raw.typed and column.name not in specification.categorical:
        _check_stray(column, specification, raw)
    values = np.where(words.codes < 0, np.nan, words.codes)
    return Feature(Column(column.name, words.words), values)


def _numeric(column: Numbers, raw: RawTable) -> Feature:
    large = np.flatnonzero(np.abs(column.values) > LARGEST)
    if len(large):
        value = column.values[large[0]]
        found = "infinite" if np.isinf(value) else f"{value:.3g}"
        raise DataError(
            f"{raw.locate(int(large[0]))}: column {column.name!r} is {found} here, and of such a size in {len(large)} "
            f"rows in all; wants numbers up to {LARGEST:.0e}, whose squares double precision can sum: an empty field "
            "where none is known, another unit or the logarithm"
        )
    return Feature(Column(column.name), column.values)


def strays(column: Words, notation: Notation) -> list[str]:
    """Find the few texts in a column of numbers; empty if it is a column of texts."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    numeric = np.array([notation.is_number(word) for word in column.words])
    few = 0 < counts[~numeric].sum() <= _STRAY * counts.sum()
    return (
        [word for word, known in zip(column.words, numeric, strict=True) if not known]
        if few and numeric.sum() >= 10
        else []
    )


def _check_stray(column: Words, specification: Tabular, raw: RawTable) -> None:
    """Raise an error for few texts among many numbers: spellings of "missing" or typing errors, seldom categories."""
    found = strays(column, specification.notation)
    if found:
        first = found[0]
        row = int(np.argmax(column.codes == column.words.index(first)))
        raise DataError(
            f"{raw.locate(row)}: column {column.name!r} holds {first!r}, and numbers in most rows. If "
            f"{listed(found, 5)} mean that nothing is known, add them to `missing`; if numbers are codes, say "
            f"`categorical: [{column.name}]`"
        )


def _pixels(features: Sequence[Feature], specification: Tabular, file: str) -> tuple[NDArray[Any], int]:
    """Arrange the columns, in their order, as the pixels of images."""
    shape = specification.shape or []
    if len(features) != int(np.prod(shape)):
        raise DataError(f"{file}: {len(features)} columns make no images of shape {shape}")
    for feature in features:
        if feature.column.categories is not None or np.isnan(feature.values).any():
            raise DataError(f"{file}: column {feature.column.name!r} is a pixel and must hold a number in every row")
    # float32 holds every grey value exactly and half of what float64 takes, which counts for 60,000 images.
    stacked = np.empty((len(features[0].values), len(features)), np.float32)
    for place, feature in enumerate(features):
        stacked[:, place] = feature.values
    return images.gather([stacked.reshape(-1, *shape)], specification.levels, file)
