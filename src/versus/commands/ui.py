"""``python -m versus ui``: MLflow's pages over the project's store, bound to loopback."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from versus.tracking import destination


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1 (default: 5000)")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; returns MLflow's exit code."""
    store = destination.find(Path())
    if store.uri.startswith(("http://", "https://")):
        print(f"The runs are on a server, which has pages of its own: {destination.redact(store.uri)}")
        return 0
    if store.sqlite_file and not store.sqlite_file.is_file():
        raise ValueError(f"{store.sqlite_file} does not exist yet; `make repro` makes it")
    print(f"http://127.0.0.1:{options.port} (Ctrl-C ends it)", flush=True)
    command = ["-m", "mlflow", "ui", "--backend-store-uri", store.uri, "--host", "127.0.0.1"]
    command += ["--port", str(options.port), "--workers", "1"]
    if store.artifacts:
        command += ["--default-artifact-root", store.artifacts]
    # A reader of runs needs neither MLflow's job workers nor its telemetry.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    try:
        return subprocess.run([sys.executable, *command], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
