"""Stages as jobs for workers: the command of each, the modules that it imports, and whether it uses a GPU."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

from versus.tracking import destination

STAGE = re.compile(r"python -m (?:stages\.|versus\.stage )(\w+)((?: [\w@.,=:/+-]+)*)")

# Modules to load while stages run. A worker can be started only between two of them, so large ones come in parts.
TRACKING = ("pandas", "sqlalchemy.orm", "alembic.migration", "fastapi", "mlflow", "versus.tracking.mirror")
TORCH = ("torch", "torch._dynamo")
FOR_EVALUATIONS = ("versus.evaluation", "sklearn.metrics")
FITS = ("versus.data.preparation", "versus.fitting.cell")


def for_a_few(*, compared: bool) -> tuple[str, ...]:
    """Return the modules to load ahead of a few evaluations, and of the comparison after them."""
    tracking = (*TRACKING, "versus.tracking.champions") if destination.is_on() else ()
    return (*FOR_EVALUATIONS, "versus.report", *tracking) if compared else FOR_EVALUATIONS


def for_everything() -> tuple[str, ...]:
    """Return all that any stage may import, in the order in which stages need it."""
    return (*FITS, *FOR_EVALUATIONS, *TORCH, *(TRACKING if destination.is_on() else ()), "versus.*")


def command(stage: Any) -> dict[str, Any]:
    """Return what to run: ``module`` and ``arguments`` of one of our stages, otherwise a ``shell`` command."""
    found = STAGE.fullmatch(stage.cmd) if isinstance(stage.cmd, str) else None
    if found is None:
        commands = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
        return {"shell": f"cd {shlex.quote(stage.wdir)} && " + " && ".join(commands)}
    return {"module": f"stages.{found[1]}", "arguments": found[2].split()}


def is_ours(stage: Any) -> bool:
    """Check whether a stage runs one of our modules."""
    return isinstance(stage.cmd, str) and STAGE.fullmatch(stage.cmd) is not None


def needs(stage: Any, *, logged: bool) -> list[str]:
    """Return the large modules that a stage is known to import.

    Args:
        stage: the stage.
        logged: True if an evaluation is to write its MLflow run itself, not leave it to the comparison.
    """
    kind = stage.addressing.partition("@")[0]
    if kind.startswith("prepare"):
        return ["versus.data.preparation"]
    if kind.startswith("train"):
        return ["versus.fitting.cell", *_torch(stage)]
    if kind.startswith("extractor"):
        return ["versus.fitting.cell", "versus.evaluation"]
    if kind.startswith("evaluate"):
        return ["versus.evaluation", *_torch(stage), *(TRACKING if logged else ())]
    return []


def uses_gpu(stage: Any) -> bool:
    """Check whether a stage's model uses torch."""
    return bool(_torch(stage))


def _torch(stage: Any) -> list[str]:
    """List torch, where the stage's fingerprint lists it."""
    kind, _, name = stage.addressing.partition("@")
    path = Path("data/fingerprints") / f"{kind.partition('_')[0]}-{name}.txt"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [*TORCH] if "\ntorch==" in text else []


def gpus() -> tuple[str, ...]:
    """Return the NVIDIA GPUs that may be used, as reported by their driver, without initialising CUDA."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(filter(None, chosen.split(",")))
    if not Path("/proc/driver/nvidia").exists():
        return ()
    import pynvml

    try:
        pynvml.nvmlInit()
        return tuple(map(str, range(pynvml.nvmlDeviceGetCount())))
    except pynvml.NVMLError:
        return ()
