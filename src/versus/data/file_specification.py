"""User file entries of params.yaml: one pydantic model for each format, selected by the key ``source``.

The main file is always ``path``; paths are relative to the folder of params.yaml. `versus.data.table_specification` has
the tables.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, model_validator

from versus.data.table_specification import (
    Arff,
    Brought,
    Csv,
    Json,
    Labelled,
    Parquet,
    Splitting,
    Tabular,
    Text,
    Tsv,
    Xlsx,
)

Model = TypeVar("Model", bound=BaseModel)
BESIDE = ("labels", "test_path", "test_labels", "novel_path")  # keys of files besides ``path``


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
        novel_path: image file of other things, such as digits beside clothes, that a model should find unfamiliar.
        levels: number of values a pixel can take.
    """

    source: Literal["idx"]
    path: Text
    file: Text | None = None
    labels: Text | None = None
    test_path: Text | None = None
    test_labels: Text | None = None
    novel_path: Text | None = None
    levels: int | None = Field(None, ge=2, le=65536)

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_path", "test_labels")


class Pictures(Labelled):
    """Pictures (PNG, JPEG and the like) in a folder for each class.

    Args:
        path: the folder that holds those of the classes; or, for several, the folder that holds them.
        file: name of that folder in it.
        test_path: folder of the official test set, in the same form.
        resize: height and width in pixels to scale all pictures to; by default they must have one size.
    """

    source: Literal["pictures"]
    path: Text
    file: Text | None = None
    test_path: Text | None = None
    resize: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(None, min_length=2, max_length=2)


class DomainPair(Splitting):
    """Images of two domains without pairs, such as digits of MNIST and of USPS, to be translated to each other.

    Where both have classes of the same names, accuracy of a classifier of the second domain is asked of translations.

    Args:
        path: the folder that holds the files of both.
        of: name of a domain -> its images, as an entry of their own, with paths inside the folder; options of the
            split stand outside.
        resize: height and width in pixels to scale all images to; by default they must have one size.
    """

    source: Literal["domains"]
    path: Text
    of: dict[Text, Annotated[Idx | Npz | Hdf5 | Npy | Pictures, Field(discriminator="source")]] = Field(
        min_length=2, max_length=2
    )
    resize: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(None, min_length=2, max_length=2)

    @model_validator(mode="after")
    def _splits_stand_outside(self) -> Self:
        for name, images in self.of.items():
            inside = images.model_fields_set & set(Labelled.model_fields) - {"source"}
            if inside:
                raise ValueError(f"of.{name}: {', '.join(sorted(inside))}: say it outside, for both domains")
        return self


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


class Penn(Splitting):
    """Trees in brackets of the Penn Treebank, also compressed: a file, or a folder or zip archive of .mrg files.

    Args:
        path: the file, folder or archive; or, for several, the folder that holds them.
        file: name of it in that folder.
        test_path: official test set, in the same form.
        longest: number of words beyond which sentences are left out; all are read by default.
        encoding: text encoding.
    """

    source: Literal["penn"]
    path: Text
    file: Text | None = None
    test_path: Text | None = None
    longest: int | None = Field(None, ge=1)
    encoding: Text = "utf-8"


class Stream(Splitting):
    """A text without labels, also compressed, cut into windows of equal length; folds are blocks of windows in a row.

    Args:
        path: the file; or, for several files, the folder that holds them.
        file: name of the file in that folder.
        test_path: file that holds the official test set.
        unit: what a token is; words are letters and digits in a row, and each sign.
        window: number of tokens of a row; by default 500 characters or 100 words.
        lowercase: True to treat words that differ only in capital letters as the same.
        encoding: text encoding.
    """

    source: Literal["text"]
    path: Text
    file: Text | None = None
    test_path: Text | None = None
    unit: Literal["characters", "words"] = "characters"
    window: int | None = Field(None, ge=2)
    lowercase: bool = False
    encoding: Text = "utf-8"


class BroughtFile(Brought):
    """A file or folder that a function of a package of the user's own reads, which is given its path first."""

    path: Text


def whose(given: Any) -> str:
    """Tell sources of packages, whose names have a dot, from those of Versus; the tag of a union's branch."""
    source = given.get("source") if isinstance(given, dict) else getattr(given, "source", None)
    return "[brought]" if isinstance(source, str) and "." in source else "[own]"


OwnFile = Annotated[
    Csv
    | Tsv
    | Parquet
    | Xlsx
    | Json
    | Arff
    | Npz
    | Hdf5
    | Npy
    | Idx
    | Pictures
    | DomainPair
    | Documents
    | Conll
    | Penn
    | Stream,
    Field(discriminator="source"),
]
FileSpecification = Annotated[
    Annotated[OwnFile, Tag("[own]")] | Annotated[BroughtFile, Tag("[brought]")], Discriminator(whose)
]


def paths(specification: BaseModel) -> tuple[str, ...]:
    """Return the files and folders that a specification names, as written; none if the data are not the user's."""
    keys = ("path", *BESIDE)
    found = (getattr(specification, key, None) for key in keys)
    return tuple(path for path in found if path is not None)


def unwatched(specification: BaseModel) -> tuple[str, ...]:
    """Return the keys that name files besides ``path``; only ``path`` is watched, so it must be their common folder."""
    if getattr(specification, "file", None) is not None:
        return ()
    return tuple(key for key in BESIDE if getattr(specification, key, None) is not None)


def _both_or_neither(section: Model, first: str, second: str) -> Model:
    if (getattr(section, first) is None) != (getattr(section, second) is None):
        raise ValueError(f"{first} and {second} go together: give both or neither")
    return section
