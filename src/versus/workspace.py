"""Where everything lies in a workspace: the only place that spells the folders that pass between stages.

=============================== ====================================================================================
``data/prepared/<dataset>/``    arrays, splits, schema (`versus.data.prepared`)
``models/<cell>/``              ``history.csv`` and a model a repeat, ``0.json`` … (`versus.models.persistence`)
``reports/evaluations/<cell>/`` scores, predictions, samples (`versus.evaluation`)
``reports/``                    what `compare` writes
``.versus/``                    unfinished fits, locks, outages of MLflow; safe to delete when nothing runs
=============================== ====================================================================================

Data and models have a ``contents.txt``, which stands for the folder where a later stage depends on it
(`versus.manifest`). An evaluation holds copies of its models' training curves and costs: what comes after reads
evaluations and data only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """A folder with a params.yaml, a dvc.yaml and what the stages made of them."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        """The file that says what is compared."""
        return self.root / "params.yaml"

    @property
    def reports(self) -> Path:
        """The folder that `compare` writes to."""
        return self.root / "reports"

    @property
    def private(self) -> Path:
        """Working files that are no stage's output."""
        return self.root / ".versus"

    def unfinished(self, cell: str) -> Path:
        """The folder of a cell's fits while they are made (`versus.fitting.unfinished`)."""
        return self.private / "unfinished" / cell

    def prepared(self, dataset: str) -> Path:
        """The folder of a prepared data set."""
        return self.root / "data" / "prepared" / dataset

    def model(self, cell: str) -> Path:
        """The folder of a cell's fitted models: that of repeat 0 is saved at ``0`` in it."""
        return self.root / "models" / cell

    def evaluation(self, cell: str) -> Path:
        """The folder of a cell's evaluation."""
        return self.reports / "evaluations" / cell

    def training_cost(self, cell: str) -> Path:
        """The file with what each fit of a cell took: seconds and memory."""
        return self.evaluation(cell) / "training_cost.json"

    def usage_cost(self, cell: str) -> Path:
        """The file with what using a cell's models takes: latency, throughput and size."""
        return self.evaluation(cell) / "usage_cost.json"
