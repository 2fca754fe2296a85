"""Files that the report reads and writes.

Errors name the damaged file, floats read back bit for bit, and no text is run as a formula by a spreadsheet.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

# Characters that spreadsheets read as the start of a formula: OWASP, "CSV injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table with a header; lines end in a bare newline on every system."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([defused(column) for column in columns])
        writer.writerows([defused(value) for value in row] for row in rows)


def defused(value: object) -> object:
    """Return a float as its shortest exact text, NaN as empty, and text that could be a formula after an apostrophe."""
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(float(value))
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def committed(path: Path) -> str | None:
    """Return the text of a file in the last commit; None if the commit has no such file, or git is not there."""
    if not path.parent.is_dir():
        return None
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def read_json(path: Path, keys: tuple[str, ...], needed: bool = True) -> dict[str, Any]:
    """Read the object in a JSON file; empty where the file is optional and missing."""
    if not needed and not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, f"not JSON ({error})") from None
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing or not isinstance(found, dict):
        raise damaged(path, f"without {', '.join(missing) or 'an object'}")
    return found


def read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read the rows of a CSV file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise damaged(path, f"without the column {', '.join(missing)}")
        rows = list(reader)
    if any(row[column] is None for row in rows for column in columns):
        raise damaged(path, "cut off in the middle of a row")
    return rows


def read_numbers(path: Path, columns: tuple[str, ...]) -> list[tuple[float, ...]]:
    """Read the named columns of a CSV file of numbers, a tuple for each row; none where there is no file."""
    rows = read_rows(path, columns)
    try:
        return [tuple(float(row[column]) for column in columns) for row in rows]
    except ValueError as error:
        raise damaged(path, f"without a number where one is expected ({error})") from None


def read_array(path: Path) -> NDArray[Any] | None:
    """Read the array in a .npy file; None where there is no file."""
    if not path.is_file():
        return None
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise damaged(path, f"not a whole .npy file ({error})") from None
    return found


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays in a .npz file; none where there is no file."""
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    except (ValueError, EOFError, BadZipFile) as error:
        raise damaged(path, f"not a whole .npz file ({error})") from None


def damaged(path: Path, what: str) -> ValueError:
    """Return the error for a file that cannot be read; ``what`` says in which way."""
    return ValueError(f"{path} is {what}; delete its folder and run `dvc repro`, which evaluates the cell again")
