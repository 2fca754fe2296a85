"""What machine this is: the report's provenance, written down where the measuring happens."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil


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
