"""Fits of the repeats of one cell, each alone or several together, written when they are complete."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from versus.arrays import Array, Step
from versus.data.prepared import Part, Prepared
from versus.data.spaces import Table
from versus.fitting import kept
from versus.fitting import tuning as tuning_trials
from versus.fitting.progress import OnStep
from versus.fitting.progression import Progression, Show
from versus.fitting.steps import HistoryRow, run_steps, run_together
from versus.metrics.cost import PeakMemory, energy_of
from versus.models import find, persistence
from versus.models.protocols import FitsBySteps, takes_weights
from versus.settings import Cell, Tuning
from versus.workspace import DEFAULT

Observe = Callable[[int, Mapping[str, float], int], None]


@dataclass(frozen=True)
class Job:
    """Fits of one cell: its data, the folder of what is not finished, and the model for a repeat and its arguments.

    ``observe`` is told the losses of each epoch, ``show`` what the model of the first repeat draws on the way;
    ``energy`` is True if the energy of fits is measured.
    """

    cell: Cell
    data: Prepared
    workshop: Path
    build: Callable[[Mapping[str, Any], int], Any]
    tuning: Tuning
    seed: int
    observe: Observe | None
    show: Show | None = None
    energy: bool = False

    @property
    def model_class(self) -> type[Any]:
        """Class of the cell's model."""
        return find(self.cell.family, self.cell.module, self.cell.class_name)

    @property
    def may_be_together(self) -> bool:
        """True if the repeats, which have the same arguments, may be trained as one batched network."""
        several = self.data.repeats > 1 and not self.tuning.trials and isinstance(self.data.schema.x, Table)
        return several and hasattr(self.model_class, "fit_together")

    def title(self, repeat: int) -> str:
        """Name of a repeat for readers."""
        return f"{self.cell.name} {repeat + 1}/{self.data.repeats}"


def unfitted(workshop: Path, repeats: int) -> list[int]:
    """List the repeats that have no complete fit yet."""
    return [repeat for repeat in range(repeats) if not is_fitted(workshop, repeat)]


def is_fitted(workshop: Path, repeat: int) -> bool:
    """Check that a repeat has a complete fit."""
    return (workshop / str(repeat) / "cost.json").is_file()


def _tuned(job: Job, repeat: int) -> dict[str, Any]:
    """Choose the arguments of one repeat by trials on its training and validation parts."""

    def fit(arguments: Mapping[str, Any], checkpoint: Path) -> Any:
        model = job.build(arguments, repeat)
        fit_model(job, model, repeat, ("train",), title=f"{job.title(repeat)} trial", checkpoint=checkpoint)
        return model

    validation = (*job.data.take(repeat, "validation"), job.data.weights_of(repeat, "validation"))
    share = (job.tuning.seconds or float("inf")) / job.data.repeats
    _import_late(job.model_class)
    return tuning_trials.choose(
        job.model_class, job.tuning, job.seed, _trials(job.workshop, repeat), fit, validation, share
    )


def _trials(workshop: Path, repeat: int) -> Path:
    return workshop / f"{repeat}.trials"


def fit_alone(job: Job, repeat: int, key: str) -> None:
    """Fit one repeat and write it to ``workshop/<repeat>/``.

    Where other arguments than the default ones were chosen, the default is fitted, too, to be compared on test rows.
    """
    arguments = _tuned(job, repeat) if job.tuning.trials else {}
    folder, model = _emptied(job, repeat), job.build(arguments, repeat)
    checkpoint, observe = checkpoint_of(job, repeat), job.observe
    drawn = Progression(model, job.workshop / f"{repeat}.drawn", job.show) if _draws_on_the_way(model, repeat) else None

    def on_step(step: Step) -> None:
        if observe is not None:
            observe(step.step, step.losses, repeat)
        if drawn is not None:
            drawn.see(step)

    _import_late(model)  # before the clock starts
    with energy_of(job.energy) as energy, PeakMemory() as memory:
        history = fit_model(job, model, repeat, on_step=on_step)
    persistence.save(model, folder / "model", job.cell.family, job.cell.module)
    if arguments:
        default = job.build({}, repeat)
        checkpoint.unlink(missing_ok=True)
        fit_model(job, default, repeat, title=f"{job.title(repeat)} default")
        persistence.save(default, folder / DEFAULT, job.cell.family, job.cell.module)
    cost: dict[str, Any] = memory.as_json() | energy
    if (trials := _trials(job.workshop, repeat)).is_dir():
        shutil.copytree(trials, folder / "trials")
        cost["tuning_seconds"] = sum(trial.seconds for trial in tuning_trials.collect(trials))
    if drawn is not None:
        drawn.gather(folder)
    _complete(job, repeat, model, history, key, cost)
    checkpoint.unlink(missing_ok=True)
    shutil.rmtree(trials, ignore_errors=True)


def _draws_on_the_way(model: Any, repeat: int) -> bool:
    return repeat == 0 and hasattr(model, "snapshot")


def fit_together(job: Job, keys: Mapping[int, str]) -> None:
    """Fit the repeats that one batched network can train at once, and write each; leave the others.

    Which ones those are depends on all repeats: a result must not depend on which of them a kill had left unfinished.
    Seconds and energy of a fit are those of all, divided by their number, which ``together`` says.
    """
    models = [job.build({}, repeat) for repeat in range(job.data.repeats)]
    _import_late(models[0])
    parts = parts_to_fit(models[0])
    with energy_of(job.energy) as energy, PeakMemory() as memory:
        rows = [_rows(model, job.data, repeat, parts) for repeat, model in enumerate(models)]
        groups = [g for g in job.model_class.fit_together(models, rows) if not _are_fitted(job, g.places)]
        histories: dict[int, list[HistoryRow]] = {}
        for group in groups:
            title = f"{job.cell.name}, {len(group.places)} of {job.data.repeats} repeats together"
            checkpoint = _shared_checkpoint(job, group)
            found = run_together(group, checkpoint, _observed(job, group.places), title)
            histories |= dict(zip(group.places, found, strict=True))
    cost = memory.as_json() | energy
    for shared in {"seconds", "energy_wh"} & cost.keys():
        cost[shared] /= max(1, len(histories))
    for repeat, history in histories.items():
        folder = _emptied(job, repeat)
        persistence.save(models[repeat], folder / "model", job.cell.family, job.cell.module)
        _complete(job, repeat, models[repeat], history, keys[repeat], {**cost, "together": len(histories)})
    for group in groups:
        _shared_checkpoint(job, group).unlink(missing_ok=True)


def _are_fitted(job: Job, places: list[int]) -> bool:
    return all(is_fitted(job.workshop, place) for place in places)


def _shared_checkpoint(job: Job, group: Any) -> Path:
    return job.workshop / f"{group.places[0]}.together.checkpoint"


def _observed(job: Job, places: list[int]) -> OnStep | None:
    """Pass the losses of a step on, to each repeat its own."""
    observe = job.observe
    if observe is None:
        return None

    def on_step(step: Step) -> None:
        own: dict[int, dict[str, float]] = {}
        for name, value in step.losses.items():
            loss, _, place = name.partition(".")
            if place:
                own.setdefault(places[int(place)], {})[loss] = value
        for repeat, losses in own.items():
            observe(step.step, losses, repeat)

    return on_step


def _emptied(job: Job, repeat: int) -> Path:
    folder = job.workshop / str(repeat)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _import_late(model: Any) -> None:
    for library in getattr(model, "late_imports", ()):
        importlib.import_module(library)


def _complete(job: Job, repeat: int, model: Any, history: list[HistoryRow], key: str, cost: Mapping[str, Any]) -> None:
    """Write history, key and cost of a fit, the cost last: it marks a complete fit."""
    folder = job.workshop / str(repeat)
    write_history(folder / "history.csv", ((repeat, *row) for row in history))
    kept.mark(folder, key)
    about: dict[str, Any] = {
        "device": str(getattr(model, "device_", "cpu")),
        "precision": str(getattr(model, "precision_", "64-true")),
        "n_train": len(job.data.rows(repeat, *parts_to_fit(model))),
    }
    if (devices := int(os.environ.get("WORLD_SIZE", "1"))) > 1:
        about["devices"] = devices
    (folder / "cost.json").write_text(json.dumps({**cost, **about}))


def parts_to_fit(model: Any) -> tuple[Part, ...]:
    """Return the parts of the data that a model learns from: the same labelled rows for all.

    A model with ``holds_out_validation`` sets the validation part aside, to stop early by it.
    """
    return ("train",) if getattr(model, "holds_out_validation", False) else ("train", "validation")


def weights_for(model: Any, weights: Array | None) -> dict[str, Any]:
    """Return the keyword that hands weights (N,) to ``fit`` of a model that takes them; empty where there are none."""
    return {"sample_weight": weights} if weights is not None and takes_weights(model) else {}


def fit_model(
    job: Job,
    model: Any,
    repeat: int,
    parts: tuple[Part, ...] | None = None,
    on_step: OnStep | None = None,
    title: str = "",
    checkpoint: Path | None = None,
    keeps: bool = True,
) -> list[HistoryRow]:
    """Fit a model on one repeat, on the parts that it learns from by default; return its learning curves."""
    X, y, validation, weights = _rows(model, job.data, repeat, parts or parts_to_fit(model))
    weighted = {} if weights is None else {"sample_weight": weights}
    if not isinstance(model, FitsBySteps):
        model.fit(X, y, **weighted)
        return []
    _import_late(model)
    path = checkpoint or checkpoint_of(job, repeat)
    title = title or job.title(repeat)
    return run_steps(model, X, y, validation, path, on_step, title, weights, keeps)


def checkpoint_of(job: Job, repeat: int) -> Path:
    """Return the path of the state of a repeat's unfinished fit."""
    return job.workshop / f"{repeat}.checkpoint"


def _rows(model: Any, data: Prepared, repeat: int, parts: tuple[Part, ...]) -> tuple[Any, Any, Any, Array | None]:
    """Rows of a repeat to fit a model on: X, y, what is held out for one that stops early by it, and weights."""
    X, y = data.take(repeat, *parts)
    weights = weights_for(model, data.weights_of(repeat, *parts)).get("sample_weight")
    if "validation" in parts_to_fit(model):
        return X, y, None, weights
    of_held_out = () if weights is None else (data.weights_of(repeat, "validation"),)
    return X, y, (*data.take(repeat, "validation"), *of_held_out), weights


def write_history(path: Path, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows of repeat, step, name and value of a loss."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["repeat", "step", "name", "value"])
        writer.writerows((r, s, n, repr(float(v))) for r, s, n, v in rows)
