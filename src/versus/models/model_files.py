"""Files of a fitted model that run no code when they are read.

Named arrays stand in one safetensors file: names, shapes, types and bytes. scikit-learn estimators stand in skops
files, a zip with one ``schema.json``, a tree of types and attributes, and one member an array; skops reads it without
pickle and builds only types named as trusted. Equal estimators make equal bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from versus.arrays import Array


def write_arrays(arrays: Mapping[str, Array], path: Path) -> dict[str, Any]:
    """Write arrays; return their forms, name -> shape and type, which `read` expects.

    Raises:
        ValueError: naming an array that is not finite.
        OSError: where the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # np.array and not ascontiguousarray, which would give a single number one dimension
    plain = {name: np.array(arrays[name], order="C") for name in sorted(arrays)}
    _expect_finite(plain)
    try:
        save_file(plain, path)
    except SafetensorError as error:  # a full disk, which is no fault of the model
        raise OSError(f"{path} cannot be written: {error}") from error
    return _forms(plain)


def read_arrays(path: Path, forms: Mapping[str, Any]) -> dict[str, Array]:
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


_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can state


def skops_io() -> Any:
    """Import `skops.io` without the slow part of its import.

    On import it walks all of scikit-learn to trust every public estimator: 3 of its 5 seconds, for a list that is
    wider than wanted here. With an empty walk it trusts no estimator that is not named.
    """
    import sklearn.utils

    with mock.patch.object(sklearn.utils, "all_estimators", return_value=[]):
        import skops.io
    return skops.io


def write_estimator(estimator: Any, path: Path) -> None:
    """Write a fitted estimator; its bytes depend on its values only."""
    written = skops_io().dumps(estimator)
    path.write_bytes(_canonical(written))


def read_estimator(path: Path, trusted: Sequence[str]) -> Any:
    """Read an estimator back, building no type but those in ``trusted``.

    Raises:
        ValueError: where a member is compressed (a small file could fill the memory), or memory ids clash.
        Exception: of any other kind from skops, zipfile or numpy, on a file that is not what `dump` wrote.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(m.compress_type != zipfile.ZIP_STORED or m.file_size != m.compress_size for m in members):
            raise ValueError("a member is compressed; this program stores them as they are")
        if len({m.filename for m in members}) != len(members):
            raise ValueError("two members have the same name")
    return skops_io().load(path, trusted=list(trusted))


def untrusted_types(path: Path, trusted: Sequence[str]) -> list[str]:
    """List the types in a file of an estimator that `read_estimator` would not build."""
    return sorted(set(skops_io().get_untrusted_types(file=path)) - set(trusted))


def count_numbers(path: Path) -> int:
    """Number of values in the arrays of a file; a record counts its fields."""
    total = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".npy"):
                continue
            with archive.open(name) as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(member)
            total += int(np.prod(shape)) * len(dtype.fields or (None,))
    return total


def _canonical(written: bytes) -> bytes:
    """Return the same file without what differs from run to run: memory addresses, random names, times."""
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        tree = json.loads(archive.read("schema.json"))
        names: dict[str, str] = {}
        _renumber(tree, {}, names)
        content = {new: _without_padding(archive.read(old), new) for old, new in names.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [("schema.json", json.dumps(tree, separators=(",", ":")).encode()), *content.items()]:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()


def _without_padding(data: bytes, name: str) -> bytes:
    """An array of records with zeros between their fields, where compiled code leaves what the memory held."""
    if not name.endswith(".npy"):
        return data
    records = np.load(io.BytesIO(data), allow_pickle=False)
    if records.dtype.fields is None:
        return data
    clean = np.zeros(records.shape, records.dtype)  # zeros_like would leave the padding as it found it
    for field in records.dtype.fields:
        clean[field] = records[field]
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, np.lib.format.header_data_from_array_1_0(clean))
    records_as_bytes: bytes = clean.tobytes()  # np.save would copy field by field, and leave new padding
    return buffer.getvalue() + records_as_bytes


def _renumber(node: Any, ids: dict[int, int], names: dict[str, str]) -> None:
    """Replace ids (addresses of objects) and file names (made from them) by their order of appearance, in place."""
    if isinstance(node, list):
        for child in node:
            _renumber(child, ids, names)
        return
    if not isinstance(node, dict):
        return
    if node.get("__loader__") == "JsonNode":
        # whether two equal strings or numbers are one object is up to the interpreter, and means nothing
        node.pop("__id__", None)
    elif isinstance(node.get("__id__"), int):
        node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
    if "__loader__" in node and isinstance(node.get("file"), str):
        suffix = Path(node["file"]).suffix
        node["file"] = names.setdefault(node["file"], f"{len(names)}{suffix}")
    for child in node.values():
        _renumber(child, ids, names)
