"""Scores by the number of rows to learn from, and the size at which one side overtakes the other.

In each repeat the rows to learn from are put into a random order, several times; the first m rows of an order are its
training set of size m, so that smaller sets lie within larger ones. All models get the same sets and are scored on the
same test rows. Each prefix has the classes in their proportions as nearly as possible, and every class at least once
from the K-th row on. With all rows, the first order gives the very fits that the report compares. After Ng and Jordan,
"On Discriminative vs. Generative Classifiers" (NIPS 2001).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from versus import manifest
from versus.arrays import Step
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.targets import Classes
from versus.evaluation.answers import EvaluationError, HeldOut
from versus.evaluation.uses import prediction, tagging
from versus.experiments import curves
from versus.experiments.curves import Course
from versus.fitting import failure, unfinished
from versus.fitting.cell import build, parts_to_fit
from versus.fitting.progress import training_progress
from versus.metrics import table
from versus.metrics.metric import Metric
from versus.models.protocols import FitsBySteps
from versus.settings import Cell, Comparison, Training, TrainingSize
from versus.workspace import Workspace

Rows = NDArray[np.int64]
MOST_SIZES = 9
LEAST_ROWS = 8  # of the smallest training set where there are twice as many; and two of each class
LOG_SCORES = {"classification": "log_loss", "tagging": "tag_log_loss"}


@dataclass(frozen=True)
class Fits:
    """Fits of an experiment: which data, sizes, orders and scores, with which device and seed."""

    data: Prepared
    sizes: Sequence[int]
    draws: int
    metrics: Sequence[Metric]
    training: Training
    seed: int

    def course(self, cell: Cell, repeat: int) -> Course:
        """Fit and score one cell at all sizes of all orders of one repeat."""
        held_out = HeldOut(self.data, repeat)
        shape = (len(self.sizes), self.draws)
        blank = {m.name: np.full((*shape, len(held_out.y)), np.nan, np.float32) for m in self.metrics}
        course = Course(blank, np.zeros(shape), {})
        for draw in range(self.draws):
            for i, rows in enumerate(self._training_sets(repeat, draw)):

                def fit_and_score(place: tuple[int, int] = (i, draw), rows: Rows = rows) -> None:
                    seed = self.seed + repeat + place[1] * self.data.repeats
                    model = build(cell, self.training, seed, self.data.schema)
                    begin = time.perf_counter()
                    _fit(model, self.data, repeat, rows)
                    course.seconds[place] = time.perf_counter() - begin
                    for name, scores in row_scores(model, held_out, self.metrics, self.seed + repeat):
                        course.rows[name][place] = scores

                failed = failure.attempt(fit_and_score, "training", cell.time_limit)
                if failed is not None:
                    course.skipped.setdefault(self.sizes[i], failed.reason)
        return course

    def _training_sets(self, repeat: int, draw: int) -> Iterator[Rows]:
        """Yield the rows of each size, ascending."""
        pool, schema = self.data.rows(repeat, "train", "validation"), self.data.schema
        classes = schema.n_classes if isinstance(schema.y, Classes) else 0
        ordered = order(self.data.y, pool, classes, np.random.default_rng([self.seed, repeat, draw]))
        for size in self.sizes:
            # Folds differ by a row: where the size is that of the smallest pool, a row more is all rows.
            yield np.sort(ordered if size + 1 >= len(pool) else ordered[:size])


def run(
    workspace: Workspace,
    name: str,
    asked: TrainingSize,
    cells: Sequence[Cell],
    training: Training,
    comparison: Comparison,
    seed: int,
) -> None:
    """Fit and score all cells at all sizes and write reports/evaluations/experiments/<name>/.

    A killed run goes on with the cells and repeats that are done.

    Args:
        workspace: with the prepared data set and the stage's fingerprint.
        name: name of the experiment.
        asked: its sizes and the number of orders.
        cells: the cells to fit.
        training: device and precision.
        comparison: the deciding score, and the confidence of the intervals.
        seed: repeat r is fitted with ``random_state=seed + r``.

    Raises:
        ValueError: where a size has more rows than there are.
    """
    manifest.check(workspace.prepared(asked.data))
    data = prepared.read(workspace.prepared(asked.data))
    metrics = metrics_of(data.schema, comparison, asked.data)
    fits = Fits(data, sizes_of(data, asked), asked.draws, metrics, training, seed)
    workshop = workspace.unfinished(f"experiment-{name}")
    workshop.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(unfinished.lock(workshop), timeout=60):
        unfinished.open_folder(workshop, unfinished.fingerprint(workspace, f"experiment-{name}", asked.data))
        courses: dict[str, list[Course]] = {cell.name: [] for cell in cells}
        with training_progress(f"experiment {name}", len(cells) * data.repeats) as show:
            for done, (cell, repeat) in enumerate((c, r) for c in cells for r in range(data.repeats)):
                kept = workshop / f"{cell.name}-{repeat}"
                if not kept.with_suffix(".json").is_file():
                    _keep(kept, fits.course(cell, repeat))
                courses[cell.name].append(_kept(kept))
                show(Step(done + 1, {}, 0.0, dict))
        aside = workshop / "delivery"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        found = curves.compare(cells, courses, fits.sizes, metrics, data, comparison.confidence, seed)
        for file, content in (
            (workspace.experiment_result(name).name, {"dataset": asked.data, **found}),
            ("costs.json", curves.costs(courses)),
        ):
            (aside / file).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        _deliver(workspace.experiment(name), aside)
        shutil.rmtree(workshop)


def _deliver(out: Path, aside: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


def sizes_of(data: Prepared, asked: TrainingSize) -> list[int]:
    """Return the ascending training-set sizes: those asked for, or all rows, halved again and again.

    Raises:
        ValueError: where one is larger than the rows to learn from.
    """
    most = min(len(data.rows(repeat, "train", "validation")) for repeat in range(data.repeats))
    if asked.sizes != "auto":
        if max(asked.sizes) > most:
            raise ValueError(f"sizes: {max(asked.sizes)} is more than the {most} rows of {asked.data} to learn from")
        return sorted(set(asked.sizes))
    classes = data.schema.n_classes if isinstance(data.schema.y, Classes) else 0
    least = max(min(LEAST_ROWS, most // 2), 2 * classes)
    halved = [round(most / 2**k) for k in range(MOST_SIZES)]
    return sorted(size for size in halved if size >= least)


def metrics_of(schema: Schema, comparison: Comparison, dataset: str) -> list[Metric]:
    """Return the deciding score, or where it is no mean over rows the task's first, and the logarithmic score."""
    task = schema.y.task
    chosen = [table.primary(comparison.primary, task, dataset), table.deciding(task)[0].name, LOG_SCORES.get(task)]
    found = [metric for name in dict.fromkeys(chosen) if name for metric in (table.named(name),)]
    main = next(metric for metric in found if metric.rows is not None)
    return [main, *(m for m in found if m.name == LOG_SCORES.get(task) and m is not main)]


def order(y: Any, rows: Rows, classes: int, rng: np.random.Generator) -> Rows:
    """Put rows into a random order, each prefix of which has the classes in proportion: (m,) -> (m,).

    Args:
        y: (N,) class codes; not read without classes.
        rows: indices to order.
        classes: K; 0 for a plain random order.
        rng: source of chance.
    """
    shuffled = rng.permutation(rows)
    if not classes:
        return shuffled
    place = np.empty(len(shuffled))
    for label in range(classes):
        members = np.flatnonzero(y[shuffled] == label)
        place[members] = (np.arange(len(members)) + rng.random()) / max(len(members), 1)
        place[members[:1]] -= 1  # one of each class comes first: no model can tell a class that it never saw
    return shuffled[np.argsort(place, kind="stable")]


def _fit(model: Any, data: Prepared, repeat: int, rows: Rows) -> None:
    """Fit a model on some rows; one that stops early holds out those that lie in the validation part."""
    held = np.isin(rows, data.splits["validation"][repeat]) & ("validation" not in parts_to_fit(model))
    if held.all():
        held[:] = False
    X, y = data.X[rows[~held]], data.y[rows[~held]]
    if not isinstance(model, FitsBySteps):
        model.fit(X, y)
        return
    validation = (data.X[rows[held]], data.y[rows[held]]) if held.any() else None
    for _ in model.fit_steps(X, y, validation):
        pass


def row_scores(
    model: Any, held_out: HeldOut, metrics: Sequence[Metric], seed: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name of each metric and the score of each test row, (n,), the mean of which is the score.

    Raises:
        EvaluationError: where the model predicts nothing, or a score has no value.
    """
    use = next(use for use in (prediction, tagging) if use.concerns(held_out.schema))
    if (reason := use.reason_against(model, held_out.schema)) is not None:
        raise EvaluationError(reason)
    (answered,) = use.answers(model, held_out, seed)
    for metric in metrics:
        assert metric.rows is not None
        found = metric.row_scores(metric.rows(*answered.given))
        if found is None or not np.isfinite(found).all():
            raise EvaluationError(f"{metric.label} has no finite value on the test rows")
        yield metric.name, found


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
