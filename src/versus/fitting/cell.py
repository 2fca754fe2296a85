"""Fit a cell once for each repeat, and keep the models, the curves and the cost."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from versus import manifest
from versus.arrays import Array
from versus.data import prepared
from versus.data.prepared import Part, Prepared
from versus.data.schema import Schema
from versus.fitting import failure, kept, unfinished
from versus.fitting import tuning as tuning_trials
from versus.fitting.failure import Failure
from versus.fitting.progress import OnStep
from versus.fitting.steps import HistoryRow, run_steps
from versus.metrics.cost import PeakMemory
from versus.models import catalogue, find, persistence
from versus.models.arguments import arguments_of
from versus.models.protocols import FitsBySteps, takes_weights
from versus.provenance import describe_hardware
from versus.settings import Cell, Training, Tuning
from versus.workspace import DEFAULT, Workspace

Observe = Callable[[int, Mapping[str, float], int], None]


def fit_cell(
    workspace: Workspace,
    cell: Cell,
    training: Training,
    seed: int,
    observe: Observe | None = None,
    tuning: Tuning | None = None,
) -> None:
    """Fit a cell once for each repeat and write models/<cell>/; fits that a kill interrupted are resumed.

    A fit of the training before that depends on nothing that has changed is taken up (`versus.fitting.kept`).
    Where a fit fails, the folder holds the reason instead (`versus.fitting.failure`).

    Args:
        workspace: with the prepared data set and the stage's fingerprint.
        cell: the cell to fit.
        training: device and precision.
        seed: repeat r is fitted with ``random_state=seed + r``.
        observe: called as ``observe(step, losses, repeat)`` after each epoch of the final fits.
        tuning: budget for choosing the arguments (`versus.fitting.tuning`); None for none.

    Raises:
        ValueError: where the prepared data set is damaged.
    """
    manifest.check(workspace.prepared(cell.dataset))
    data = prepared.read(workspace.prepared(cell.dataset))
    workshop = workspace.unfinished(cell.name)
    workshop.parent.mkdir(parents=True, exist_ok=True)
    # A killed dvc's stage may take a moment to die: its successor waits for it.
    with FileLock(unfinished.lock(workshop), timeout=60):
        stage = f"train-{cell.name}"
        fingerprint = unfinished.fingerprint(workspace, stage, cell.dataset)
        unfinished.open_folder(workshop, fingerprint)
        code = unfinished.stage_file(workspace, stage).read_bytes()
        known = kept.available(workspace.fits(cell.name), fingerprint)

        def take_up(repeat: int) -> str:
            """Take up a fit that is known already; return its key."""
            key = kept.key(code, data, repeat)
            if key in known:
                kept.take_up(known[key], workshop / str(repeat))
            return key

        def build_with(arguments: Mapping[str, Any], repeat: int) -> Any:
            return build(replace(cell, args={**cell.args, **arguments}), training, seed + repeat, data.schema)

        job = Job(cell, data, workshop, build_with, tuning or Tuning(), seed, observe)
        failed = failure.attempt(lambda: _fit_repeats(job, take_up), "training", cell.time_limit)
        if failed is not None:
            failed = replace(failed, repeat=next(_unfitted(workshop, data.repeats), None))
        _deliver(workspace, cell, workshop, data.repeats, failed)


@dataclass(frozen=True)
class Job:
    """Fits of one cell: its data, the folder of what is not finished, and the model for a repeat and its arguments."""

    cell: Cell
    data: Prepared
    workshop: Path
    build: Callable[[Mapping[str, Any], int], Any]
    tuning: Tuning
    seed: int
    observe: Observe | None

    def title(self, repeat: int) -> str:
        """Name of a repeat for readers."""
        return f"{self.cell.name} {repeat + 1}/{self.data.repeats}"


def _fit_repeats(job: Job, take_up: Callable[[int], str]) -> None:
    """Fit the repeats that are not fitted yet, here or in the training before."""
    for repeat in _unfitted(job.workshop, job.data.repeats):
        key = take_up(repeat)
        if not _is_fitted(job.workshop, repeat):
            _fit_repeat(job, _tuned(job, repeat) if job.tuning.trials else {}, repeat, key)


def _tuned(job: Job, repeat: int) -> dict[str, Any]:
    """Choose the arguments of one repeat by trials on its training and validation parts."""

    def fit(arguments: Mapping[str, Any], checkpoint: Path) -> Any:
        model = job.build(arguments, repeat)
        _fit(model, job.data, repeat, ("train",), checkpoint, None, f"{job.title(repeat)} trial")
        return model

    validation = (*job.data.take(repeat, "validation"), job.data.weights_of(repeat, "validation"))
    share = (job.tuning.seconds or float("inf")) / job.data.repeats
    model_class = find(job.cell.family, job.cell.module, job.cell.class_name)
    for library in model_class.late_imports:
        importlib.import_module(library)
    return tuning_trials.choose(
        model_class, job.tuning, job.seed, _trials(job.workshop, repeat), fit, validation, share
    )


def _trials(workshop: Path, repeat: int) -> Path:
    return workshop / f"{repeat}.trials"


def _unfitted(workshop: Path, repeats: int) -> Iterator[int]:
    return (repeat for repeat in range(repeats) if not _is_fitted(workshop, repeat))


def _is_fitted(workshop: Path, repeat: int) -> bool:
    return (workshop / str(repeat) / "cost.json").is_file()


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


def _fit_repeat(job: Job, arguments: Mapping[str, Any], repeat: int, key: str) -> None:
    """Fit one repeat and write it to ``workshop/<repeat>/``, cost.json last: it marks a complete fit.

    Where other arguments than the default ones were chosen, the default is fitted, too, to be compared on test rows.
    """
    folder, model = job.workshop / str(repeat), job.build(arguments, repeat)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    checkpoint, observe, parts = job.workshop / f"{repeat}.checkpoint", job.observe, parts_to_fit(model)
    on_step = None if observe is None else lambda step: observe(step.step, step.losses, repeat)
    for library in getattr(model, "late_imports", ()):
        importlib.import_module(library)  # before the clock starts
    with PeakMemory() as memory:
        history = _fit(model, job.data, repeat, parts, checkpoint, on_step, job.title(repeat))
    persistence.save(model, folder / "model", job.cell.family, job.cell.module)
    _write_history(folder / "history.csv", ((repeat, *row) for row in history))
    if arguments:
        default = job.build({}, repeat)
        checkpoint.unlink(missing_ok=True)
        _fit(default, job.data, repeat, parts, checkpoint, None, f"{job.title(repeat)} default")
        persistence.save(default, folder / DEFAULT, job.cell.family, job.cell.module)
    kept.mark(folder, key)
    cost = {
        **memory.as_json(),
        "device": str(getattr(model, "device_", "cpu")),
        "precision": str(getattr(model, "precision_", "64-true")),
        "n_train": len(job.data.rows(repeat, *parts)),
    }
    if (trials := _trials(job.workshop, repeat)).is_dir():
        shutil.copytree(trials, folder / "trials")
        cost["tuning_seconds"] = sum(trial.seconds for trial in tuning_trials.collect(trials))
    (folder / "cost.json").write_text(json.dumps(cost))
    checkpoint.unlink(missing_ok=True)
    shutil.rmtree(trials, ignore_errors=True)


def parts_to_fit(model: Any) -> tuple[Part, ...]:
    """Return the parts of the data that a model learns from: the same labelled rows for all.

    A model with ``holds_out_validation`` sets the validation part aside, to stop early by it.
    """
    return ("train",) if getattr(model, "holds_out_validation", False) else ("train", "validation")


def weights_for(model: Any, weights: Array | None) -> dict[str, Any]:
    """Return the keyword that hands weights (N,) to ``fit`` of a model that takes them; empty where there are none."""
    return {"sample_weight": weights} if weights is not None and takes_weights(model) else {}


def _fit(
    model: Any,
    data: Prepared,
    repeat: int,
    parts: tuple[Part, ...],
    checkpoint: Path,
    on_step: OnStep | None,
    title: str,
) -> list[HistoryRow]:
    X, y = data.take(repeat, *parts)
    weighted = weights_for(model, data.weights_of(repeat, *parts))
    if not isinstance(model, FitsBySteps):
        model.fit(X, y, **weighted)
        return []
    held_out = (*data.take(repeat, "validation"), *((data.weights_of(repeat, "validation"),) if weighted else ()))
    return run_steps(
        model,
        X,
        y,
        validation=held_out if "validation" not in parts_to_fit(model) else None,
        **weighted,
        checkpoint=checkpoint,
        on_step=on_step,
        title=title,
    )


def _write_history(path: Path, rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["repeat", "step", "name", "value"])
        writer.writerows((r, s, n, repr(float(v))) for r, s, n, v in rows)


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
    else:
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
    _write_history(aside / "history.csv", rows)
    trials = [(repeat, tuning_trials.collect(workshop / str(repeat) / "trials")) for repeat in range(repeats)]
    if any(of_repeat for _, of_repeat in trials):
        tuning_trials.write_table(aside / "trials.csv", trials)
    together = int(os.environ.get("VERSUS_SIDE_BY_SIDE", "1"))  # stages that may have shared the machine
    cost = json.dumps({"repeats": costs, "hardware": describe_hardware(), "side_by_side": together}, indent=1)
    (aside / cost_name).write_text(cost + "\n")
