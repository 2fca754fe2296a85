"""Named arrays in one safetensors file: names, shapes, types and bytes, nothing that could run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array


def write(arrays: Mapping[str, Array], path: Path) -> dict[str, Any]:
    """Write arrays; return their forms, name -> shape and type, which `read` expects.

    Raises:
        ValueError: naming an array that is not finite.
    """
    from safetensors.numpy import save_file

    # np.array and not ascontiguousarray, which would give a single number one dimension
    plain = {name: np.array(arrays[name], order="C") for name in sorted(arrays)}
    _expect_finite(plain)
    save_file(plain, path)
    return _forms(plain)


def read(path: Path, forms: Mapping[str, Any]) -> dict[str, Array]:
    """Read arrays of exactly these names, shapes and types.

    Raises:
        ValueError: where the file is not a safetensors file, or holds other arrays or a value that is not finite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    found = _forms(arrays)
    for name in sorted(forms.keys() | found.keys()):
        if forms.get(name) != found.get(name):
            raise ValueError(f"array {name!r} is {found.get(name)}; {forms.get(name)} was written")
    _expect_finite(arrays)
    return arrays


def _forms(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()}


def _expect_finite(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all():
            count = int((~np.isfinite(array)).sum())
            raise ValueError(f"array {name!r} has {count} values that are not finite")
