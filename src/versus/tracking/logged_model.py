"""Model of a cell on MLflow's model pages, with its description, its scores and its data set.

Its files stay with DVC; those of the best models are added when they are registered.
"""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_IS_EXTERNAL

from versus.tracking.record import CellRecord, cell_tags
from versus.tracking.run_log import LoggedFor


def log(client: MlflowClient, experiment: str, run_id: str, record: CellRecord, data: DatasetInput) -> LoggedFor:
    """Create the model of a run; metrics that are logged for it appear on its page."""
    cell = record.cell
    tags = {name: str(value) for name, value in cell_tags(cell).items()}
    tags |= {MLFLOW_MODEL_IS_EXTERNAL: "true", "path": f"models/{cell.name}"}
    found = client.create_logged_model(experiment, cell.model, run_id, tags, record.params, cell.family)
    client.log_outputs(run_id, [LoggedModelOutput(found.model_id, 0)])
    client.finalize_logged_model(found.model_id, LoggedModelStatus.READY)
    return LoggedFor(found.model_id, data.dataset.name, data.dataset.digest)


def of(run: Run) -> LoggedFor | None:
    """Return the model that a complete run logged; None if its cell failed."""
    if run.outputs is None or run.inputs is None or not run.outputs.model_outputs:
        return None
    data = run.inputs.dataset_inputs[0].dataset
    return LoggedFor(run.outputs.model_outputs[0].model_id, data.name, data.digest)


def add_files(client: MlflowClient, model: LoggedFor, folder: str) -> str:
    """Add the files that MLflow loads and serves; return the model's URI."""
    client.log_model_artifacts(model.model_id, folder)
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_IS_EXTERNAL: "false"})
    return f"models:/{model.model_id}"


def delete(client: MlflowClient, run: Run) -> None:
    """Delete the models of a run."""
    for model in client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"):
        client.delete_logged_model(model.model_id)
