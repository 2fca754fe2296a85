"""Client of the tracking store, with short time limits for servers and without MLflow's own messages."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from versus.tracking import sqlite
from versus.tracking.destination import Destination

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's defaults would hold a stage for minutes when a server is dead. A user's own settings win.
BRIEF = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
THOROUGH = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password in it
}
TALKATIVE = ("mlflow", "alembic", "urllib3", "sqlalchemy")  # errors also come as exceptions

_set_here: set[str] = set()


def load() -> None:
    """Import the libraries for the store beforehand, so that the seconds this takes do not count as a server's."""
    import versus.tracking.mirror  # noqa: F401


def open_store(to: Destination, *, brief: bool = True) -> MlflowClient:
    """Open a client of the store; create a sqlite store if there is none.

    Args:
        to: the store.
        brief: True to give up on a silent server after seconds, False after minutes.

    Raises:
        OSError: if the store's folder cannot be written.
        ValueError: if its file is no sqlite database.
        mlflow.exceptions.MlflowException: if the store exists and cannot be used.
    """
    for name, value in {**SETTINGS, **(BRIEF if brief else THOROUGH)}.items():
        if name not in os.environ or name in _set_here:
            os.environ[name] = value
            _set_here.add(name)
    import mlflow

    if not os.environ.get("VERSUS_TRACEBACK"):
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    if to.sqlite_file is not None and to.artifacts is not None:
        sqlite.create(to.sqlite_file, to.artifacts)
        sqlite.check(to.sqlite_file)
        sqlite.hurry()
    client: MlflowClient = mlflow.MlflowClient(to.uri, to.uri)
    return client
