"""Layout of a workspace: the only module that names the folders passed between stages.

=============================== ====================================================================================
``data/prepared/<dataset>/``    arrays, splits, schema (`versus.data.prepared`)
``data/extractors/<dataset>/``  by what images are scored (`versus.evaluation.extractor`)
``models/<cell>/``              ``history.csv`` and a model per repeat, ``0.json`` … (`versus.models.persistence`)
``reports/evaluations/<cell>/`` scores, predictions, samples (`versus.evaluation`)
``…/<cell>/default/``           of a tuned cell, the same with the arguments of params.yaml
``reports/``                    output of `compare`
``.versus/``                    fits, checkpoints, locks, outages of MLflow; safe to delete when nothing runs
=============================== ====================================================================================

Data and models have a ``contents.txt``, which represents the folder in the dependencies of later
stages (`versus.manifest`). An evaluation holds copies of its models' training curves and costs: later stages read
evaluations and data only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT = "default"  # below a cell's folder: models of its default arguments where others were chosen; their scores


@dataclass(frozen=True)
class Workspace:
    """Folder with a params.yaml, a dvc.yaml and the output of the stages."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        """Path of params.yaml, which defines the comparison."""
        return self.root / "params.yaml"

    @property
    def reports(self) -> Path:
        """Folder of the output of `compare`."""
        return self.root / "reports"

    @property
    def private(self) -> Path:
        """Folder of working files that are not the output of any stage."""
        return self.root / ".versus"

    def unfinished(self, cell: str) -> Path:
        """Folder of a cell's unfinished fits (`versus.fitting.unfinished`)."""
        return self.private / "unfinished" / cell

    def fits(self, cell: str) -> Path:
        """Folder of a cell's finished fits (`versus.fitting.kept`)."""
        return self.private / "fits" / cell

    def failed(self, cell: str) -> Path:
        """Folder of the last checkpoints of a cell whose training failed."""
        return self.private / "failed" / cell

    def prepared(self, dataset: str) -> Path:
        """Folder of a prepared data set."""
        return self.root / "data" / "prepared" / dataset

    def extractor(self, dataset: str) -> Path:
        """Folder of the classifier by whose features images drawn for a data set are scored."""
        return self.root / "data" / "extractors" / dataset

    def model(self, cell: str) -> Path:
        """Folder of a cell's fitted models: that of repeat 0 is saved at ``0`` in it."""
        return self.root / "models" / cell

    def evaluation(self, cell: str) -> Path:
        """Folder of a cell's evaluation."""
        return self.reports / "evaluations" / cell

    def experiment(self, name: str) -> Path:
        """Folder of an experiment's result, where `compare` looks for all results."""
        return self.reports / "evaluations" / "experiments" / name

    def experiment_result(self, name: str) -> Path:
        """Path of an experiment's curves and crossings."""
        return self.experiment(name) / "experiment.json"

    def training_cost(self, cell: str) -> Path:
        """Path of the costs of a cell's fits: seconds and memory."""
        return self.evaluation(cell) / "training_cost.json"

    def usage_cost(self, cell: str) -> Path:
        """Path of the costs of using a cell's models: latency, throughput and size."""
        return self.evaluation(cell) / "usage_cost.json"
