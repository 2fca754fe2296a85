"""The mirror: what the stages wrote, copied to MLflow. Files first, then the log.

An evaluation writes its own cell's run where mlflow is loaded anyway, as in the workers of `versus repro`; `compare`
and `versus sync` write what is missing. A run is known by a fingerprint of the cell's files: writing again changes
nothing, and what a killed process left half-done the next one replaces. A fit that takes long shows its losses
meanwhile, in the run that the evaluation later finishes.

Stages and commands speak to `client` and `champions`, which import mlflow when there is something to do. A server that
is down, slow or killed costs a repro a few seconds (`patience`) and a warning, and no stage fails for it.
"""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported, below here
