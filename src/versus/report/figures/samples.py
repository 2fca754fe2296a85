"""Generated samples: images on a sheet, other events as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.schema import Schema
from versus.data.spaces import Series, Tokens
from versus.report import formatting
from versus.report.figures.pixels import png, sheet, to_bytes

SAMPLE_PIXELS = 48  # approximate size of one sample as drawn


def image_sheet(images: Any, labels: Any, schema: Schema, most: int) -> bytes:
    """Draw a PNG of at most ``most`` images (n, H, W[, C]), evenly chosen and sorted by class."""
    order = np.argsort(labels, kind="stable")[:: max(1, math.ceil(len(images) / most))]
    chosen = to_bytes(images[order], schema.levels)
    return png(sheet(chosen, math.ceil(math.sqrt(len(chosen)))), max(1, SAMPLE_PIXELS // max(schema.shape[:2])))


def columns(schema: Schema) -> tuple[str, ...]:
    """Return the names of the values that `values` gives."""
    if isinstance(schema.x, Tokens):
        return ("text",)
    if isinstance(schema.x, Series):
        return ("steps", *(f"{column.name}, mean" for column in schema.columns))
    return tuple(column.name for column in schema.columns)


def values(event: NDArray[Any], schema: Schema, number: Callable[[float], str] = formatting.compact) -> tuple[str, ...]:
    """Return an event's values as text, numbers formatted by ``number``; missing values are empty, tokens one text.

    Of a sequence of rows there are the number of its steps and the means of its columns.
    """
    if isinstance(schema.x, Tokens):
        return (schema.x.text(event),)
    if isinstance(schema.x, Series):
        return (str(len(event)), *map(number, event.mean(axis=0)))
    pairs = zip(event, schema.columns, strict=True)
    return tuple(_value(float(v), column.categories, number) for v, column in pairs)


def _value(value: float, categories: tuple[str, ...] | None, number: Callable[[float], str]) -> str:
    if not math.isfinite(value):
        return ""
    return number(value) if categories is None else categories[int(value)]


def label(found: Any, schema: Schema, number: Callable[[float], str] = formatting.compact) -> str:
    """Return a class name, tags, a tree, or a value of the target; empty for a generator without classes (-1)."""
    return schema.y.written(found, number)
