"""Small workspaces as the stages leave them, with real models' numbers, and the runs that a store has of them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.settings import Cell
from versus.tracking import record
from versus.tracking.record import CellRecord
from versus.workspace import Workspace

if TYPE_CHECKING:  # loading MLflow takes seconds
    from mlflow.entities import Run

    from versus.tracking.mirror import Mirror

CELL = "flowers-vae"
CLASSES = ("setosa", "versicolor", "virginica")
N_TEST, REPEATS = 30, 3


def make_dataset(workspace: Workspace, dataset: str = "flowers") -> Schema:
    """A prepared table of 150 rows, two numeric columns and a categorical one."""
    rng = np.random.default_rng(0)
    schema = Schema(
        Table((Column("length"), Column("width"), Column("colour", ("blue", "red")))), Classes(CLASSES, "species")
    )
    order = np.stack([rng.permutation(150) for _ in range(REPEATS)])
    parts = {"train": order[:, :90], "validation": order[:, 90:120], "test": order[:, 120:]}
    splits = {part: Ragged.of(rows) for part, rows in parts.items()}
    X = np.column_stack([rng.normal(size=(150, 2)), rng.integers(0, 2, 150)])
    data = Prepared(X, np.arange(150) % 3, schema, splits, {"source": "embedded", "name": dataset})
    prepared.write(workspace.prepared(dataset), data)
    return schema


def a_cell(name: str = CELL) -> Cell:
    """A cell's line of params.yaml."""
    args = {"n_latent": 2, "hidden_layer_sizes": [32, 32], "likelihood": "gaussian", "beta": 1.0}
    return Cell(name, name.split("-")[0], "deep_generative", "vae", "VAE", args)


def make_failed(workspace: Workspace, cell: str = CELL, reason: str = "FloatingPointError: loss is nan") -> None:
    """The files of a cell that failed; the data set is made where there is none."""
    dataset = cell.split("-")[0]
    if not workspace.prepared(dataset).is_dir():
        make_dataset(workspace, dataset)
    folder = workspace.evaluation(cell)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "failed.json").write_text(json.dumps({"reason": reason, "where": "training", "repeat": 1}))


def make_cell(workspace: Workspace, cell: str = "flowers-vae", steps: int = 20, seed: int = 0) -> None:
    """The files of an evaluated cell; the data set is made where there is none."""
    dataset = cell.split("-")[0]
    if not workspace.prepared(dataset).is_dir():
        make_dataset(workspace, dataset)
    rng = np.random.default_rng(seed)
    folder = workspace.evaluation(cell)
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "cell": cell,
        "dataset": dataset,
        "family": "deep_generative",
        "module": "vae",
        "class": "VAE",
        "args": {"n_latent": 2, "hidden_layer_sizes": [32, 32], "likelihood": "gaussian", "beta": 1.0},
        "seed": 7,
        "task": "classification",
        "measure": "continuous",
        "bound": True,
        "capabilities": ["predict_proba", "elbo", "sample"],
        "skipped": [{"what": "log_prob", "reason": "the model has no exact density"}],
        "n_test": [N_TEST] * REPEATS,
        "repeats": REPEATS,
    }
    (folder / "evaluation.json").write_text(json.dumps(about))
    scores = ((r, m, repr(float(rng.uniform()))) for m in ("accuracy_score", "log_loss") for r in range(REPEATS))
    write_csv(folder / "scores.csv", "repeat,metric,value", scores)
    write_csv(folder / "history.csv", "repeat,step,name,value", history(steps, seed))
    confusion = ((t, p, int(rng.integers(0, 30))) for t in range(3) for p in range(3))
    write_csv(folder / "confusion.csv", "true,predicted,count", confusion)
    bins = ((b / 10 + 0.05, rng.uniform(), 0.0, 1.0, 3) for b in range(10))
    write_csv(folder / "reliability.csv", "confidence,accuracy,low,high,count", bins)
    np.save(folder / "predictions.npy", rng.dirichlet(np.ones(3), REPEATS * N_TEST).astype(np.float32))
    np.save(folder / "samples.npy", np.column_stack([rng.normal(size=(20, 2)), rng.integers(0, 2, 20)]))
    np.save(folder / "sample_labels.npy", np.arange(20) % 3)
    make_costs(workspace, cell, seed)


def make_costs(workspace: Workspace, cell: str, seed: int = 0) -> None:
    """Times and memory of a cell."""
    seconds = 1.0 + seed
    fit = {"seconds": seconds, "peak_rss_bytes": 2e8, "rss_before_bytes": 1e8, "cuda_peak_bytes": None}
    fit |= {"device": "cpu", "precision": "32-true", "n_train": 90}
    use = {"latency_ms": {"1": {"p50": 0.5, "p95": 0.7}}, "throughput_per_s": 1e5, "parameters": 1234}
    workspace.training_cost(cell).parent.mkdir(parents=True, exist_ok=True)
    workspace.training_cost(cell).write_text(json.dumps({"repeats": [fit] * REPEATS, "hardware": {"cores": 2}}))
    workspace.usage_cost(cell).write_text(json.dumps(use))


def history(steps: int, seed: int = 0) -> list[tuple[int, int, str, str]]:
    """Falling losses of every repeat."""
    return [
        (repeat, step, name, repr(float(np.exp(-step / 10) + 0.01 * repeat + seed)))
        for repeat in range(REPEATS)
        for step in range(1, steps + 1)
        for name in ("train_loss", "validation_loss")
    ]


def write_csv(path: Path, header: str, rows: object) -> None:
    """Write rows below a header."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)  # type: ignore[arg-type]


def runs(mirror: Mirror, experiment: str = "flowers") -> list[Run]:
    """Everything in an experiment that is not deleted, children aside."""
    return [run for run in every_run(mirror, experiment) if "mlflow.parentRunId" not in run.data.tags]


def every_run(mirror: Mirror, experiment: str = "flowers") -> list[Run]:
    """Everything in an experiment that is not deleted."""
    found = mirror.client.get_experiment_by_name(experiment)
    return [] if found is None else mirror.client.search_runs([found.experiment_id])


def children(mirror: Mirror, parent: str) -> dict[str, Run]:
    """The runs below a run, by name."""
    found = (run for run in every_run(mirror) if run.data.tags.get("mlflow.parentRunId") == parent)
    return {run.info.run_name: run for run in found}


def names(mirror: Mirror, run_id: str, folder: str | None = None) -> set[str]:
    """Names of a run's artifacts."""
    return {Path(item.path).name for item in mirror.client.list_artifacts(run_id, folder)}


def read(mirror: Mirror, cell: str = CELL, confidence: float = 0.95) -> CellRecord:
    """What the files of a cell say."""
    return record.read(mirror.workspace, a_cell(cell), confidence)
