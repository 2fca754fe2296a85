"""Tags by which runs are found, logging in few requests, and the model of a run on MLflow's model pages.

A logged model has a description, scores and a data set. Its files stay with DVC; those of the best models are added
when they are registered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import (
    DatasetInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunTag,
    ViewType,
)
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_IS_EXTERNAL, MLFLOW_PARENT_RUN_ID

from versus.tracking.record import CellRecord, Point, cell_tags

STATE = "versus.state"  # progress of the run: one of the next three
WRITING, TRAINING, COMPLETE = "writing", "training", "complete"
SINCE = "versus.writing_since"  # seconds since the epoch; distinguishes a writer at work from one that is gone
FINGERPRINT = "versus.fingerprint"
PASSING = "versus.passing_fingerprint"  # of times, memory and intervals
REPEAT, OF = "repeat", "repeat_of"  # of a child run that holds the fit of one repeat: its number, and its cell
INTERVAL = "interval."  # before the name of a deciding score
ORIGIN = "versus.origin"  # the workspace and machine that wrote it
CURRENT = "versus.current"  # "yes" on the newest results of each cell

# MLflow takes 1000 entries in a request, of them 100 parameters and 100 tags.
MOST_METRICS, MOST_PARAMS, MOST_TAGS = 800, 100, 100
LONGEST_PARAM, LONGEST_TAG = 6000, 8000


class LoggedFor(NamedTuple):
    """A logged model and the data set that it was measured on."""

    model_id: str
    dataset: str
    digest: str


def metrics(points: Iterable[Point], at: float | None = None, model: LoggedFor | None = None) -> list[Metric]:
    """Convert points to MLflow's metrics.

    Args:
        points: values of metrics.
        at: time of the measurement, in seconds since the epoch; now if None.
        model: the logged model whose page also shows them.
    """
    now = int((time.time() if at is None else at) * 1000)
    return [Metric(p.key, p.value, now, p.step, *(model or ())) for p in points]


def log(
    client: MlflowClient,
    run_id: str,
    metrics: Sequence[Metric] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log to a run in as few requests as MLflow's limits allow; cut values that are too long for MLflow.

    Args:
        client: client of the store.
        run_id: id of the run.
        metrics: values of metrics.
        params: parameters; MLflow refuses to change those that the run already has.
        tags: tags; they replace those that the run has.
    """
    entries = [Param(name, value[:LONGEST_PARAM]) for name, value in (params or {}).items()]
    labels = [RunTag(name, value[:LONGEST_TAG]) for name, value in (tags or {}).items()]
    while metrics or entries or labels:
        client.log_batch(run_id, metrics[:MOST_METRICS], entries[:MOST_PARAMS], labels[:MOST_TAGS])
        metrics, entries, labels = metrics[MOST_METRICS:], entries[MOST_PARAMS:], labels[MOST_TAGS:]


def search(client: MlflowClient, experiment: str, **tags: str) -> Iterator[Run]:
    """Yield the runs of an experiment, except deleted ones, whose tags have these values; ``__`` stands for a dot."""
    condition = " and ".join(f"tags.`{name.replace('__', '.')}` = '{value}'" for name, value in tags.items())
    token = None
    while True:
        page = client.search_runs([experiment], condition, ViewType.ACTIVE_ONLY, 1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def unsettled(client: MlflowClient, experiment: str, **tags: str) -> Iterator[Run]:
    """Yield the runs with these tags that are unfinished or the newest: without the history, which only grows."""
    for of in ({"versus__state": WRITING}, {"versus__state": TRAINING}, {"versus__current": "yes"}):
        yield from search(client, experiment, **tags, **of)


def fits_of(client: MlflowClient, run: Run) -> dict[int, Run]:
    """Map each repeat to the child run that holds its fit."""
    children = search(client, run.info.experiment_id, **{MLFLOW_PARENT_RUN_ID: run.info.run_id})
    return {int(tag(child, REPEAT)): child for child in children if tag(child, REPEAT)}


def create_fit(client: MlflowClient, experiment: str, parent: str, cell: str, repeat: int, started: float) -> str:
    """Create the child run of one repeat's fit, which started at a time in seconds since the epoch; return its id."""
    tags = {MLFLOW_PARENT_RUN_ID: parent, OF: cell, REPEAT: str(repeat)}
    return str(client.create_run(experiment, int(started * 1000), tags, f"repeat {repeat}").info.run_id)


def tag(run: Run, name: str) -> str:
    """Return a tag of a run; empty if it has none."""
    return str(run.data.tags.get(name, ""))


def log_model(client: MlflowClient, experiment: str, run_id: str, record: CellRecord, data: DatasetInput) -> LoggedFor:
    """Create the model of a run; metrics that are logged for it appear on its page."""
    cell = record.cell
    tags = {name: str(value) for name, value in cell_tags(cell).items()}
    tags |= {MLFLOW_MODEL_IS_EXTERNAL: "true", "path": f"models/{cell.name}"}
    found = client.create_logged_model(experiment, cell.model, run_id, tags, record.params, cell.group_name)
    client.log_outputs(run_id, [LoggedModelOutput(found.model_id, 0)])
    client.finalize_logged_model(found.model_id, LoggedModelStatus.READY)
    return LoggedFor(found.model_id, data.dataset.name, data.dataset.digest)


def model_of(run: Run) -> LoggedFor | None:
    """Return the model that a complete run logged; None if its cell failed."""
    if run.outputs is None or run.inputs is None or not run.outputs.model_outputs:
        return None
    data = run.inputs.dataset_inputs[0].dataset
    return LoggedFor(run.outputs.model_outputs[0].model_id, data.name, data.digest)


def add_model_files(client: MlflowClient, model: LoggedFor, folder: str) -> str:
    """Add the files that MLflow loads and serves; return the model's URI."""
    client.log_model_artifacts(model.model_id, folder)
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_IS_EXTERNAL: "false"})
    return f"models:/{model.model_id}"


def delete_models(client: MlflowClient, run: Run) -> None:
    """Delete the models of a run."""
    for model in client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"):
        client.delete_logged_model(model.model_id)
