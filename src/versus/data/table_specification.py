"""Table entries of params.yaml: the options that all data sets share, those of columns, and one model for each format.

`versus.data.file_specification` has the other formats.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from versus.data.columns import MISSING
from versus.data.findings import known
from versus.data.notation import PLAIN, Notation

Text = Annotated[str, StringConstraints(min_length=1)]

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
    "preamble",
    "encoding",
    "sheet",
    "resize",
    "dates",
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

    @property
    def reading(self) -> dict[str, Any]:
        """Keys by which other files of the same form are read."""
        return self.model_dump(include=_READING, exclude_defaults=True)


class Tabular(Labelled):
    """Sources that hold columns.

    Args:
        categorical: columns to read as the texts that stand there. The target can be among them: only an empty text is
            then a missing class, so "NA" is a class.
        numeric: columns to read as numbers; a value that is not a number is then an error.
        drop: columns to leave out.
        dates: column of dates, months, quarters or times of day -> their format, as for `strptime`, with ``%q`` for a
            quarter, or ISO8601, or of time stamps ``seconds since 1970`` (``milliseconds``, ``microseconds``,
            ``nanoseconds``); year, quarter, month, weekday and hour (with its fraction) become columns instead, as far
            as the format tells and they vary. Of durations, ``h:m:s``, ``h:m``, ``m:s``, ``h m s`` (2h 30min) or
            ``ISO8601 duration`` (PT2H30M), the hours.
        group: column that says which rows belong together, such as a patient or a site; no group has rows in two parts.
        time: column of numbers or dates by which rows are split: the training part before validation before test.
        weight: column of numbers from 0 up by which rows count in fits and scores, in any unit.
        sequence: column that says which sequence a row is a step of; rows follow each other as in the file, and the
            target is a tag of each. All other columns must be numbers.
        shape: shape of the images whose pixels are the columns, ``[height, width]`` or with channels.
        levels: number of values a pixel can take, 256 for bytes.
    """

    categorical: list[Text] = []
    numeric: list[Text] = []
    drop: list[Text] = []
    dates: dict[Text, Text] = {}
    group: Text | None = None
    time: Text | None = None
    weight: Text | None = None
    sequence: Text | None = None
    shape: list[Annotated[int, Field(ge=1)]] | None = Field(None, min_length=2, max_length=3)
    levels: int | None = Field(None, ge=2, le=65536)

    @property
    def notation(self) -> Notation:
        """Number notation, for numbers written as text."""
        return PLAIN

    @model_validator(mode="after")
    def _one_use_each(self) -> Self:
        uses = [
            name for names in (self.categorical, self.numeric, self.drop, self.dates) for name in dict.fromkeys(names)
        ]
        twice = sorted({name for name in uses if uses.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands in more than one of categorical, numeric, drop and dates")
        if self.group is not None and self.time is not None:
            raise ValueError("group and time say two different ways to split; give one of them")
        others = [key for key in ("group", "time", "weight", "shape") if getattr(self, key) is not None]
        if self.sequence is not None and (others or self.task is not None):
            raise ValueError(
                f"sequence makes each step's target a tag; {', '.join(others) or 'task'} does not go with it"
            )
        return self


class Brought(Tabular):
    """Data that a function of a package of the user's own returns (`versus.data.sources.brought`).

    Args:
        source: the package and the function in its ``sources.py``: ``mine.ring``.
        target: name of the target column; needed where the function returns a table.
        missing: texts that mean "no value", besides the empty text.
        args: arguments of the function.
    """

    source: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*\.[A-Za-z]\w*$")]
    target: Text | None = None
    missing: list[str] = list(MISSING)
    args: dict[str, Any] = {}


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
    """Comma-separated values, also compressed by gzip, bzip2, xz or zip.

    Args:
        delimiter: the separator between values; a blank stands for any number of blanks and tabs.
        header: True if the first row names the columns; otherwise they are called c0, c1, …
        quote: True if double quotes enclose values that hold a delimiter or a line break.
        loose: True if quotes can follow a blank, a delimiter can end the rows, and the header can lack the name of the
            first column, as where R writes rows with names.
        preamble: True if lines of comments or a title come before the table; they are skipped.
        encoding: text encoding.
    """

    source: Literal["csv"]
    loose: bool = False
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    header: bool = True
    quote: bool = True
    preamble: bool = False
    encoding: Text = "utf-8"


class Tsv(WrittenTable):
    """Tab-separated values; the keys are those of `Csv`."""

    source: Literal["tsv"]
    loose: bool = False
    delimiter: Literal["\t"] = "\t"
    header: bool = True
    quote: bool = True
    preamble: bool = False
    encoding: Text = "utf-8"


class Parquet(WrittenTable):
    """Parquet file."""

    source: Literal["parquet"]


class Xlsx(WrittenTable):
    """Sheet of an Excel workbook, in the format since 2007.

    Args:
        sheet: name of the sheet; the first by default.
        header: True if the first row names the columns; otherwise they are called c0, c1, …
    """

    source: Literal["xlsx"]
    sheet: Text | None = None
    header: bool = True


class Json(WrittenTable):
    """JSON, also compressed: an array of objects, one a row, also as the only array of an object; an object a line; or
    an object of columns, as pandas writes them. Keys of objects within are joined.
    """

    source: Literal["json"]


class Arff(TableFile):
    """Weka's attribute-relation file format, dense or sparse, also gzipped; an unquoted ``?`` is a missing value.

    Args:
        encoding: text encoding.
    """

    source: Literal["arff"]
    missing: list[str] = []
    encoding: Text = "utf-8"
