"""The data set in MLflow's terms: an input of every run with its hash, and the description of the experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.entities import Dataset as DatasetEntity
from mlflow.entities import DatasetInput, InputTag
from mlflow.types import ColSpec, DataType
from mlflow.types import Schema as MlflowSchema
from mlflow.types.schema import TensorSpec
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from versus.data import prepared
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.tracking import leaderboard
from versus.tracking.content_hash import hash_files

LONGEST_DIGEST = 36  # MLflow's limit
LONGEST_NOTE = 2000


class PreparedDataset(Dataset):
    """A prepared data set as MLflow's lineage shows it: where it lies, its hash, columns and size."""

    def __init__(self, name: str, folder: Path) -> None:
        """Describe the data set ``name`` in ``folder``.

        Raises:
            FileNotFoundError: if it is not prepared.
        """
        self._folder = folder
        self._about = read_schema(folder)
        # From the workspace, not from the file system's root: clones of the repository describe it alike.
        source = get_dataset_source_from_json(json.dumps({"uri": f"data/prepared/{name}"}), "local")
        super().__init__(source, name, hash_files([folder])[:LONGEST_DIGEST])

    def _compute_digest(self) -> str:
        return hash_files([self._folder])[:LONGEST_DIGEST]

    @property
    def schema(self) -> MlflowSchema:
        """Columns with their types; for images one tensor."""
        if not isinstance(self._about.x, Table):
            return MlflowSchema([TensorSpec(np.dtype(np.float64), (-1, *self._about.shape))])
        kinds = {True: DataType.double, False: DataType.string}
        return MlflowSchema([ColSpec(kinds[c.categories is None], c.name) for c in self._about.columns])

    @property
    def profile(self) -> dict[str, Any]:
        """How large it is."""
        about = self._about
        return {"rows": _rows(self._folder), "task": about.y.task, "shape": about.shape, "classes": about.n_classes}

    def to_dict(self) -> dict[str, str]:
        """As MLflow's store keeps it: schema and profile as JSON."""
        columns = self.schema.to_dict()
        is_table = isinstance(self._about.x, Table)
        schema = {"mlflow_colspec": columns} if is_table else {"mlflow_tensorspec": {"features": columns}}
        return {**super().to_dict(), "schema": json.dumps(schema), "profile": json.dumps(self.profile)}

    def as_input(self) -> DatasetInput:
        """The input of a run."""
        entity = DatasetEntity(**self.to_dict())
        return DatasetInput(entity, [InputTag(MLFLOW_DATASET_CONTEXT, "train, validation and test")])


def read_schema(folder: Path) -> Schema:
    """The schema of a prepared data set."""
    return Schema.from_json(json.loads((folder / "schema.json").read_text(encoding="utf-8")))


def _rows(folder: Path) -> int:
    return len(prepared.read(folder).X)


def experiment_tags(
    experiment: str, name: str, folder: Path, about: Mapping[str, Any], primary: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Tags of a data set's experiment: what the data is, for people (a note) and for searches, and the leaderboard.

    Args:
        experiment: id of the experiment.
        name: of the data set.
        folder: where it lies, prepared.
        about: what `prepare` noted.
        primary: task -> the deciding score, which the leaderboard is sorted by; the usual ones where None.
    """
    schema = read_schema(folder)
    size = f"{schema.x.describe()}, {_rows(folder)} rows"
    classes = f", {schema.n_classes} classes ({', '.join(schema.classes)})" if schema.classes else ""
    facts = "\n".join(f"- {key}: {value}" for key, value in about.items() if isinstance(value, str | int | float))
    note = f"[**Leaderboard**]({leaderboard.link(experiment)}) · {schema.y.task}, {size}{classes}\n\n{facts}"
    return {
        "mlflow.note.content": note[:LONGEST_NOTE],
        "mlflow.experimentKind": "custom_model_development",  # opens at the runs, not at pages for language models
        leaderboard.TAG: leaderboard.view(schema.y.task, (primary or {}).get(schema.y.task)),
        "task": schema.y.task,
        "kind": schema.x.form,
        "data_hash": hash_files([folder])[:LONGEST_DIGEST],
    }
