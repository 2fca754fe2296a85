"""Data set in MLflow's terms: an input of every run with its hash, and the description of the experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import TensorSpec
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from versus import manifest
from versus.data import findings, prepared
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.metrics import table
from versus.tracking import leaderboard

LONGEST_DIGEST = 36  # MLflow's limit
LONGEST_NOTE = 2000


def digest(folder: Path) -> str:
    """Hash of a prepared data set, from the list of its contents."""
    return manifest.sha256(folder / manifest.NAME)[:LONGEST_DIGEST]


def as_input(folder: Path) -> DatasetInput:
    """Return a prepared data set as the input of a run: its location, hash, columns and size.

    Raises:
        FileNotFoundError: if the data set is not prepared.
    """
    data = prepared.read(folder)
    # From the workspace, not from the file system's root: clones of the repository describe it alike.
    source = get_dataset_source_from_json(json.dumps({"uri": f"data/prepared/{folder.name}"}), "local")
    described = MetaDataset(source, folder.name, digest(folder)).to_dict()  # type: ignore[abstract]
    described["schema"] = json.dumps(_columns(data))
    about = data.schema
    profile = {"rows": len(data.X), "task": about.y.task, "shape": about.shape, "classes": about.n_classes}
    described["profile"] = json.dumps(profile)
    return DatasetInput(Dataset(**described), [InputTag(MLFLOW_DATASET_CONTEXT, "train, validation and test")])


def _columns(data: Prepared) -> dict[str, object]:
    """Columns with their types, as MLflow's pages show them; one tensor for images and sequences."""
    space = data.schema.x
    if not isinstance(space, Table):
        tensor = TensorSpec(np.dtype(np.float64), (-1, *space.shape))
        return {"mlflow_tensorspec": {"features": Schema([tensor]).to_dict()}}
    kinds = {True: DataType.double, False: DataType.string}
    return {"mlflow_colspec": Schema([ColSpec(kinds[c.categories is None], c.name) for c in space.columns]).to_dict()}


def experiment_tags(experiment: str, folder: Path, primary: Mapping[str, str]) -> dict[str, str]:
    """Tags of a data set's experiment: facts about the data, for people (a note) and for searches, and the leaderboard.

    Args:
        experiment: id of the experiment.
        folder: folder of the prepared data set.
        primary: data set or task -> the deciding score, by which the leaderboard is sorted.
    """
    data = prepared.read(folder)
    schema = data.schema
    classes = f", {schema.n_classes} classes ({', '.join(schema.classes)})" if schema.classes else ""
    about = f"{schema.y.task}, {schema.x.describe()}, {len(data.X)} rows{classes}"
    facts = [f"- {key}: {value}" for key, value in data.about.items() if isinstance(value, str | int | float)]
    found = findings.read(folder)
    told = "\n".join([*(f"- finding: {finding}" for finding in found.shown), *facts])
    return {
        "mlflow.note.content": f"[**Leaderboard**]({leaderboard.link(experiment)}) · {about}\n\n{told}"[:LONGEST_NOTE],
        "mlflow.experimentKind": "custom_model_development",  # opens at the runs, not at pages for language models
        leaderboard.TAG: leaderboard.view(schema.y.task, table.primary(primary, schema.y.task, folder.name)),
        "task": schema.y.task,
        "kind": schema.x.form,
        "data_hash": digest(folder),
        "findings": " ".join(dict.fromkeys(finding.code for finding in found.shown)) or "none",
    }
