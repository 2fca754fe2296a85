"""Files of users' data for a fitted model, read in the form that `versus.serving.frames` takes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from versus.data.errors import DataError
from versus.data.inspect import sniffing
from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens
from versus.serving import texts
from versus.serving.frames import Data

if TYPE_CHECKING:
    import pandas as pd


def read(path: Path, schema: Schema) -> Data:
    """Read the data in a file.

    Args:
        path: .csv, .tsv (also gzipped) or .parquet for a table; .npy for images, or a picture of the right size; for
            texts a table, or a .txt with one a line.
        schema: form of the model's data.

    Raises:
        DataError: where the file cannot be read as that.
    """
    kind = Path(path.name.removesuffix(".gz")).suffix.lower()
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    if isinstance(schema.x, Image):
        return _read_images(path, schema)
    if isinstance(schema.x, Tokens) and kind == ".txt":
        return _read_lines(path)
    import pandas as pd

    try:
        if kind == ".parquet":
            return pd.read_parquet(path)
        if kind in (".csv", ".tsv"):
            return _read_table(path)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    raise DataError(f"{path}: a table is read from .csv, .tsv or .parquet, not from {kind or 'a file without suffix'}")


def _read_table(path: Path) -> pd.DataFrame:
    """Read separated values under a header, in the dialect that `versus add` would find."""
    import pandas as pd

    dialect = sniffing.dialect(path)
    return pd.read_csv(
        path,
        sep=dialect.get("delimiter", "\t" if dialect["source"] == "tsv" else ","),
        encoding=dialect.get("encoding", "utf-8-sig"),
        quoting=csv.QUOTE_MINIMAL if dialect.get("quote", True) else csv.QUOTE_NONE,
        dtype=str,  # what a value means is for the model's columns to say, not for pandas to guess
        keep_default_na=False,
    )


def _read_lines(path: Path) -> pd.DataFrame:
    """Read one text per line of a UTF-8 file.

    Raises:
        DataError: where the file is in another encoding.
    """
    import pandas as pd

    try:
        return pd.DataFrame({texts.TEXT: path.read_text(encoding="utf-8").splitlines()})
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _read_images(path: Path, schema: Schema) -> NDArray[Any]:
    try:
        if path.suffix.lower() == ".npy":
            found: NDArray[Any] = np.load(path, allow_pickle=False)
        else:
            from PIL import Image

            mode = "RGB" if schema.shape[2:] == (3,) else "L"
            with Image.open(path) as picture:
                found = np.asarray(picture.convert(mode))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as images: {error}") from error
    return found[None] if found.shape == schema.shape else found
