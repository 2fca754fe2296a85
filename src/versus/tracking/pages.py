"""Addresses of the pages that people look for in MLflow: each data set's leaderboard, and the newest report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from versus.tracking import leaderboard
from versus.tracking.destination import Destination
from versus.tracking.run_log import CURRENT
from versus.tracking.store import open_store


def server_address(uri: str) -> str:
    """Address of a tracking server's pages, without credentials, which a browser asks for.

    Raises:
        ValueError: if the URI names no host or no valid port.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None  # what the parser says of it may be a part of the password
    if not host:
        advice = "in a user name or password, / @ : are written %2F %40 %3A"
        raise ValueError(f"MLFLOW_TRACKING_URI has no host and port that can be read; {advice}") from None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def links(to: Destination, datasets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the title of each page and its address without the server's part; nothing for pages not logged yet.

    Args:
        to: the store; a sqlite file is created if it does not exist.
        datasets: names, from params.yaml.

    Raises:
        OSError, ValueError, mlflow.exceptions.MlflowException: if the store cannot be read.
    """
    client = open_store(to)
    for dataset in datasets:
        found = client.get_experiment_by_name(to.experiment(dataset))
        if found is not None and found.lifecycle_stage == "active":
            yield f"models of {dataset}", leaderboard.link(found.experiment_id)
    found = client.get_experiment_by_name(to.comparison)
    if found is None or found.lifecycle_stage != "active":
        return
    condition = f"tags.`{CURRENT}` = 'yes'"
    for run in client.search_runs([found.experiment_id], condition, max_results=1):  # the newest first
        yield "newest report", f"#/experiments/{found.experiment_id}/runs/{run.info.run_id}/artifacts/report.html"
