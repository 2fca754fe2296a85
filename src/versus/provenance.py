"""Where a comparison comes from: commit, params, data, seeds, versions, machine. The report prints it."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

LIBRARIES = ("dvc", "mlflow", "numpy", "scipy", "scikit-learn", "torch", "lightning-fabric", "pandas")


def describe_code(root: Path) -> dict[str, Any]:
    """The commit of the code, and whether tracked files differ from it; results that a repro rewrites do not count."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": None}
    changed = _git(root, "status", "--porcelain", "--", ".", ":!reports", ":!dvc.lock", ":!*.gitignore")
    return {"commit": commit, "dirty": bool(changed)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        found = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def describe_versions() -> dict[str, str]:
    """Library -> installed version."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(code: Path, params: Path, seed: int, training: dict[str, str]) -> dict[str, Any]:
    """Everything but the data sets, which the report reads from their own folders.

    Args:
        code: the root of the checkout that ran.
        params: the params file.
        seed: the seed that all randomness starts from.
        training: device and precision as asked for.
    """
    text = params.read_bytes()
    return {
        **describe_code(code),
        "params": text.decode("utf-8"),
        "params_sha256": hashlib.sha256(text).hexdigest(),
        "seed": seed,
        "training": training,
        "versions": describe_versions(),
        "hardware": describe_hardware(),
    }


def describe_hardware() -> dict[str, str | int | None]:
    """Processor model, cores, memory in bytes and the GPU's model where there is one; no host or user names."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": int(psutil.virtual_memory().total),
        "gpu": gpu_name(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def gpu_name() -> str | None:
    """The model of the first NVIDIA GPU, asked of NVML so that torch need not be imported; None where there is none."""
    if not Path("/proc/driver/nvidia").exists():
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0)))
    except pynvml.NVMLError:
        return None
