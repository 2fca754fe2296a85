"""Provenance of a comparison: commit, params, data, seeds, versions, machine. The report prints it."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

# What a repro itself rewrites does not make its tree dirty.
MADE_BY_STAGES = tuple(f":(top,exclude,glob)**/{name}" for name in ("dvc.lock", "reports/**", ".gitignore"))
LIBRARIES = ("dvc", "mlflow", "numpy", "scipy", "scikit-learn", "torch", "pandas")


def describe_code(root: Path) -> dict[str, Any]:
    """Describe the checked-out commit, None outside git, and tell if any tracked or unignored file differs."""
    command = ["git", "status", "--porcelain=v2", "--branch", "--", ":/", *MADE_BY_STAGES]
    # A status that refreshes the index would briefly take git's lock from the user.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        found = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    lines = found.splitlines()
    commits = [line.split()[2] for line in lines if line.startswith("# branch.oid")]
    if not commits or commits[0] == "(initial)":
        return {"commit": None, "dirty": None}
    return {"commit": commits[0], "dirty": any(not line.startswith("#") for line in lines)}


def describe_versions() -> dict[str, str]:
    """Map each library to its installed version."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(code: Path, params: Path, seed: int, training: dict[str, str]) -> dict[str, Any]:
    """Describe everything except the data sets, which the report reads from their own folders.

    Args:
        code: root of the checkout that ran.
        params: the params file.
        seed: seed of all randomness.
        training: requested device and precision.
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
    """Describe processor, linear algebra, cores, memory in bytes and the GPU if there is one; no host or user names."""
    return {
        "processor": _processor(),
        "blas": blas_kernels(),
        "cores": os.cpu_count(),
        "memory_bytes": int(psutil.virtual_memory().total),
        "gpu": gpu_name(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def blas_kernels() -> str:
    """Return the kernels that numpy's linear algebra runs, such as "openblas Haswell": they decide the last bits."""
    import numpy  # noqa: F401 - it loads the library that is looked for
    from threadpoolctl import threadpool_info

    found = {f"{lib['internal_api']} {lib['architecture']}" for lib in threadpool_info() if "architecture" in lib}
    return ", ".join(sorted(found)) or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def gpu_name() -> str | None:
    """Return the model of the first NVIDIA GPU, from NVML so that torch is not imported; None if there is none."""
    if not Path("/proc/driver/nvidia").exists():
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0)))
    except pynvml.NVMLError:
        return None
