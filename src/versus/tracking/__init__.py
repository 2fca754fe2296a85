"""Mirror of the stages' results in MLflow. Files are written first, then logged.

An evaluation writes its own cell's run if mlflow is already loaded, as in the workers of `versus repro`; `compare` and
`versus sync` write the missing runs. A run is identified by a fingerprint of the cell's files: writing again changes
nothing, and a run that a killed process left half-written is replaced by the next process. A long fit shows its losses
while it runs, in the run that the evaluation later finishes.

Stages and commands use `client` and `champions`, which import mlflow only when there is something to do. A server that
is down, slow or killed costs a repro a few seconds (`patience`) and a warning, and no stage fails because of it.
"""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported, below here
