"""A cell's record becomes an MLflow run: once, whole, and known by its fingerprint.

A run is created with the state "writing", and "complete" is the last thing that is set. A run of the same fingerprint
that stays "writing" was left by a publisher that was killed: it goes, and the record is written anew. A run at
"training" shows a fit that goes on; it becomes the cell's run if its curves turn out to be the record's.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from versus.tracking import pictures, run_log, source
from versus.tracking.dataset import PreparedDataset, experiment_tags, read_schema
from versus.tracking.destination import Destination
from versus.tracking.record import CellRecord, Point
from versus.tracking.run_log import (
    COMPLETE,
    COSTS,
    CURRENT,
    FINGERPRINT,
    ORIGIN,
    SINCE,
    STATE,
    TRAINING,
    WRITING,
    tag,
)
from versus.workspace import Workspace

LONGEST_WRITE = 3600.0  # seconds; what is "writing" for longer has lost its writer, whoever that was


class Mirror:
    """Writes to one store on behalf of one workspace."""

    def __init__(self, client: MlflowClient, destination: Destination, workspace: Workspace, origin: str) -> None:
        self.client = client
        self.destination = destination
        self.workspace = workspace
        self.origin = origin
        self._experiments: dict[str, str] = {}

    def experiment(self, name: str) -> str:
        """Id of the experiment called ``name``, created where there is none.

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
                found = self.client.get_experiment_by_name(name)  # another publisher was faster
                if found is None:
                    raise
        if found.lifecycle_stage != "active":
            mend = f"mlflow experiments restore -x {found.experiment_id}"
            raise ValueError(f"the MLflow experiment {name!r} was deleted; `{mend}` brings it back")
        return str(found.experiment_id)

    def dataset(self, name: str, about: dict[str, Any], primary: Mapping[str, str] | None = None) -> None:
        """Describe a prepared data set on its experiment.

        Args:
            name: of the data set.
            about: what `prepare` noted.
            primary: task -> the deciding score, which the leaderboard is sorted by; the usual ones where None.
        """
        experiment = self.experiment(self.destination.experiment(name))
        known = self.client.get_experiment(experiment).tags
        for key, value in experiment_tags(experiment, name, self.workspace.prepared(name), about, primary).items():
            if known.get(key) != value:
                self.client.set_experiment_tag(experiment, key, value)

    def cell(self, record: CellRecord) -> str:
        """Make sure that the cell's run is there and whole; returns its id."""
        experiment = self.experiment(self.destination.experiment(record.dataset))
        known = list(run_log.search(self.client, experiment, cell=record.cell))
        whole = [r for r in known if tag(r, STATE) == COMPLETE and tag(r, FINGERPRINT) == record.fingerprint]
        if whole:
            run_id = str(whole[0].info.run_id)
            self._refresh(whole[0], record)
        else:
            run_id = self._write(experiment, record, [r for r in known if self._is_live_here(r)])
        for run in known:
            if run.info.run_id != run_id:
                self._step_back(run)
        return run_id if whole else self._agree(experiment, record, run_id)

    def _is_live_here(self, run: Run) -> bool:
        return tag(run, STATE) == TRAINING and tag(run, ORIGIN) == self.origin

    def abandoned(self, run: Run) -> bool:
        """Whether nobody goes on writing a run that is not whole: its writer was of this workspace, or is long gone."""
        if tag(run, STATE) == WRITING:
            return tag(run, ORIGIN) == self.origin or time.time() - float(tag(run, SINCE) or 0) > LONGEST_WRITE
        return self._is_live_here(run)

    def _step_back(self, run: Run) -> None:
        """Another run holds the cell's results now: earlier ones are kept as history, unfinished ones go."""
        if self.abandoned(run):
            self.client.delete_run(run.info.run_id)
        elif tag(run, CURRENT) == "yes":
            self.client.set_tag(run.info.run_id, CURRENT, "no")

    def _agree(self, experiment: str, record: CellRecord, run_id: str) -> str:
        """Of two publishers that wrote the same record at the same time, both keep the run with the smaller id."""
        conditions = {"cell": record.cell, "versus__fingerprint": record.fingerprint, "versus__state": COMPLETE}
        same = sorted(str(r.info.run_id) for r in run_log.search(self.client, experiment, **conditions))
        for extra in same[1:]:
            self.client.delete_run(extra)
        return same[0] if same else run_id

    def _refresh(self, run: Run, record: CellRecord) -> None:
        """The same results at other costs are the same run, with the costs that were measured last on top."""
        tags = {CURRENT: "yes", COSTS: record.costs_fingerprint}
        changed = {name: value for name, value in tags.items() if tag(run, name) != value}
        run_log.log(self.client, run.info.run_id, record.costs if COSTS in changed else (), tags=changed)

    def _write(self, experiment: str, record: CellRecord, live: Sequence[Run]) -> str:
        tags = self._tags(record)
        run_id, curves = self._adopt(record, live)
        if run_id is None:
            run_id = self.client.create_run(experiment, int(record.started * 1000), tags, record.name).info.run_id
            tags = {}
        points = [*record.scores, *record.costs, *curves]
        run_log.log(self.client, run_id, tags=tags)
        run_log.log(self.client, run_id, points, at=record.ended, params=record.params)
        data = PreparedDataset(record.dataset, self.workspace.prepared(record.dataset))
        self.client.log_inputs(run_id, [data.as_input()])
        self._artifacts(run_id, record)
        self.client.set_terminated(run_id, "FINISHED", int(record.ended * 1000))
        run_log.log(self.client, run_id, tags={STATE: COMPLETE, CURRENT: "yes"})
        return str(run_id)

    def _adopt(self, record: CellRecord, live: Sequence[Run]) -> tuple[str | None, list[Point]]:
        """The run that showed this fit while it went on, and those points of the curves that it lacks."""
        points = {(p.key, p.step): p.value for p in record.curves}
        for run in sorted(live, key=lambda run: -run.info.start_time):
            shown = self.shown(run)
            if all(_equal(points.get(where), value) for where, value in shown.items()):
                return run.info.run_id, [p for p in record.curves if (p.key, p.step) not in shown]
        return None, record.curves

    def shown(self, run: Run) -> dict[tuple[str, int], float]:
        """The points of training curves that a run has, by key and step."""
        keys = [key for key in run.data.metrics if key.startswith("training/")]
        histories = [self.client.get_metric_history(run.info.run_id, key) for key in keys]
        return {(m.key, m.step): m.value for history in histories for m in history}

    def _tags(self, record: CellRecord) -> dict[str, str]:
        return {
            **record.tags,
            **self.code_tags(f"stages.evaluate {record.cell}"),
            "kind": read_schema(self.workspace.prepared(record.dataset)).x.form,
            FINGERPRINT: record.fingerprint,
            COSTS: record.costs_fingerprint,
            STATE: WRITING,
            SINCE: str(int(time.time())),
        }

    def code_tags(self, name: str) -> dict[str, str]:
        """Who writes, and which code ran."""
        tags = {ORIGIN: self.origin, "mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
        found = source.commit(self.workspace.root)
        if found:
            tags |= {"mlflow.source.git.commit": found[0], "dirty": "yes" if found[1] else "no"}
        return tags

    def _artifacts(self, run_id: str, record: CellRecord) -> None:
        """Pictures to look at first, then the files that every number comes from."""
        with tempfile.TemporaryDirectory() as scratch:
            schema = read_schema(self.workspace.prepared(record.dataset))
            pictures.draw(self.workspace.evaluation(record.cell), schema, Path(scratch))
            self.client.log_artifacts(run_id, scratch)
        self.client.log_artifacts(run_id, str(self.workspace.evaluation(record.cell)), "evaluation")


def _equal(recorded: float | None, shown: float) -> bool:
    return recorded is not None and (recorded == shown or (math.isnan(recorded) and math.isnan(shown)))
