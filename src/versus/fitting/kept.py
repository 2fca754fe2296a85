"""Finished fits of a cell, in ``.versus/fits/<cell>/``: a fit that more repeats do not change is not made again.

A fit is known by its key, a hash of everything that it depends on: the stage's fingerprint (arguments, code, versions
of libraries), the seed and the rows of its repeat, and the machine, whose linear algebra decides the last bits. Only
the fits of the last complete training of a cell are kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from versus.arrays import Array, Events, Ragged
from versus.data.prepared import PARTS, Prepared
from versus.fitting import unfinished
from versus.provenance import describe_hardware

KEY = "key"
CHUNK = 4096  # rows that are hashed at a time


def key(stage: bytes, data: Prepared, repeat: int) -> str:
    """Hash everything that one fit of a cell depends on; test rows are not part of it.

    Args:
        stage: the training stage's fingerprint, which holds the cell's parameters and the seed.
        data: the prepared data set.
        repeat: which of its splits.
    """
    digest = hashlib.sha256(stage)
    about = (repeat, data.schema.to_json(), describe_hardware())
    digest.update(json.dumps(about, sort_keys=True).encode())
    for part in PARTS[:2]:
        rows = data.splits[part][repeat]
        for array in (rows, *_contents(data, rows)):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def joined(keys: Mapping[int, str]) -> dict[int, str]:
    """Return keys of fits that are made together, of which each depends on all."""
    whole = "".join(keys.values())
    return {repeat: hashlib.sha256(f"{own} of {whole}".encode()).hexdigest() for repeat, own in keys.items()}


def _contents(data: Prepared, rows: Array) -> Iterator[Array]:
    for start in range(0, len(rows), CHUNK):
        for events in (data.X, data.y, *(() if data.weights is None else (data.weights,))):
            yield from _pieces(events[rows[start : start + CHUNK]])


def _pieces(events: Events) -> tuple[Array, ...]:
    return (events.lengths, events.values) if isinstance(events, Ragged) else (events,)


def mark(fit: Path, of: str) -> None:
    """Write the key of a finished fit into its folder."""
    (fit / KEY).write_text(of, encoding="utf-8")


def available(folder: Path, expected: str) -> dict[str, Path]:
    """Return the kept fits by their keys; none where nothing has changed since they were made.

    Whoever runs a stage again without any change, as by ``dvc repro --force``, wants new fits.

    Args:
        folder: the cell's kept fits.
        expected: fingerprint of the present training (`versus.fitting.unfinished`).
    """
    if unfinished.is_of(folder, expected):
        return {}
    return {path.read_text(encoding="utf-8"): path.parent for path in folder.glob(f"*/{KEY}")}


def take_up(fit: Path, to: Path) -> None:
    """Copy a kept fit to the folder of a repeat, whole or not at all."""
    aside = to.with_name(f"{to.name}.kept")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(fit, aside)
    aside.rename(to)


def keep(workshop: Path, folder: Path) -> None:
    """Keep the finished fits of a workshop in place of those of the training before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    workshop.rename(folder)
