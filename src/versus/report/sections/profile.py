"""What a data set is: its size, form, classes and splits, as `prepare` found them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from versus.data.targets import Classes, Number
from versus.report import formatting
from versus.report.dataset_results import DatasetResults

NAME, TITLE = "profile", ""
MOST_CLASSES = 12


def content(dataset: DatasetResults) -> dict[str, Any]:
    """The facts."""
    return {"facts": facts(dataset)}


def facts(dataset: DatasetResults) -> list[tuple[str, str]]:
    """(name, value) pairs."""
    prepared = dataset.prepared
    parts = {part: rows.shape[1] for part, rows in prepared.splits.items()}
    splits = ", ".join(f"{formatting.count(n)} {part}" for part, n in parts.items())
    which = "the same test rows each time" if dataset.has_one_test_set else "test rows drawn anew each time"
    many = f"{prepared.repeats} repeats, {which}" if prepared.repeats > 1 else "1 repeat"
    about = prepared.about
    found = [("description", str(about["description"]))] if about.get("description") else []
    found += [
        ("form", dataset.prepared.schema.x.describe()),
        ("task", _task(dataset)),
        ("rows", f"{formatting.count(len(prepared.y))} in all"),
        ("split", f"{splits}; {many}"),
    ]
    absent = _absent(dataset)
    if absent:
        found.append(("no test rows of", absent))
    missing = _missing_values(dataset)
    if missing:
        found.append(("missing values", missing))
    found += [("warning", str(warning)) for warning in about.get("warnings", ())]
    found += [(key, str(about[key])) for key in ("citation", "licence") if about.get(key)]
    return found + sources(about)


def _task(dataset: DatasetResults) -> str:
    schema = dataset.prepared.schema
    if isinstance(schema.y, Number):
        y = dataset.prepared.y
        return f"regression of {schema.target}, mean {y.mean():.4g}, standard deviation {y.std():.4g}"
    counts = np.bincount(dataset.prepared.y, minlength=schema.n_classes)
    named = [f"{name} ({formatting.count(n)})" for name, n in zip(schema.classes, counts, strict=True)]
    more = f" and {len(named) - MOST_CLASSES} more" if len(named) > MOST_CLASSES else ""
    return f"{schema.n_classes} classes: {', '.join(named[:MOST_CLASSES])}{more}"


def _absent(dataset: DatasetResults) -> str:
    """Classes without a row in some repeat's test set."""
    schema = dataset.prepared.schema
    if not isinstance(schema.y, Classes):
        return ""
    fewest = np.min([np.bincount(y, minlength=schema.n_classes) for y in dataset.targets], axis=0)
    return ", ".join(name for name, n in zip(schema.classes, fewest, strict=True) if n == 0)


def _missing_values(dataset: DatasetResults) -> str:
    X = dataset.prepared.X
    if not np.issubdtype(X.dtype, np.floating):
        return ""
    missing = int(np.isnan(X).sum())
    return f"{formatting.count(missing)} ({formatting.percent(missing / X.size)})" if missing else ""


def sources(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The files that the data were read from, with the hash of their content."""
    return [("file", _source(file)) for file in about.get("files") or ()]


def _source(file: Mapping[str, Any]) -> str:
    address = f" from {file['url']}" if "url" in file else ""
    return f"{file['path']}{address}: {formatting.count(file['bytes'])} bytes, SHA-256 {file['sha256']}"
