"""An unfinished fit as one safetensors file: written whole or not at all, checked when read, never unpickled."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from versus.arrays import Array


@dataclass(frozen=True)
class Checkpoint:
    """A training state, the history that led to it as text, and the fit that it belongs to."""

    state: Mapping[str, Array]
    history: str
    made_for: str


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint aside, flush it to the disk, and rename it: a kill leaves the old file or the new one."""
    metadata = {"history": checkpoint.history, "made_for": checkpoint.made_for}
    metadata["digest"] = _digest(checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with aside.open("wb") as file:
        file.write(save({name: np.asarray(array, order="C") for name, array in checkpoint.state.items()}, metadata))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read(path: Path, made_for: str) -> Checkpoint | None:
    """Read the checkpoint in ``path``; None where there is none to resume from.

    A file that is damaged, or of another model, other arguments or other data, is ignored with a warning.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
        checkpoint = Checkpoint(state, metadata["history"], metadata["made_for"])
        damaged = metadata["digest"] != _digest(checkpoint)
    except (SafetensorError, OSError, KeyError, ValueError):
        damaged = True
    if damaged:
        warnings.warn(f"{path} is damaged; training starts from the first epoch", stacklevel=2)
        return None
    if checkpoint.made_for != made_for:
        warnings.warn(
            f"{path} is of {checkpoint.made_for}, not of {made_for}; training starts from the first epoch", stacklevel=2
        )
        return None
    return checkpoint


def _digest(checkpoint: Checkpoint) -> str:
    """Hash everything in the file: safetensors itself would not notice a flipped bit in an array."""
    digest = hashlib.sha256(repr((checkpoint.history, checkpoint.made_for)).encode())
    for name, array in sorted(checkpoint.state.items()):
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(np.asarray(array, order="C").tobytes())
    return digest.hexdigest()
