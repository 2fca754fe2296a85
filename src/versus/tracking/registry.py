"""MLflow's model registry: one registered model for each data set, its versions the best cells over time.

The alias ``champion`` is the version to use, ``previous`` the one before. A version is known by the hash of the
model's files, so that registering again changes nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from versus.prediction import REPEAT
from versus.tracking import model_package, record
from versus.tracking.content_hash import hash_files
from versus.tracking.mirror import Mirror

CHAMPION, PREVIOUS = "champion", "previous"
MODEL_HASH, CELL = "versus.model_hash", "cell"
FOLDER = "model"  # among the run's artifacts
UNKNOWN = tuple(ErrorCode.Name(code) for code in (RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE))


@dataclass(frozen=True)
class Registered:
    """A version of a registered model: ``models:/<name>/<version>``."""

    name: str
    version: str
    cell: str
    run_id: str

    @classmethod
    def of(cls, found: ModelVersion) -> Registered:
        """From MLflow's own description."""
        return cls(found.name, str(found.version), str(found.tags.get(CELL, "")), str(found.run_id))


def register(mirror: Mirror, cell: str) -> Registered:
    """Make sure that a cell's model is a version of its data set's registered model; moves no alias.

    Raises:
        FileNotFoundError: where the cell is not evaluated.
        versus.models.persistence.PersistenceError: where its model is missing or damaged.
    """
    found = record.read(mirror.workspace, cell)
    folder = mirror.workspace.model(cell) / str(REPEAT)
    model_hash = hash_files([folder])[:32]
    name = mirror.destination.experiment(found.dataset)
    _ensure(mirror, name, found.dataset)
    for version in mirror.client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(MODEL_HASH) == model_hash and version.tags.get(CELL) == cell:
            return Registered.of(version)
    run_id = mirror.cell(found)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / FOLDER
        model_package.write(folder, mirror.workspace.prepared(found.dataset), package)
        mirror.client.log_artifacts(run_id, str(package), FOLDER)
    source = f"{mirror.client.get_run(run_id).info.artifact_uri}/{FOLDER}"
    tags = {MODEL_HASH: model_hash, CELL: cell, "family": found.tags["family"], "data_hash": found.fingerprint[16:]}
    description = f"{found.name}, fitted on the first split of {found.dataset}"
    return Registered.of(mirror.client.create_model_version(name, source, run_id, tags, description=description))


def _ensure(mirror: Mirror, name: str, dataset: str) -> None:
    try:
        mirror.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in UNKNOWN:
            raise
        mirror.client.create_registered_model(name, description=f"The best model of the data set {dataset}.")


def holder(mirror: Mirror, dataset: str, alias: str = CHAMPION) -> Registered | None:
    """The version that an alias points to; None where none does."""
    name = mirror.destination.experiment(dataset)
    try:
        return Registered.of(mirror.client.get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code not in UNKNOWN:
            raise
        return None


def promote(mirror: Mirror, dataset: str, version: str) -> bool:
    """Make a version the champion, and the champion the previous one; False where it is the champion already."""
    name = mirror.destination.experiment(dataset)
    champion = holder(mirror, dataset)
    if champion is not None and champion.version == version:
        return False
    if champion is not None:
        mirror.client.set_registered_model_alias(name, PREVIOUS, champion.version)
    mirror.client.set_registered_model_alias(name, CHAMPION, version)
    return True


def roll_back(mirror: Mirror, dataset: str) -> Registered:
    """Make the previous version the champion again, and the champion the previous one; returns the new champion.

    Raises:
        ValueError: where there is no previous version.
    """
    previous = holder(mirror, dataset, PREVIOUS)
    if previous is None:
        raise ValueError(f"{dataset} has no previous champion: the alias {PREVIOUS!r} points to no version")
    promote(mirror, dataset, previous.version)
    return previous
