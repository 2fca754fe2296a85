"""Run an experiment: part by part, so that a killed one resumes, and its result in place at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from versus import manifest
from versus.arrays import Array, Step
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.evaluation.answers import HeldOut
from versus.experiments import curves
from versus.experiments.curves import Course
from versus.experiments.fits import Entrant, Fits
from versus.fitting import unfinished
from versus.fitting.progress import training_progress
from versus.metrics import table
from versus.metrics.metric import Metric
from versus.settings import Cell, Comparison, Experiment, Training
from versus.workspace import Workspace

LOG_SCORES = {"classification": "log_loss", "tagging": "tag_log_loss"}
Gain = tuple[str, str]  # entrant with what is added, entrant without


@dataclass(frozen=True)
class Job:
    """An experiment to run.

    Args:
        workspace: with the prepared data set and the stage's fingerprint.
        name: name of the experiment.
        asked: its settings.
        cells: the cells to fit.
        training: device and precision.
        comparison: the deciding score, and the confidence of the intervals.
        seed: repeat r is fitted with ``random_state=seed + r``.
    """

    workspace: Workspace
    name: str
    asked: Experiment
    cells: Sequence[Cell]
    training: Training
    comparison: Comparison
    seed: int

    @cached_property
    def data(self) -> Prepared:
        """The prepared data set.

        Raises:
            ValueError: where it is damaged.
        """
        folder = self.workspace.prepared(self.asked.data)
        manifest.check(folder)
        return prepared.read(folder)


def run_curves(
    job: Job,
    sizes: Sequence[int],
    draws: int,
    entrants: Sequence[Entrant],
    gains: Sequence[Gain],
    weigh: Callable[[HeldOut], Array] | None = None,
) -> None:
    """Fit and score all entrants at all sizes, and write curves, differences of both sides, and gains.

    ``weigh`` gives the test rows weights (n,) of mean 1.
    """
    metrics = metrics_of(job.data.schema, job.comparison, job.asked.data)
    fits = Fits(job.data, sizes, draws, metrics, job.training, job.seed, weigh)

    def found(courses: Mapping[str, Sequence[Course]]) -> dict[str, Any]:
        return curves.compare(entrants, gains, courses, sizes, metrics, job.data, job.comparison.confidence, job.seed)

    run_parts(job, entrants, lambda entrant, repeat: fits.course(entrant, repeat), found)


def run_parts(
    job: Job,
    entrants: Sequence[Entrant],
    work: Callable[[Entrant, int], Course],
    found: Callable[[Mapping[str, Sequence[Course]]], dict[str, Any]],
) -> None:
    """Do the work of each entrant in each repeat, and write reports/evaluations/experiments/<name>/.

    A killed run goes on with the parts that are done.

    Args:
        job: the experiment.
        entrants: what is fitted.
        work: entrant, repeat -> scores.
        found: entrant -> scores of each repeat -> the result, as plain JSON types.
    """
    workspace, name, repeats = job.workspace, job.name, job.data.repeats
    workshop = workspace.unfinished(f"experiment-{name}")
    workshop.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(unfinished.lock(workshop), timeout=60):
        unfinished.open_folder(workshop, unfinished.fingerprint(workspace, f"experiment-{name}", job.asked.data))
        courses: dict[str, list[Course]] = {entrant.name: [] for entrant in entrants}
        with training_progress(f"experiment {name}", len(entrants) * repeats) as show:
            for done, (entrant, repeat) in enumerate((e, r) for e in entrants for r in range(repeats)):
                kept = workshop / f"{entrant.name}-{repeat}"
                if not kept.with_suffix(".json").is_file():
                    _keep(kept, work(entrant, repeat))
                courses[entrant.name].append(_kept(kept))
                show(Step(done + 1, {}, 0.0, dict))
        aside = workshop / "delivery"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        about = {"kind": job.asked.kind, "dataset": job.asked.data}
        for file, content in (
            (workspace.experiment_result(name).name, about | found(courses)),
            ("costs.json", curves.costs(courses)),
        ):
            (aside / file).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        _deliver(workspace.experiment(name), aside)
        shutil.rmtree(workshop)


def metrics_of(schema: Schema, comparison: Comparison, dataset: str) -> list[Metric]:
    """Return the deciding score, or where it is no mean over rows the task's first, and the logarithmic score."""
    task = schema.y.task
    chosen = [table.primary(comparison.primary, task, dataset), table.deciding(task)[0].name, LOG_SCORES.get(task)]
    found = [metric for name in dict.fromkeys(chosen) if name for metric in (table.named(name),)]
    main = next(metric for metric in found if metric.rows is not None)
    return [main, *(m for m in found if m.name == LOG_SCORES.get(task) and m is not main)]


def _deliver(out: Path, aside: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


def _keep(path: Path, course: Course) -> None:
    """Keep a finished part; the JSON file comes last and marks it as whole."""
    arrays: dict[str, Any] = {"seconds": course.seconds, **course.rows}
    np.savez(path.with_suffix(".npz"), allow_pickle=False, **arrays)
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(course.skipped), encoding="utf-8")
    os.replace(aside, path.with_suffix(".json"))


def _kept(path: Path) -> Course:
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        rows = {name: arrays[name] for name in arrays.files if name != "seconds"}
        seconds = arrays["seconds"]
    skipped = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Course(rows, seconds, {int(size): why for size, why in skipped.items()})
