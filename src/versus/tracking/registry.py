"""Registry of MLflow's models: one registered model for each data set, its versions the best cells over time.

The alias ``champion`` marks the version to use, ``challenger`` the best cell of the last comparison, ``previous`` the
champion before. A version holds the cell's model, fitted again on all rows (`versus.fitting.refit`); it is identified
by the hash of the measured model's files and of its test rows, so that registering again changes nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)

from versus import manifest
from versus.data import prepared
from versus.fitting.refit import fit_on_all_rows
from versus.metrics import table
from versus.models import persistence
from versus.report import formatting
from versus.serving import card
from versus.serving import package as model_package
from versus.serving.prediction import REPEAT
from versus.settings import Cell, Comparison
from versus.tracking import record, run_log
from versus.tracking.answers import CHALLENGER, CHAMPION, PREVIOUS, Registered, Standing
from versus.tracking.mirror import Mirror
from versus.workspace import Workspace

MODEL_HASH, TEST_HASH, CELL, ROLLED_BACK = "versus.model_hash", "test_hash", "cell", "versus.rolled_back"
FITTED_ON = "fitted_on"
EVALUATION = "evaluation/evaluation.json"
ANSWERS = ("evaluation/predictions.npy", "evaluation/rows.npz")  # which of them depends on the task
TRACKING_URI = "MLFLOW_TRACKING_URI"
SCORES = "evaluation/scores.csv"
UNKNOWN = tuple(ErrorCode.Name(code) for code in (RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE))


def _version(found: ModelVersion) -> Registered:
    cell, rolled_back = str(found.tags.get(CELL, "")), ROLLED_BACK in found.tags
    fitted_on = str(found.tags.get(FITTED_ON, ""))
    return Registered(found.name, str(found.version), cell, str(found.run_id), rolled_back, fitted_on)


class Candidate:
    """Model of a cell that may be added to the registry.

    Raises:
        FileNotFoundError: if the cell is not evaluated.
        versus.models.persistence.PersistenceError: if its model is missing or damaged.
    """

    def __init__(self, workspace: Workspace, cell: Cell, comparison: Comparison) -> None:
        self.record = record.read(workspace, cell, comparison.confidence)
        self._workspace, self._comparison = workspace, comparison
        self._fitted_on = ""
        self._saved = workspace.model(cell.name) / str(REPEAT)
        self._data = workspace.prepared(cell.dataset)
        self.tags = {
            CELL: cell.name,
            MODEL_HASH: manifest.digest(persistence.files(self._saved))[:32],
            TEST_HASH: self.record.tags.get(TEST_HASH, ""),
        }

    def find(self, mirror: Mirror) -> Registered | None:
        """Return the version with this model, measured on these test rows; None if there is none yet."""
        name = mirror.destination.registered_model(self.record.cell.dataset)
        for version in mirror.client.search_model_versions(f"name = '{name}'"):
            if all(version.tags.get(key, "") == value for key, value in self.tags.items()):
                return _version(version)
        return None

    def write(self, out: Path) -> None:
        """Fit the model on all rows; write the package that MLflow loads, and its card, to a new folder."""
        with tempfile.TemporaryDirectory() as scratch:
            data = prepared.read(self._data)
            saved, self._fitted_on = fit_on_all_rows(self._saved, data, self.record.cell, Path(scratch))
            model_package.write(saved, self._data, out)
        text = card.render(self._workspace, self.record.cell, self._comparison.confidence, self._fitted_on)
        (out / card.NAME).write_text(text, encoding="utf-8")

    def _about(self) -> str:
        """Say what the model was fitted on, and whose score stands for its own."""
        cell, of = self.record.cell, self.record
        primary = table.primary(self._comparison.primary, of.tags["task"], cell.dataset)
        mean = next((point.value for point in of.scores if point.key == primary), None)
        score = f"{table.label(primary)} {formatting.score(mean)}, {of.intervals.get(primary, 'without an interval')}"
        fits = f"{of.params['repeats']} fits on {of.params.get('n_train', 'fewer')} rows"
        measured = f"Measured: {score}, of {fits}, on rows kept from each."
        return f"{cell.model}, fitted on {self._fitted_on}. {measured} Its card is {card.NAME} among its artifacts."

    def add(self, mirror: Mirror, package: Path) -> Registered:
        """Add the model as a version of its data set's registered model; move no alias."""
        cell = self.record.cell
        name = mirror.destination.registered_model(cell.dataset)
        _ensure(mirror, name, cell.dataset)
        run_id = mirror.cell(self.record)
        model = run_log.model_of(mirror.client.get_run(run_id))
        assert model is not None, f"the run {run_id} has no model"
        source = run_log.add_model_files(mirror.client, model, str(package))
        tags = {**self.tags, "family": cell.group_name, "data_hash": self.record.fingerprint[16:]}
        tags[FITTED_ON] = self._fitted_on
        with _as_default(mirror.destination.uri):
            added = mirror.client.create_model_version(
                name, source, run_id, tags, description=self._about(), model_id=model.model_id
            )
        return _version(added)


@contextmanager
def _as_default(uri: str) -> Iterator[None]:
    """Make a store MLflow's default: its registry looks for a version's model there, whatever store the client has."""
    before, told = mlflow.get_tracking_uri(), os.environ.get(TRACKING_URI)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(TRACKING_URI, None)
        if told is not None:
            os.environ[TRACKING_URI] = told


def _ensure(mirror: Mirror, name: str, dataset: str) -> None:
    try:
        mirror.client.create_registered_model(name, description=f"The best model of the data set {dataset}.")
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def challenge(mirror: Mirror, dataset: str, found: Registered) -> Standing:
    """Make a version the challenger of its data set, and also the champion if there is none."""
    before = standing(mirror, dataset)
    if before.challenger != found:
        mirror.client.set_registered_model_alias(found.name, CHALLENGER, found.version)
    if before.champion is None:
        mirror.client.set_registered_model_alias(found.name, CHAMPION, found.version)
    return Standing(found, before.champion or found, before.previous)


def standing(mirror: Mirror, dataset: str) -> Standing:
    """Return the versions that hold the aliases of a data set."""
    return Standing(*(holder(mirror, dataset, alias) for alias in (CHALLENGER, CHAMPION, PREVIOUS)))


def holder(mirror: Mirror, dataset: str, alias: str = CHAMPION) -> Registered | None:
    """Return the version that an alias points to; None if there is none."""
    name = mirror.destination.registered_model(dataset)
    try:
        return _version(mirror.client.get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code not in UNKNOWN:
            raise
        return None


def promote(mirror: Mirror, dataset: str, version: str, champion: str | None = None) -> Standing:
    """Make a version the champion, and the champion the previous one; change nothing if it is the champion already.

    Args:
        mirror: mirror to the store.
        dataset: name of the data set.
        version: the version to promote.
        champion: the version that must be the champion until now; None for any.

    Raises:
        ValueError: if another version is the champion.
    """
    name = mirror.destination.registered_model(dataset)
    found = holder(mirror, dataset)
    if found is not None and found.version != version:
        if champion is not None and found.version != champion:
            raise ValueError(
                f"version {found.version} ({found.cell}) became the champion of {dataset} meanwhile; run the gate again"
            )
        mirror.client.set_registered_model_alias(name, PREVIOUS, found.version)
    if found is None or found.version != version:
        mirror.client.set_registered_model_alias(name, CHAMPION, version)
    return standing(mirror, dataset)


def roll_back(mirror: Mirror, dataset: str) -> Standing:
    """Make the previous version the champion again, and the champion the previous one, marked as rolled back.

    Raises:
        ValueError: if there is no previous version.
    """
    found = standing(mirror, dataset)
    if found.previous is None or found.previous == found.champion:
        raise ValueError(f"{dataset} has no previous champion: the alias {PREVIOUS!r} points to no other version")
    if found.champion is not None:
        mirror.client.set_model_version_tag(found.champion.name, found.champion.version, ROLLED_BACK, "yes")
    if found.previous.rolled_back:
        mirror.client.delete_model_version_tag(found.previous.name, found.previous.version, ROLLED_BACK)
    return promote(mirror, dataset, found.previous.version)


def fetch_evaluation(mirror: Mirror, version: Registered, out: Path) -> None:
    """Copy a version's `EVALUATION`, `SCORES` and `ANSWERS` from its run's artifacts to the folder ``out``.

    Raises:
        FileNotFoundError: if the run or its artifacts are gone.
    """
    out.mkdir(parents=True, exist_ok=True)
    try:
        kept = {item.path for item in mirror.client.list_artifacts(version.run_id, "evaluation")}
    except MlflowException as error:
        if error.error_code not in UNKNOWN:
            raise
        kept = set()
    if EVALUATION not in kept or not kept.intersection(ANSWERS):
        mend = f"without the alias {CHAMPION!r} of {version.name}, the next challenger becomes the champion"
        raise FileNotFoundError(f"the evaluation of the run {version.run_id} is no longer in MLflow; {mend}")
    for path in sorted(kept.intersection((EVALUATION, SCORES, *ANSWERS))):
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy(mirror.client.download_artifacts(version.run_id, path, scratch), out)
