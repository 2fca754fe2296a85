"""Fit a cell once for each repeat, and keep the models, the curves and the cost."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from versus import manifest
from versus.data import prepared
from versus.data.schema import Schema
from versus.fitting import failure, kept, several, unfinished
from versus.fitting import tuning as tuning_trials
from versus.fitting.failure import Failure
from versus.fitting.progression import NAME as PROGRESSION
from versus.fitting.progression import Show
from versus.fitting.repeats import Job, Observe, fit_alone, fit_together, is_fitted, unfitted, write_history
from versus.models import catalogue, find, persistence
from versus.models.arguments import arguments_of
from versus.provenance import describe_hardware
from versus.settings import Cell, Training, Tuning
from versus.workspace import DEFAULT, Workspace


def fit_cell(
    workspace: Workspace,
    cell: Cell,
    training: Training,
    seed: int,
    observe: Observe | None = None,
    tuning: Tuning | None = None,
    show: Show | None = None,
) -> None:
    """Fit a cell once for each repeat and write models/<cell>/; fits that a kill interrupted are resumed.

    A fit of the training before that depends on nothing that has changed is taken up (`versus.fitting.kept`).
    Where a fit fails, the folder holds the reason instead, and the last checkpoint of its fits is kept
    (`versus.fitting.failure`).

    Args:
        workspace: with the prepared data set and the stage's fingerprint.
        cell: the cell to fit.
        training: device and precision, and if energy is measured.
        seed: repeat r is fitted with ``random_state=seed + r``.
        observe: called as ``observe(step, losses, repeat)`` after each epoch of the final fits.
        tuning: budget for choosing the arguments (`versus.fitting.tuning`); None for none.
        show: called with the images that the model of the first repeat draws on the way (`versus.fitting.progression`).

    Raises:
        ValueError: where the prepared data set is damaged.
    """
    manifest.check(workspace.prepared(cell.dataset))
    data = prepared.read(workspace.prepared(cell.dataset))
    workshop = workspace.unfinished(cell.name)

    def build_with(arguments: Mapping[str, Any], repeat: int) -> Any:
        return build(replace(cell, args={**cell.args, **arguments}), training, seed + repeat, data.schema)

    job = Job(cell, data, workshop, build_with, tuning or Tuning(), seed, observe, show, training.energy)
    if several.is_follower():
        return several.follow(job)
    workshop.parent.mkdir(parents=True, exist_ok=True)
    # A killed dvc's stage may take a moment to die: its successor waits for it.
    with FileLock(unfinished.lock(workshop), timeout=60):
        stage = f"train-{cell.name}"
        fingerprint = unfinished.fingerprint(workspace, stage, cell.dataset)
        unfinished.open_folder(workshop, fingerprint)
        code = unfinished.stage_file(workspace, stage).read_bytes()
        known = kept.available(workspace.fits(cell.name), fingerprint)

        keys = {repeat: kept.key(code, data, repeat) for repeat in range(data.repeats)}
        if job.may_be_together:
            keys = kept.joined(keys)
        failed = failure.attempt(lambda: _fit_repeats(job, keys, known), "training", cell.time_limit)
        if failed is not None:
            failed = replace(failed, repeat=next(iter(unfitted(workshop, data.repeats)), None))
        _deliver(workspace, cell, workshop, data.repeats, failed)


def _fit_repeats(job: Job, keys: Mapping[int, str], known: Mapping[str, Path]) -> None:
    """Fit the repeats that are not fitted yet, here or in the training before."""
    for repeat in unfitted(job.workshop, job.data.repeats):
        if keys[repeat] in known:
            kept.take_up(known[keys[repeat]], job.workshop / str(repeat))
    if job.may_be_together and not several.are_at_work() and unfitted(job.workshop, job.data.repeats):
        fit_together(job, keys)
    for repeat in range(job.data.repeats):
        todo = not is_fitted(job.workshop, repeat)
        several.lead(job, repeat, todo)
        if todo:
            fit_alone(job, repeat, keys[repeat])


def build(cell: Cell, training: Training, seed: int, schema: Schema) -> Any:
    """Build the cell's unfitted model: arguments from params, sizes from the data.

    Raises:
        ValueError: where the model is for another task than the data; the message names those that are for it.
    """
    unfit = catalogue.unfit(cell.family, cell.module, cell.class_name, schema.y.task)
    if unfit:
        raise ValueError(unfit)
    model_class = find(cell.family, cell.module, cell.class_name)
    supplied = {
        "schema": schema,
        "random_state": seed,
        "device": training.device,
        "precision": training.precision,
    }
    taken = {argument.name for argument in arguments_of(model_class)}
    return model_class(**cell.args, **{k: v for k, v in supplied.items() if k in taken})


def _deliver(workspace: Workspace, cell: Cell, workshop: Path, repeats: int, failed: Failure | None) -> None:
    """Put the finished fits, or the reason why there are none, where DVC expects them, by one rename."""
    aside = workshop / "delivery"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    if failed is None:
        _gather(aside, workspace.training_cost(cell.name).name, workshop, repeats)
    else:
        failure.write(aside, failed)
    out = workspace.model(cell.name)
    manifest.write(aside, stands_in=out, built_on=workspace.prepared(cell.dataset) / manifest.NAME)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)
    if failed is None:
        kept.keep(workshop, workspace.fits(cell.name))
        shutil.rmtree(workspace.failed(cell.name), ignore_errors=True)
    else:
        failure.keep_checkpoints(workshop, workspace.failed(cell.name))
        shutil.rmtree(workshop)


def _gather(aside: Path, cost_name: str, workshop: Path, repeats: int) -> None:
    """Put models, curves and costs of all repeats into one folder."""
    costs, rows = [], []
    for repeat in range(repeats):
        folder = workshop / str(repeat)
        persistence.copy(folder / "model", aside / str(repeat))
        if (folder / f"{DEFAULT}.json").is_file():
            (aside / DEFAULT).mkdir(exist_ok=True)
            persistence.copy(folder / DEFAULT, aside / DEFAULT / str(repeat))
        costs.append(json.loads((folder / "cost.json").read_text()))
        with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
            rows += [(r["repeat"], r["step"], r["name"], r["value"]) for r in csv.DictReader(file)]
    write_history(aside / "history.csv", rows)
    if (drawn := workshop / "0" / PROGRESSION).is_file():
        shutil.copy2(drawn, aside)
    trials = [(repeat, tuning_trials.collect(workshop / str(repeat) / "trials")) for repeat in range(repeats)]
    if any(of_repeat for _, of_repeat in trials):
        tuning_trials.write_table(aside / "trials.csv", trials)
    together = int(os.environ.get("VERSUS_SIDE_BY_SIDE", "1"))  # stages that may have shared the machine
    cost = json.dumps({"repeats": costs, "hardware": describe_hardware(), "side_by_side": together}, indent=1)
    (aside / cost_name).write_text(cost + "\n")
