"""A data set in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from versus.data.dataset import Dataset

_COLUMNS_SHOWN = 40
_CLASSES_SHOWN = 12


def lines(entry: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """What an entry of params.yaml reads: rows, target, columns or pixels, warnings."""
    found = dataset.summary()
    test = f", {found['test_rows']} of them the official test set" if found["test_rows"] else ""
    yield f"{entry['path']}: {entry['source']}, {found['rows']} rows{test}"
    target = dataset.schema.target
    for several in {"classes", "tags"} & found.keys():
        counts = [f"{name} ({count})" for name, count in found[several].items()]
        more = f" and {len(counts) - _CLASSES_SHOWN} more" if len(counts) > _CLASSES_SHOWN else ""
        yield f"{target}: {len(counts)} {several}: {', '.join(counts[:_CLASSES_SHOWN])}{more}"
    if "target" in found:
        yield f"{target}: a number from {found['target']['minimum']:g} to {found['target']['maximum']:g}"
    if "pixels" in found:
        pixels = found["pixels"]
        yield f"images of {'×'.join(map(str, pixels['shape']))} pixels, {pixels['levels']} levels"
    if "tokens" in found:
        tokens = found["tokens"]
        lengths = f"{tokens['shortest']} to {tokens['longest']} in each"
        yield f"texts of {tokens['total']} words, {tokens['different']} different, {lengths}"
    columns = found.get("columns", [])
    width = max((len(column["name"]) for column in columns[:_COLUMNS_SHOWN]), default=0)
    for column in columns[:_COLUMNS_SHOWN]:
        yield f"  {column['name']:{width}}  {_kind(column)}"
    if len(columns) > _COLUMNS_SHOWN:
        yield f"  and {len(columns) - _COLUMNS_SHOWN} more columns"
    yield from (f"warning: {warning}" for warning in found["warnings"])


def _kind(column: dict[str, Any]) -> str:
    missing = f", {column['missing']} missing" if column["missing"] else ""
    if column["kind"] == "categorical":
        return f"{column['categories']} categories{missing}"
    return f"numbers from {column['minimum']:g} to {column['maximum']:g}{missing}"
