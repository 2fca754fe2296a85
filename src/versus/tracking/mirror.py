"""Write a cell's record as an MLflow run: once, complete, and identified by its fingerprint.

A run is created in the state "writing", and "complete" is set last. A run of the same cell that stays "writing" was
left by a killed process: it is deleted, and the record is written again. A run in the state "training" shows a long
fit; it becomes the cell's run if its curves agree with the record's.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

# MLflow imports these two when it opens a store, which takes a second; here, workers that are forked share them.
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from versus import provenance
from versus.data import prepared
from versus.data.schema import Schema
from versus.fitting import unfinished
from versus.tracking import dataset, logged_model, pictures, run_log
from versus.tracking.destination import Destination
from versus.tracking.record import CellRecord, Point
from versus.tracking.run_log import (
    COMPLETE,
    CURRENT,
    FINGERPRINT,
    ORIGIN,
    PASSING,
    SINCE,
    STATE,
    TRAINING,
    WRITING,
    tag,
)
from versus.workspace import Workspace

LONGEST_WRITE = 3600.0  # seconds; what is "writing" for longer has lost its writer, whoever that was


class Mirror:
    """Writer to one store on behalf of one workspace."""

    def __init__(self, client: MlflowClient, destination: Destination, workspace: Workspace, origin: str) -> None:
        self.client = client
        self.destination = destination
        self.workspace = workspace
        self.origin = origin
        self._experiments: dict[str, str] = {}

    def experiment(self, name: str) -> str:
        """Return the id of the experiment called ``name``; create it if there is none.

        Raises:
            ValueError: if it was deleted in MLflow.
        """
        if name not in self._experiments:
            self._experiments[name] = self._find_or_create(name)
        return self._experiments[name]

    def _find_or_create(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is None:
            root = self.destination.artifacts
            try:
                return str(self.client.create_experiment(name, f"{root}/{name}" if root else None))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)  # another process was faster
                if found is None:
                    raise
        if found.lifecycle_stage != "active":
            mend = f"mlflow experiments restore -x {found.experiment_id}"
            raise ValueError(f"the MLflow experiment {name!r} was deleted; `{mend}` brings it back")
        return str(found.experiment_id)

    def of(self, dataset: str) -> str:
        """Id of the experiment that holds the runs of a data set."""
        return self.experiment(self.destination.experiment(dataset))

    def dataset(self, name: str, primary: Mapping[str, str]) -> None:
        """Describe a prepared data set on its experiment.

        Args:
            name: name of the data set.
            primary: data set or task -> the deciding score, by which the leaderboard is sorted.
        """
        experiment = self.of(name)
        known = self.client.get_experiment(experiment).tags
        for key, value in dataset.experiment_tags(experiment, self.workspace.prepared(name), primary).items():
            if known.get(key) != value:
                self.client.set_experiment_tag(experiment, key, value)

    def cell(self, record: CellRecord) -> str:
        """Make sure that the cell's run exists and is complete; return its id."""
        experiment = self.of(record.cell.dataset)
        known = list(run_log.search(self.client, experiment, cell=record.cell.name))
        whole = [r for r in known if tag(r, STATE) == COMPLETE and tag(r, FINGERPRINT) == record.fingerprint]
        if whole:
            run_id = str(whole[0].info.run_id)
            self._refresh(whole[0], record)
        else:
            run_id = self._write(experiment, record, [r for r in known if self._showed_a_fit_here(r)])
        for run in known:
            if run.info.run_id != run_id:
                self.step_back(run)
        return run_id if whole else self._agree(experiment, record, run_id)

    def _showed_a_fit_here(self, run: Run) -> bool:
        return tag(run, STATE) == TRAINING and tag(run, ORIGIN) == self.origin

    def abandoned(self, run: Run) -> bool:
        """Check whether nobody writes an incomplete run any more.

        Its writer belonged to this workspace, in which one process writes at a time, or is long gone; or the run showed
        a fit of this workspace that has ended.
        """
        if tag(run, STATE) == WRITING:
            return tag(run, ORIGIN) == self.origin or time.time() - float(tag(run, SINCE) or 0) > LONGEST_WRITE
        return self._showed_a_fit_here(run) and not self._is_being_fitted(tag(run, "cell"))

    def _is_being_fitted(self, cell: str) -> bool:
        path = unfinished.lock(self.workspace.unfinished(cell))
        if not path.is_file():
            return False
        try:
            with FileLock(path, timeout=0):
                return False
        except Timeout:
            return True

    def step_back(self, run: Run) -> None:
        """Retire a run that another one replaces: keep it as history, or delete it if it was left unfinished."""
        if self.abandoned(run):
            self.delete(run)
        elif tag(run, CURRENT) == "yes":
            self.client.set_tag(run.info.run_id, CURRENT, "no")

    def delete(self, run: Run) -> None:
        """Delete a run and the models logged with it."""
        logged_model.delete(self.client, run)
        self.client.delete_run(run.info.run_id)

    def _agree(self, experiment: str, record: CellRecord, run_id: str) -> str:
        """Keep the run with the smallest id where processes wrote the same record at the same time."""
        conditions = {"cell": record.cell.name, "versus__fingerprint": record.fingerprint, "versus__state": COMPLETE}
        same = sorted(run_log.search(self.client, experiment, **conditions), key=lambda run: str(run.info.run_id))
        for extra in same[1:]:
            self.delete(extra)
        return str(same[0].info.run_id) if same else run_id

    def _refresh(self, run: Run, record: CellRecord) -> None:
        """Update a run whose results are the same with the latest costs and intervals."""
        tags = {CURRENT: "yes", PASSING: record.passing_fingerprint}
        changed = {name: value for name, value in tags.items() if tag(run, name) != value}
        points = run_log.metrics(record.passing if PASSING in changed else (), model=logged_model.of(run))
        run_log.log(self.client, run.info.run_id, points, tags=changed)

    def _write(self, experiment: str, record: CellRecord, fits: Sequence[Run]) -> str:
        folder = self.workspace.prepared(record.cell.dataset)
        schema = prepared.read(folder).schema
        tags = {**self._tags(record), "kind": schema.x.form}
        run_id, curves = self._adopt(record, fits)
        if run_id is None:
            started = int(record.started * 1000)
            run_id = str(self.client.create_run(experiment, started, tags, record.cell.model).info.run_id)
            tags = {}
        else:
            self.client.set_tag(run_id, STATE, WRITING)
        data = dataset.as_input(folder)
        self.client.log_inputs(run_id, [data])
        metrics = run_log.metrics(curves, record.ended)
        if not record.failed:
            model = logged_model.log(self.client, experiment, run_id, record, data)
            metrics += run_log.metrics([*record.scores, *record.passing], record.ended, model)
            self._log_pictures(run_id, record, schema)
        run_log.log(self.client, run_id, metrics, record.params, tags)
        self.client.log_artifacts(run_id, str(self.workspace.evaluation(record.cell.name)), "evaluation")
        self.client.set_terminated(run_id, "FAILED" if record.failed else "FINISHED", int(record.ended * 1000))
        run_log.log(self.client, run_id, tags={STATE: COMPLETE, CURRENT: "yes"})
        return run_id

    def _adopt(self, record: CellRecord, fits: Sequence[Run]) -> tuple[str | None, list[Point]]:
        """Return the run that showed this fit in progress, and the points of the curves that it lacks."""
        points = {(p.key, p.step): p.value for p in record.curves}
        for run in sorted(fits, key=lambda run: -run.info.start_time):
            shown = self.shown(run)
            if record.failed or all(_equal(points.get(where), value) for where, value in shown.items()):
                return str(run.info.run_id), [p for p in record.curves if (p.key, p.step) not in shown]
        return None, record.curves

    def shown(self, run: Run) -> dict[tuple[str, int], float]:
        """Return the points of training curves that a run has, by key and step."""
        keys = [key for key in run.data.metrics if key.startswith("training/")]
        histories = [self.client.get_metric_history(run.info.run_id, key) for key in keys]
        return {(m.key, m.step): m.value for history in histories for m in history}

    def _tags(self, record: CellRecord) -> dict[str, str]:
        return {
            **record.tags,
            **self.code_tags(f"stages.evaluate {record.cell.name}"),
            FINGERPRINT: record.fingerprint,
            PASSING: record.passing_fingerprint,
            STATE: WRITING,
            SINCE: str(int(time.time())),
        }

    def code_tags(self, name: str) -> dict[str, str]:
        """Tags for the writer of a run and the code that ran."""
        tags = {ORIGIN: self.origin, "mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
        if self._code["commit"]:
            tags |= {"mlflow.source.git.commit": self._code["commit"], "dirty": "yes" if self._code["dirty"] else "no"}
        return tags

    @cached_property
    def _code(self) -> dict[str, Any]:
        return provenance.describe_code(self.workspace.root)

    def _log_pictures(self, run_id: str, record: CellRecord, schema: Schema) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            pictures.draw(self.workspace.evaluation(record.cell.name), schema, Path(scratch))
            self.client.log_artifacts(run_id, scratch)


def _equal(recorded: float | None, shown: float) -> bool:
    return recorded is not None and (recorded == shown or (math.isnan(recorded) and math.isnan(shown)))
