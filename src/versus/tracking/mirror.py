"""Write a cell's record as an MLflow run: once, complete, and identified by its fingerprint.

A temporary experiment of DVC's has its runs there, too, but none of them is current: those of the workspace stay so.

A run is created in the state "writing" and becomes "complete" before its status says that it is finished: finished runs
are whole. A run of the same cell that stays "writing" was left by a killed process: it is deleted before the record is
written again. A run in the state "training" shows a long fit; it becomes the cell's run if its curves agree with the
record's. Repeats of models that are fitted step by step, and trials of a tuning, are child runs, which have no state:
they come and go with their parent.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

# MLflow imports these two when it opens a store, which takes a second; here, workers that are forked share them.
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from versus import provenance
from versus.data import prepared
from versus.fitting import unfinished
from versus.report.files import write_csv
from versus.tracking import experiments, run_log
from versus.tracking.destination import Destination, is_experiment
from versus.tracking.drawings import draw
from versus.tracking.record import CellRecord
from versus.tracking.run_log import (
    COMPLETE,
    CURRENT,
    FINGERPRINT,
    INTERVAL,
    ORIGIN,
    PASSING,
    SINCE,
    STATE,
    TRAINING,
    WRITING,
    tag,
)
from versus.workspace import Workspace

SCORES = "scores.csv"  # among the artifacts: all scores with their intervals and repeats
LONGEST_WRITE = 3600.0  # seconds; what is "writing" for longer has lost its writer, whoever that was


Shown = tuple[int, str, int]  # of a point of a training curve: repeat, key, step


class Mirror:
    """Writer to one store on behalf of one workspace."""

    def __init__(self, client: MlflowClient, destination: Destination, workspace: Workspace, origin: str) -> None:
        self.client = client
        self.destination = destination
        self.workspace = workspace
        self.origin = origin
        self.is_experiment = is_experiment(workspace.root)
        self._experiments: dict[str, str] = {}
        self._inputs: dict[str, DatasetInput] = {}

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
                place = f"{root}/{name}" if root else None
                return str(self.client.create_experiment(name, place, experiments.KIND))
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
        self.describe(experiment, experiments.experiment_tags(experiment, self.workspace.prepared(name), primary))

    def describe(self, experiment: str, tags: Mapping[str, str]) -> None:
        """Set the tags of an experiment that differ."""
        known = self.client.get_experiment(experiment).tags
        for key, value in tags.items():
            if known.get(key) != value:
                try:
                    self.client.set_experiment_tag(experiment, key, value)
                except MlflowException:  # of two processes that insert a tag at once, one fails: now it is there
                    self.client.set_experiment_tag(experiment, key, value)

    def cell(self, found: CellRecord) -> str:
        """Make sure that the cell's run exists and is complete, and is the only one of these results; return its id."""
        experiment = self.of(found.cell.dataset)
        name, fingerprint = found.cell.name, found.fingerprint
        of_same_results = run_log.search(self.client, experiment, cell=name, versus__fingerprint=fingerprint)
        some = (*run_log.unsettled(self.client, experiment, cell=name), *of_same_results)
        known = list({run.info.run_id: run for run in some}.values())
        for run in [r for r in known if tag(r, STATE) == WRITING and self.abandoned(r)]:
            self.delete(run)
            known.remove(run)
        whole = [r for r in known if tag(r, STATE) == COMPLETE and tag(r, FINGERPRINT) == fingerprint]
        if whole:
            run_id = self.agree(whole)
            self._refresh(next(run for run in whole if run.info.run_id == run_id), found)
        else:
            run_id = self._write(experiment, found, [r for r in known if self._showed_a_fit_here(r)])
        for run in known:
            if run.info.run_id != run_id and run not in whole:
                self.step_back(run)
        if whole:
            return run_id
        same = {"cell": name, "versus__fingerprint": fingerprint, "versus__state": COMPLETE}
        return self.agree(run_log.search(self.client, experiment, **same)) or run_id

    def agree(self, same: Iterable[Run]) -> str:
        """Keep the run with the smallest id of those with the same results; return its id, empty for none."""
        runs = sorted(same, key=lambda run: str(run.info.run_id))
        for extra in runs[1:]:
            self.delete(extra)
        return str(runs[0].info.run_id) if runs else ""

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
        elif tag(run, CURRENT) == "yes" and not self.is_experiment:
            self.client.set_tag(run.info.run_id, CURRENT, "no")

    def delete(self, run: Run) -> None:
        """Delete a run, its children and the models logged with it, unless another process has done so."""
        for child in run_log.search(self.client, run.info.experiment_id, mlflow__parentRunId=run.info.run_id):
            self._delete(child.info.run_id)
        run_log.delete_models(self.client, run)
        self._delete(run.info.run_id)

    def _delete(self, run_id: str) -> None:
        try:
            self.client.delete_run(run_id)
        except MlflowException:
            if self.client.get_run(run_id).info.lifecycle_stage == "active":
                raise

    def _refresh(self, run: Run, found: CellRecord) -> None:
        """Update a run whose results are the same with the latest costs and intervals."""
        tags = self._passing_tags(found) | ({} if self.is_experiment else {CURRENT: "yes"})
        changed = {name: value for name, value in tags.items() if tag(run, name) != value}
        if PASSING in changed and not found.failed:
            with tempfile.TemporaryDirectory() as scratch:
                self.client.log_artifact(run.info.run_id, str(_write_scores(Path(scratch), found)))
        points = run_log.metrics(found.passing if PASSING in changed else (), model=run_log.model_of(run))
        run_log.log(self.client, run.info.run_id, points, tags=changed)
        if run.info.status == "RUNNING":  # its writer was killed just before the end
            self._finish(run.info.run_id, found)

    def _write(self, experiment: str, found: CellRecord, fits: Sequence[Run]) -> str:
        folder = self.workspace.prepared(found.cell.dataset)
        schema = prepared.read(folder).schema
        tags = {**self._tags(found), "kind": schema.x.form}
        with tempfile.TemporaryDirectory() as scratch:
            files = Path(scratch)
            shutil.copytree(self.workspace.evaluation(found.cell.name), files / "evaluation")
            if not found.failed:
                draw(files / "evaluation", schema, files)
                _write_scores(files, found)
            run_id, shown = self._adopt(found, fits)
            if run_id is None:
                started = int(found.started * 1000)
                run_id = str(self.client.create_run(experiment, started, tags, found.cell.model).info.run_id)
                tags = {}
            else:
                self.client.set_tag(run_id, STATE, WRITING)
            data = self._input(folder)
            self.client.log_inputs(run_id, [data])
            metrics = []
            if not found.failed:  # scores first: MLflow compares runs by the metric that it was told first
                model = run_log.log_model(self.client, experiment, run_id, found, data)
                metrics = run_log.metrics([*found.scores, *found.passing], found.ended, model)
            metrics += run_log.metrics(found.mean_losses, found.ended)
            run_log.log(self.client, run_id, metrics, found.params, tags)
            self.client.log_artifacts(run_id, scratch)
        self._write_fits(experiment, run_id, found, shown)
        self._write_trials(experiment, run_id, found)
        run_log.log(self.client, run_id, tags={STATE: COMPLETE, CURRENT: "no" if self.is_experiment else "yes"})
        self._finish(run_id, found)
        return run_id

    def _write_fits(self, experiment: str, run_id: str, found: CellRecord, shown: Mapping[Shown, float]) -> None:
        """Write the fit of each repeat as a child run; those that showed it in progress get the points that they lack.

        Of a cell that failed, only the latter are left, to be ended.
        """
        known = run_log.fits_of(self.client, self.client.get_run(run_id)) if shown else {}
        for repeat, fit in found.repeats.items():
            losses = [p for p in fit.losses if (repeat, p.key, p.step) not in shown]
            if repeat in known:
                child = str(known.pop(repeat).info.run_id)
            else:
                child = run_log.create_fit(self.client, experiment, run_id, found.cell.name, repeat, found.started)
            run_log.log(self.client, child, run_log.metrics([*fit.scores, *losses], found.ended), fit.params)
            self.client.set_terminated(child, "FINISHED", int(found.ended * 1000))
        for left in known.values():
            self.client.set_terminated(left.info.run_id, "FAILED", int(found.ended * 1000))

    def _write_trials(self, experiment: str, run_id: str, found: CellRecord) -> None:
        """Write the trials of the tuning as child runs."""
        tags = {MLFLOW_PARENT_RUN_ID: run_id, "trial_of": found.cell.name, ORIGIN: self.origin}
        started, ended = int(found.started * 1000), int(found.ended * 1000)
        for number, trial in enumerate(found.trials):
            name, reason = f"trial {number}", {"failed.reason": trial.failed} if trial.failed else {}
            child = str(self.client.create_run(experiment, started, {**tags, **reason}, name).info.run_id)
            run_log.log(self.client, child, run_log.metrics(trial.losses, found.ended), trial.params)
            self.client.set_terminated(child, "FAILED" if trial.failed else "FINISHED", ended)

    def _finish(self, run_id: str, found: CellRecord) -> None:
        self.client.set_terminated(run_id, "FAILED" if found.failed else "FINISHED", int(found.ended * 1000))

    def _input(self, folder: Path) -> DatasetInput:
        key = experiments.digest(folder)
        if key not in self._inputs:
            self._inputs[key] = experiments.as_input(folder)
        return self._inputs[key]

    def _adopt(self, found: CellRecord, fits: Sequence[Run]) -> tuple[str | None, dict[Shown, float]]:
        """Return the run that showed this fit in progress, and the points that it shows."""
        points = {(repeat, p.key, p.step): p.value for repeat, fit in found.repeats.items() for p in fit.losses}
        for run in sorted(fits, key=lambda run: -run.info.start_time):
            shown = self.shown(run)
            if found.failed or all(_equal(points.get(where), value) for where, value in shown.items()):
                return str(run.info.run_id), shown
        return None, {}

    def shown(self, run: Run) -> dict[Shown, float]:
        """Return the points of the training curves that the children of a run have."""
        found: dict[Shown, float] = {}
        for repeat, child in run_log.fits_of(self.client, run).items():
            for key in (key for key in child.data.metrics if key.startswith("training/")):
                points = self.client.get_metric_history(child.info.run_id, key)
                found |= {(repeat, key, point.step): point.value for point in points}
        return found

    def _tags(self, found: CellRecord) -> dict[str, str]:
        return {
            **found.tags,
            **self.code_tags(f"stages.evaluate {found.cell.name}"),
            **self._passing_tags(found),
            FINGERPRINT: found.fingerprint,
            STATE: WRITING,
            SINCE: str(int(time.time())),
        }

    @staticmethod
    def _passing_tags(found: CellRecord) -> dict[str, str]:
        intervals = {f"{INTERVAL}{score}": words for score, words in found.intervals.items()}
        return {PASSING: found.passing_fingerprint, **intervals}

    def code_tags(self, name: str) -> dict[str, str]:
        """Tags for the writer of a run and the code that ran."""
        tags = {ORIGIN: self.origin, "mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
        if self._code["commit"]:
            tags |= {"mlflow.source.git.commit": self._code["commit"], "dirty": "yes" if self._code["dirty"] else "no"}
        if experiment := os.environ.get("DVC_EXP_NAME"):  # set by `dvc exp run`
            tags["dvc.experiment"] = experiment
        return tags

    @cached_property
    def _code(self) -> dict[str, Any]:
        return provenance.describe_code(self.workspace.root)


def _write_scores(folder: Path, found: CellRecord) -> Path:
    header, *rows = found.score_table
    write_csv(folder / SCORES, [str(name) for name in header], rows)
    return folder / SCORES


def _equal(recorded: float | None, shown: float) -> bool:
    return recorded is not None and (recorded == shown or (math.isnan(recorded) and math.isnan(shown)))
