"""User file entries of params.yaml: one pydantic model for each format, selected by the key ``source``.

The main file is always ``path``; paths are relative to the folder of params.yaml.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from versus.data.columns import MISSING
from versus.data.findings import known
from versus.data.notation import PLAIN, Notation

Text = Annotated[str, StringConstraints(min_length=1)]
Model = TypeVar("Model", bound=BaseModel)


_READING = {
    "source",
    "x",
    "missing",
    "decimal",
    "thousands",
    "symbols",
    "delimiter",
    "header",
    "quote",
    "loose",
    "encoding",
}


class Section(BaseModel):
    """Mapping in params.yaml: unknown keys and values of the wrong type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Splitting(Section):
    """Split options, which every source has.

    Args:
        repeats: number of fits. Repeat ``folds * b + k`` tests fold k of partition b, so that each block of ``folds``
            repeats tests every row once: a multiple of ``folds``, or 1 for a single test part. By default ``folds``,
            or 1 if the data have an official test set.
        folds: parts of a partition, 5 by default.
        test_fraction: share of the rows in the test part of a single repeat.
        validation_fraction: share of the other rows that early stopping and tuning may use.
        limit: number of rows to keep, drawn by class; with an official test set, of the rows outside it.
        test_limit: number of rows of the official test set to keep, drawn by class.
        seed: seed of the splits, of ``limit`` and of generated data; that of params.yaml by default.
        mute: codes of findings not to be shown (`versus.data.findings`).
    """

    repeats: int | None = Field(None, ge=1, le=1000)
    folds: int = Field(5, ge=2, le=1000)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    validation_fraction: float = Field(0.2, gt=0, lt=1)
    limit: int | None = Field(None, ge=1)
    test_limit: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=0, lt=2**31)
    mute: Annotated[list[str], AfterValidator(known)] = []


class Labelled(Splitting):
    """Target options for the user's own data.

    Args:
        task: by default "regression" if the target holds numbers that are not all whole, else "classification".
        label_map: class in the file -> its name; classes with the same new name become one class, and the rows of a
            class with ``null`` are left out.
    """

    task: Literal["classification", "regression"] | None = None
    label_map: dict[str, str | None] = {}


class Tabular(Labelled):
    """Sources that hold columns.

    Args:
        categorical: columns to read as the texts that stand there. The target can be among them: only an empty text is
            then a missing class, so "NA" is a class.
        numeric: columns to read as numbers; a value that is not a number is then an error.
        drop: columns to leave out.
        group: column that says which rows belong together, such as a patient or a site; no group has rows in two parts.
        time: column of numbers or dates by which rows are split: the training part before validation before test.
        shape: shape of the images whose pixels are the columns, ``[height, width]`` or with channels.
        levels: number of values a pixel can take, 256 for bytes.
    """

    categorical: list[Text] = []
    numeric: list[Text] = []
    drop: list[Text] = []
    group: Text | None = None
    time: Text | None = None
    shape: list[Annotated[int, Field(ge=1)]] | None = Field(None, min_length=2, max_length=3)
    levels: int | None = Field(None, ge=2, le=65536)

    @property
    def notation(self) -> Notation:
        """Number notation, for numbers written as text."""
        return PLAIN

    @property
    def reading(self) -> dict[str, Any]:
        """Keys by which other files of the same form are read."""
        return self.model_dump(include=_READING, exclude_defaults=True)

    @model_validator(mode="after")
    def _one_use_each(self) -> Self:
        uses = [name for names in (self.categorical, self.numeric, self.drop) for name in dict.fromkeys(names)]
        twice = sorted({name for name in uses if uses.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands in more than one of categorical, numeric and drop")
        if self.group is not None and self.time is not None:
            raise ValueError("group and time say two different ways to split; give one of them")
        return self


class TableFile(Tabular):
    """File with one row per example and one target column.

    Args:
        path: the file; or, for several files, the folder that holds them.
        file: name of the file in that folder.
        test_path: file with the same columns that holds the official test set.
        target: name of the target column.
        missing: texts that mean "no value", besides the empty text.
    """

    path: Text
    file: Text | None = None
    test_path: Text | None = None
    target: Text
    missing: list[str] = list(MISSING)


class WrittenTable(TableFile):
    """Tables that can hold numbers as text.

    Args:
        decimal: the decimal separator.
        thousands: the separator between groups of three digits, such as "." in 1.234,5.
        symbols: symbols allowed before or after a number: "%", "€", "kg".
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    symbols: list[Text] = []

    @property
    def notation(self) -> Notation:
        """Number notation of the table."""
        return Notation(self.decimal, self.thousands, tuple(self.symbols))

    @model_validator(mode="after")
    def _commas_mean_one_thing(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; they must differ")
        return self


class Csv(WrittenTable):
    """Comma-separated values, also gzipped.

    Args:
        delimiter: the separator between values; a blank stands for any number of blanks and tabs.
        header: True if the first row names the columns; otherwise they are called c0, c1, …
        quote: True if double quotes enclose values that hold a delimiter or a line break.
        loose: True if quotes can follow a blank, and a delimiter can end the rows.
        encoding: text encoding.
    """

    source: Literal["csv"]
    loose: bool = False
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    header: bool = True
    quote: bool = True
    encoding: Text = "utf-8"


class Tsv(WrittenTable):
    """Tab-separated values; the keys are those of `Csv`."""

    source: Literal["tsv"]
    delimiter: Literal["\t"] = "\t"
    header: bool = True
    quote: bool = True
    encoding: Text = "utf-8"


class Parquet(WrittenTable):
    """Parquet file."""

    source: Literal["parquet"]


class Arff(TableFile):
    """Weka's attribute-relation file format, dense, also gzipped; an unquoted ``?`` is a missing value."""

    source: Literal["arff"]
    missing: list[str] = []


class ArraysFile(Tabular):
    """File of named arrays: X (N, D) is a table with columns x0, x1, …; (N, H, W) or (N, H, W, C) are images.

    Args:
        path: the file.
        x: name of the array of examples.
        y: name of the array of targets (N,).
        test_x: name of the examples of the official test set.
        test_y: name of the targets of the official test set.
    """

    path: Text
    x: Text = "X"
    y: Text = "y"
    test_x: Text | None = None
    test_y: Text | None = None

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_x", "test_y")


class Npz(ArraysFile):
    """NumPy's .npz; arrays of Python objects are rejected, since reading them can run code."""

    source: Literal["npz"]


class Hdf5(ArraysFile):
    """HDF5; the names of the arrays are their paths in the file, such as ``train/data``."""

    source: Literal["h5"]


class Npy(Tabular):
    """Two .npy files: the examples and their targets; two more for an official test set.

    ``path`` is the folder that holds them and ``file`` the file name of the examples.
    """

    source: Literal["npy"]
    path: Text
    file: Text | None = None
    labels: Text
    test_path: Text | None = None
    test_labels: Text | None = None

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_path", "test_labels")


class Idx(Labelled):
    """Images in the format of MNIST, also gzipped.

    Args:
        path: folder with files named as those of MNIST, and then no other key is needed; or with other files.
        file: name of the image file in that folder.
        labels: file of labels.
        test_path: image file of the official test set.
        test_labels: label file of the official test set.
        levels: number of values a pixel can take.
    """

    source: Literal["idx"]
    path: Text
    file: Text | None = None
    labels: Text | None = None
    test_path: Text | None = None
    test_labels: Text | None = None
    levels: int | None = Field(None, ge=2, le=65536)

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_path", "test_labels")


class Documents(Labelled):
    """Texts with one class each, also gzipped: a table with a column of texts, lines, or a folder for each class.

    Without ``text``, a file has one document per line, its class first (a leading ``__label__`` is removed); a folder
    has a folder of files for each class, or a file for each class with one document per line.

    Args:
        path: the file or folder; or, for several, the folder that holds them.
        file: name of the file or folder in that folder.
        test_path: official test set, in the same form.
        text: name of the column of texts.
        target: name of the column of classes.
        delimiter: the separator between values; by default a tab in files named ``.tsv``, a comma in others.
        header: True if the first row names the columns; otherwise they are called c0, c1, …
        quote: True if double quotes enclose values that hold a delimiter or a line break.
        encoding: text encoding.
        lowercase: True to treat words that differ only in capital letters as the same.
        token_pattern: regular expression of a word; the text between two words is left out.
    """

    source: Literal["documents"]
    path: Text
    file: Text | None = None
    test_path: Text | None = None
    text: Text | None = None
    target: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    header: bool = True
    quote: bool = True
    encoding: Text = "utf-8"
    lowercase: bool = True
    token_pattern: Text = r"\w+"

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            groups = re.compile(self.token_pattern).groups
        except re.error as error:
            raise ValueError(f"token_pattern: {error}") from None
        if groups:
            raise ValueError(f"token_pattern has {groups} groups; say (?:…) in place of (…)")
        return _both_or_neither(self, "text", "target")


class Conll(Splitting):
    """Sentences with one tag per word, also gzipped: one line of columns per word, an empty line after a sentence.

    Args:
        path: the file; or, for several files, the folder that holds them.
        file: name of the file in that folder.
        test_path: file with the same columns that holds the official test set.
        token: column of the word, counted from 1; by default 2 in CoNLL-U, which has ten columns, and 1 in others.
        tag: column of the tag; by default 4 (the universal part of speech) in CoNLL-U, and the last in others.
        lowercase: True to treat words that differ only in capital letters as the same.
        encoding: text encoding.
    """

    source: Literal["conll"]
    path: Text
    file: Text | None = None
    test_path: Text | None = None
    token: int | None = Field(None, ge=1)
    tag: int | None = Field(None, ge=1)
    lowercase: bool = False
    encoding: Text = "utf-8"


FileSpecification = Annotated[
    Csv | Tsv | Parquet | Arff | Npz | Hdf5 | Npy | Idx | Documents | Conll,
    Field(discriminator="source"),
]


def paths(specification: BaseModel) -> tuple[str, ...]:
    """Return the files and folders that a specification names, as written; none if the data are not the user's."""
    keys = ("path", "labels", "test_path", "test_labels")
    found = (getattr(specification, key, None) for key in keys)
    return tuple(path for path in found if path is not None)


def unwatched(specification: BaseModel) -> tuple[str, ...]:
    """Return the keys that name files besides ``path``; only ``path`` is watched, so it must be their common folder."""
    if getattr(specification, "file", None) is not None:
        return ()
    return tuple(key for key in ("labels", "test_path", "test_labels") if getattr(specification, key, None) is not None)


def _both_or_neither(section: Model, first: str, second: str) -> Model:
    if (getattr(section, first) is None) != (getattr(section, second) is None):
        raise ValueError(f"{first} and {second} go together: give both or neither")
    return section
