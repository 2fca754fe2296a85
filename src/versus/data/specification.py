"""What params.yaml may say of a data set: one model for each kind of source, told apart by the key ``source``.

`DatasetSpecification` is data that needs no file of the user's (embedded, OpenML, a URL); `FileSpecification` is a
file or folder in the workspace, whose main one is always ``path``. Paths are relative to the folder of params.yaml.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")]

Section = TypeVar("Section", bound="_Section")

MISSING = ("?", "NA", "N/A", "NaN", "nan", "null")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Splitting(_Section):
    """How the rows are divided: the options that every source has.

    Args:
        repeats: how many times the rows are split; 5, or 1 where the data have an official test set.
        test_fraction: share of the rows that are tested on; not used with an official test set.
        validation_fraction: share of the other rows that early stopping and tuning may look at.
        limit: keep this many rows, drawn by class; with an official test set, of the rows outside it.
        test_limit: keep this many rows of the official test set, drawn by class.
        seed: of the splits, of ``limit`` and, for generated data, of the data.
    """

    repeats: int | None = Field(None, ge=1, le=1000)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    validation_fraction: float = Field(0.2, gt=0, lt=1)
    limit: int | None = Field(None, ge=1)
    test_limit: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0, lt=2**31)


class Embedded(Splitting):
    """Data that need no download: generated, or shipped with scikit-learn.

    Args:
        name: which.
        rows: how many rows to draw; for ``synthetic``, ``moons`` and ``animals`` only.
    """

    source: Literal["embedded"]
    name: Literal["synthetic", "moons", "animals", "iris", "wine", "breast_cancer", "digits", "diabetes"]
    rows: int | None = Field(None, ge=10, le=10_000_000)

    @model_validator(mode="after")
    def _rows_are_drawn(self) -> Self:
        if self.rows is not None and self.name not in ("synthetic", "moons", "animals"):
            raise ValueError(f"rows is for synthetic, moons and animals; to use a part of {self.name}, give limit")
        return self


class Labelled(Splitting):
    """What a user says of the target of their own data.

    Args:
        task: "regression" where the target holds numbers that are not all whole, "classification" otherwise.
        label_map: class as it stands in the file -> its name; two that get one name become one class, and the rows of
            one that gets ``null`` are left out.
    """

    task: Literal["classification", "regression"] | None = None
    label_map: dict[str, str | None] = {}


class Tabular(Labelled):
    """Sources that hold columns.

    Args:
        categorical: columns to read as categories although they hold numbers.
        numeric: columns to read as numbers; what is not a number is then an error.
        drop: columns to leave out.
        shape: the columns are the pixels of images of this shape, ``[height, width]`` or with channels.
        levels: how many values a pixel can take, 256 for bytes.
    """

    categorical: list[Text] = []
    numeric: list[Text] = []
    drop: list[Text] = []
    shape: list[Annotated[int, Field(ge=1)]] | None = Field(None, min_length=2, max_length=3)
    levels: int | None = Field(None, ge=2, le=65536)

    @model_validator(mode="after")
    def _one_use_each(self) -> Self:
        uses = [name for names in (self.categorical, self.numeric, self.drop) for name in dict.fromkeys(names)]
        twice = sorted({name for name in uses if uses.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands in more than one of categorical, numeric and drop")
        return self


class TableFile(Tabular):
    """A file with one row an example and one column the target.

    Args:
        path: the file.
        test_path: a file of the same columns with the official test set.
        target: name of the target column.
        missing: texts that mean "no value", beside the empty one.
    """

    path: Text
    test_path: Text | None = None
    target: Text
    missing: list[str] = list(MISSING)


class Csv(TableFile):
    """Comma-separated values, also gzipped; columns of a file without a header are called c0, c1, …"""

    source: Literal["csv"]
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    header: bool = True
    encoding: Text = "utf-8"


class Tsv(TableFile):
    """Tab-separated values."""

    source: Literal["tsv"]
    delimiter: Literal["\t"] = "\t"
    header: bool = True
    encoding: Text = "utf-8"


class Parquet(TableFile):
    """A Parquet file."""

    source: Literal["parquet"]


class Arff(TableFile):
    """Weka's attribute-relation file format, dense; an unquoted ``?`` is a missing value."""

    source: Literal["arff"]
    missing: list[str] = []


class ArraysFile(Tabular):
    """A file of named arrays: X (N, D) is a table with columns x0, x1, …; (N, H, W) or (N, H, W, C) are images.

    Args:
        path: the file.
        x: name of the array of examples.
        y: name of the array of targets (N,).
        test_x: name of the examples of the official test set.
        test_y: name of its targets.
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
    """NumPy's .npz; arrays of Python objects are refused, since reading them can run code."""

    source: Literal["npz"]


class Hdf5(ArraysFile):
    """HDF5; the names of the arrays are their paths in the file, such as ``train/data``."""

    source: Literal["h5"]


class Npy(Tabular):
    """Two .npy files: the examples and their targets; likewise for an official test set."""

    source: Literal["npy"]
    path: Text
    labels: Text
    test_path: Text | None = None
    test_labels: Text | None = None

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_path", "test_labels")


class Idx(Labelled):
    """Images in the format of MNIST, also gzipped.

    Args:
        path: the file of images; or a folder with files named as MNIST's are, and then no other key is needed.
        labels: the file of labels.
        test_path: images of the official test set.
        test_labels: their labels.
        levels: how many values a pixel can take.
    """

    source: Literal["idx"]
    path: Text
    labels: Text | None = None
    test_path: Text | None = None
    test_labels: Text | None = None
    levels: int | None = Field(None, ge=2, le=65536)

    @model_validator(mode="after")
    def _test_set_is_whole(self) -> Self:
        return _both_or_neither(self, "test_path", "test_labels")


FileSpecification = Annotated[
    Csv | Tsv | Parquet | Arff | Npz | Hdf5 | Npy | Idx,
    Field(discriminator="source"),
]


class OpenML(Tabular):
    """A data set of openml.org, by name and version; downloaded once.

    Args:
        name: its name there.
        version: its version there.
        target: name of the target column; the one OpenML names where not given.
        missing: texts that mean "no value", beside ARFF's unquoted ``?``.
        server: address of the OpenML server.
    """

    source: Literal["openml"]
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.()\-]+$")]
    version: int = Field(ge=1)
    target: Text | None = None
    missing: list[str] = []
    server: HttpUrl = "https://www.openml.org"


class RemoteFile(_Section):
    """A file to download, and the checksum it must have."""

    url: HttpUrl
    sha256: Sha256


class Url(_Section):
    """Files to download, and how to read them.

    Args:
        files: name the file gets -> where it is. For one file, ``url`` and ``sha256`` can stand in its place.
        content: what the files are, as for a file of one's own; its paths are the names in ``files``.
    """

    source: Literal["url"]
    files: dict[FileName, RemoteFile] = Field(min_length=1)
    content: FileSpecification

    @model_validator(mode="before")
    @classmethod
    def _one_file(cls, given: Any) -> Any:
        """``url`` and ``sha256`` are short for ``files`` with one entry, and ``content.path`` is then that entry."""
        if not isinstance(given, dict) or "url" not in given or "files" in given:
            return given
        rest = {key: value for key, value in given.items() if key not in ("url", "sha256")}
        name = urlsplit(str(given["url"])).path.rsplit("/", 1)[-1] or "download"
        rest["files"] = {name: {key: given[key] for key in ("url", "sha256") if key in given}}
        if isinstance(given.get("content"), dict):
            rest["content"] = {"path": name, **given["content"]}
        return rest

    @model_validator(mode="after")
    def _content_is_downloaded(self) -> Self:
        unknown = [path for path in paths(self.content) if path not in self.files]
        if unknown:
            raise ValueError(f"content reads {', '.join(unknown)}, and files has {', '.join(self.files)}")
        return self


DatasetSpecification = Annotated[Embedded | OpenML | Url, Field(discriminator="source")]
AnySpecification = Annotated[
    Embedded | OpenML | Url | Csv | Tsv | Parquet | Arff | Npz | Hdf5 | Npy | Idx,
    Field(discriminator="source"),
]


def paths(specification: BaseModel) -> tuple[str, ...]:
    """The files and folders that a specification names, as it names them; none for data that are not the user's."""
    keys = ("path", "labels", "test_path", "test_labels")
    found = (getattr(specification, key, None) for key in keys)
    return tuple(path for path in found if path is not None)


def _both_or_neither(section: Section, first: str, second: str) -> Section:
    if (getattr(section, first) is None) != (getattr(section, second) is None):
        raise ValueError(f"{first} and {second} go together: give both or neither")
    return section
