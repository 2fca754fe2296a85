"""Checks of the arrays that a model takes back from a file."""

from __future__ import annotations

from collections.abc import Mapping

from versus.arrays import Array
from versus.data.schema import Schema


def restored_schema(schema: Schema | None) -> Schema:
    """The schema that a model was built with; arrays alone do not say it."""
    if schema is None:
        raise ValueError("set_arrays needs a model that was built with schema=…; this one has None")
    return schema


def check_names(arrays: Mapping[str, Array], names: tuple[str, ...]) -> None:
    """Raise ValueError unless ``arrays`` holds exactly ``names``."""
    if set(arrays) != set(names):
        raise ValueError(f"arrays named {sorted(arrays)} found; {sorted(names)} belong there")


def check_shape(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    """The array ``name``; ValueError where it is missing or has another shape."""
    if name not in arrays or arrays[name].shape != shape:
        found = arrays[name].shape if name in arrays else "missing"
        raise ValueError(f"array {name!r} is {found}; shape {shape} is needed")
    return arrays[name]
