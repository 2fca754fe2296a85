"""Destination of runs: tracking URI, names of experiments, location of artifacts; and secrets never to be printed."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

SQLITE = "sqlite:///"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")

SECRET_NAMES = re.compile(r"PASS|TOKEN|SECRET|CREDENTIAL|_KEY$", re.IGNORECASE)
LONGEST_LINE = 300
OFF = ("off", "0", "false", "no")  # as values of VERSUS_TRACKING
SHORTEST_SECRET = 6  # a shorter value would black out ordinary words


@dataclass(frozen=True)
class Destination:
    """A tracking store.

    Args:
        uri: MLflow tracking URI; a sqlite file by its absolute path.
        prefix: prefix of the names of experiments; empty for none.
        root: folder of the default store and its artifacts.
    """

    uri: str
    prefix: str
    root: Path

    @property
    def sqlite_file(self) -> Path | None:
        """Path of the store's file; None for a server."""
        return Path(self.uri.removeprefix(SQLITE)) if self.uri.startswith(SQLITE) else None

    @property
    def artifacts(self) -> str | None:
        """URI under which each experiment gets a folder; None if the server decides."""
        if not self.uri.startswith(DATABASES):
            return None
        beside = self.sqlite_file.parent if self.sqlite_file else self.root
        return (beside / "mlruns").as_uri()

    def experiment(self, dataset: str) -> str:
        """Name of the experiment that holds the runs of a data set."""
        return f"{self.prefix}-{dataset}" if self.prefix else dataset

    def registered_model(self, dataset: str) -> str:
        """Name of the registered model whose versions are a data set's best cells; MLflow allows no / and : in it."""
        return re.sub(r"[/:'\"]", "_", self.experiment(dataset).strip("/"))

    @property
    def comparison(self) -> str:
        """Name of the experiment that holds the reports; no data set's name has a hyphen, so it is unique."""
        return f"{self.prefix or 'versus'}-comparison"


def find(workspace: Path, environ: Mapping[str, str] = os.environ) -> Destination:
    """Find the store that the environment names, else ``mlflow.db`` at the root of the repository.

    Args:
        workspace: the workspace's root. Workspaces of `versus run` share the store of the checkout whose code their
            dvc.yaml names, where they name one, and DVC's temporary experiments that of their repository.
        environ: environment variables; ``MLFLOW_TRACKING_URI`` and, as prefix, ``MLFLOW_EXPERIMENT_NAME`` are read as
            MLflow reads them; a relative sqlite path is relative to the root, not to the current folder.
    """
    root = _repository(_out_of_experiments(workspace.resolve()))
    uri = environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}mlflow.db"
    if uri.startswith(SQLITE):
        uri = SQLITE + (root / uri.removeprefix(SQLITE)).as_posix()
    return Destination(uri, environ.get("MLFLOW_EXPERIMENT_NAME", ""), root)


def _repository(workspace: Path) -> Path:
    """Folder of the checkout whose code a workspace's dvc.yaml runs; the workspace itself where it runs none.

    Code of an installed package lies in that package, where nothing is written.
    """
    try:
        found = re.search(r"(?m)^  - code: ([^#\n]+?)\s*(#.*)?$", (workspace / "dvc.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        return workspace
    code = (workspace / found[1]).resolve() if found else workspace
    return workspace if (code.parent / "__init__.py").is_file() else code


def is_on() -> bool:
    """Check whether tracking is on."""
    return os.environ.get("VERSUS_TRACKING", "on").lower() not in OFF


def is_experiment(workspace: Path) -> bool:
    """Tell if a workspace is a temporary one of ``dvc exp run --queue`` or ``--temp``."""
    return _out_of_experiments(workspace.resolve()) != workspace.resolve()


def _out_of_experiments(root: Path) -> Path:
    """Repository of a folder in ``<repository>/.dvc/tmp/exps/…``, which DVC deletes afterwards; else ``root``."""
    for parent in root.parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return root


def secrets(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return values that must never be printed or logged: credentials in URIs, and values of secret variables."""
    found = {v for k, v in environ.items() if SECRET_NAMES.search(k)}
    for uri in (v for v in environ.values() if "://" in v and "@" in v):
        # Not by a parser of URIs: what a mistake makes unparsable is what libraries put into their messages.
        user, _, password = uri.partition("://")[2].rpartition("@")[0].partition(":")
        secret = password or user
        found |= {secret, *re.split(r"[/?#@:]", secret)}  # the parts, since a parser takes one of them for the host
    forms = {form for value in found for form in (value, quote(value, safe=""), unquote(value))}
    return sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True)


def redact(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Replace every secret in a text, and the user part of every URI, by ``***``."""
    for secret in secrets(environ):
        text = text.replace(secret, "***")
    return re.sub(r"(?<=://)[^/\s'\"]+@", "***@", text)


def in_a_line(error: BaseException) -> str:
    """Describe an exception in one line for a person, without secrets."""
    if os.environ.get("VERSUS_TRACEBACK"):
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr)
    return redact(" ".join(f"{type(error).__name__}: {error}".split()))[:LONGEST_LINE]


def warn(text: str) -> None:
    """Print a one-line warning on standard error, without secrets."""
    print(f"warning: tracking: {redact(text)}", file=sys.stderr, flush=True)
