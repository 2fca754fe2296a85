"""Data set entries of params.yaml: one pydantic model for each kind of source, selected by the key ``source``.

`DatasetSpecification` covers data that need no user file: embedded, OpenML, a URL. `FileSpecification` covers a file
or folder in the workspace (`versus.data.file_specification`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from versus.data.file_specification import BroughtFile, Conll, FileSpecification, OwnFile, Penn, Stream, paths, whose
from versus.data.table_specification import Brought, Labelled, Section, Splitting, Tabular, Text

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")]

GENERATED = ("synthetic", "moons", "animals")


class Embedded(Splitting):
    """Data that need no download: generated, or shipped with an installed package.

    Args:
        name: name of the data set.
        rows: number of training rows of a draw; for ``synthetic``, ``moons`` and ``animals`` only. Each repeat has a
            draw of its own, with 4,000 test rows.
    """

    source: Literal["embedded"]
    name: Literal[
        "synthetic",
        "moons",
        "animals",
        "iris",
        "wine",
        "breast_cancer",
        "digits",
        "outlines",
        "diabetes",
        "docstrings",
        "docstring_stream",
        "python_tokens",
        "digit_sequences",
        "python_trees",
    ]
    rows: int | None = Field(None, ge=10, le=10_000_000)

    @model_validator(mode="after")
    def _rows_are_drawn(self) -> Self:
        if self.rows is not None and self.name not in GENERATED:
            raise ValueError(f"rows is for synthetic, moons and animals; to use a part of {self.name}, give limit")
        return self


class OpenML(Tabular):
    """Data set of openml.org, by name and version; downloaded once.

    Args:
        name: its name on OpenML.
        version: its version on OpenML.
        target: name of the target column; by default the one that OpenML names.
        missing: texts that mean "no value", besides ARFF's unquoted ``?``.
        server: address of the OpenML server.
    """

    source: Literal["openml"]
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.()\-]+$")]
    version: int = Field(ge=1)
    target: Text | None = None
    missing: list[str] = Field([])
    server: HttpUrl = "https://www.openml.org"


class RemoteFile(Section):
    """File to download and its expected checksum."""

    url: HttpUrl
    sha256: Sha256


class Url(Section):
    """Files to download, and their format.

    Args:
        files: local file name -> address and checksum. For one file, ``url`` and ``sha256`` can be given instead.
        content: format of the files, as for the user's own files; its paths are the names in ``files``.
    """

    source: Literal["url"]
    files: dict[FileName, RemoteFile] = Field(min_length=1)
    content: FileSpecification

    @model_validator(mode="before")
    @classmethod
    def _one_file(cls, given: Any) -> Any:
        """Expand ``url`` and ``sha256`` to ``files`` with one entry, which is then also ``content.path``."""
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


DatasetSpecification = Annotated[
    Annotated[Annotated[Embedded | OpenML | Url, Field(discriminator="source")], Tag("[own]")]
    | Annotated[Brought, Tag("[brought]")],
    Discriminator(whose),
]
AnySpecification = Annotated[
    Annotated[Annotated[Embedded | OpenML | Url | OwnFile, Field(discriminator="source")], Tag("[own]")]
    | Annotated[BroughtFile | Brought, Tag("[brought]")],
    Discriminator(whose),
]

# Of embedded data sets that are not for classification.
_TASKS = {
    "diabetes": "regression",
    "python_tokens": "tagging",
    "digit_sequences": "tagging",
    "python_trees": "parsing",
    "docstring_stream": "density",
}


def known_task(given: Splitting | OpenML | Url) -> str | None:
    """Task of a data set as far as its entry in params.yaml tells; None where only the target column does."""
    if isinstance(given, Url):
        return known_task(given.content)
    if isinstance(given, Embedded):
        return _TASKS.get(given.name, "classification")
    if isinstance(given, Conll):
        return "tagging"
    if isinstance(given, Penn):
        return "parsing"
    if isinstance(given, Stream):
        return "density"
    if isinstance(given, Tabular) and given.sequence is not None:
        return "tagging"
    return given.task if isinstance(given, Labelled) else None


def migrated(given: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Map split options of earlier versions, when each repeat drew test rows, to (name, value) today; mostly empty.

    ``test_fraction`` becomes the number of folds that test as many rows at a time, ``repeats`` the next whole number of
    partitions. An official test set, an order of time and generated data need no folds.
    """
    official = any(key.startswith("test_") and key not in ("test_fraction", "test_limit") for key in given)
    generated = given.get("source") == "embedded" and given.get("name") in GENERATED
    repeats, share = given.get("repeats"), given.get("test_fraction")
    if official or generated or "time" in given or "folds" in given or repeats == 1:
        return {}
    found: dict[str, tuple[str, Any]] = {}
    folds: int = Splitting.model_fields["folds"].default
    if isinstance(share, float) and 0 < share < 1:
        folds = max(2, round(1 / share))
        found["test_fraction"] = "folds", folds
    if isinstance(repeats, int) and repeats % folds:
        found["repeats"] = "repeats", folds * -(-repeats // folds)
    return found
