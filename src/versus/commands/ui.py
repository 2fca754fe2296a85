"""``versus ui``: serve MLflow's pages of the project's store, on loopback only."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from versus import params as parameters
from versus.params import ParamsError
from versus.tracking import destination
from versus.tracking.destination import Destination
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1 (default: 5000)")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Print the address of the pages, and serve them until interrupted; returns MLflow's exit code."""
    workspace = Workspace(options.workspace)
    store = destination.find(workspace.root)
    if store.uri.startswith(("http://", "https://")):
        from versus.tracking.experiments import server_address

        address = server_address(store.uri)
        print(f"The runs are on a server, which has pages of its own: {address}")
        print_links(store, address, workspace)
        return 0
    if store.sqlite_file and not store.sqlite_file.is_file():
        fill(workspace)
    address = f"http://127.0.0.1:{options.port}"
    print(f"{address} (Ctrl-C ends it)", flush=True)
    print_links(store, address, workspace)
    return serve(store, options.port)


def fill(workspace: Workspace) -> None:
    """Make the store from the results that are here; results that DVC brought back from its cache ran no stage.

    Raises:
        ValueError: if there are no results.
    """
    if not any((workspace.reports / "evaluations").glob("*/evaluation.json")):
        raise ValueError("there are no results here yet; `versus repro` makes them, `dvc pull` fetches them")
    from versus.commands import sync  # loads the report

    print("There is no store yet: logging the results that are here.", flush=True)
    sync.run(argparse.Namespace(workspace=workspace.root))


def print_links(store: Destination, address: str, workspace: Workspace) -> None:
    """Print the addresses of each data set's leaderboard and of the newest report, or the reason why there are none."""
    from versus.tracking.experiments import links

    try:
        params = parameters.read(workspace.params)
        for what, path in links(store, [*params.datasets, *params.files]):
            print(f"  {what}: {address}/{path}", flush=True)
    except ParamsError as error:
        print(f"  no links, since params.yaml cannot be read: {error}", flush=True)
    except Exception as error:  # any error of a store; MLflow's own messages follow
        reason = destination.redact(" ".join(f"{type(error).__name__}: {error}".split()))
        print(f"  no links, since the store does not answer: {reason}", flush=True)


def serve(store: Destination, port: int) -> int:
    """Run MLflow's server until it ends or this process is told to end; returns its exit code."""
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    if entry_points(group="mlflow.app", name="versus"):  # not where the package is on the path without being installed
        command += ["--app-name", "versus"]
    if store.artifacts:
        command += ["--default-artifact-root", store.artifacts]
    environment = {
        **os.environ,
        # Not as an argument: a database's URI can contain a password, and every user can see arguments.
        "MLFLOW_BACKEND_STORE_URI": store.uri,
        # Reading runs needs neither MLflow's job workers nor its telemetry.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert server.stdout is not None
    try:
        for line in server.stdout:
            sys.stdout.write(destination.redact(line))
            sys.stdout.flush()
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()
