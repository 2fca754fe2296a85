"""Rows of a class that no model saw: each class in turn is left out of training, and its test rows must be told apart.

A model tells them by its log-density (or the bound of it), by the largest probability of a class that it knows
(Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR 2017), and by the
error of what it rebuilds; the score is the area under the ROC curve of known against unknown rows, a mean over classes
and repeats. Test rows are drawn again for the intervals, the same ones for all models.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.targets import Classes
from versus.evaluation.answers import HeldOut, capabilities, density, in_batches
from versus.evaluation.uses.density import as_asked
from versus.evaluation.uses.novelty import reconstruction_errors
from versus.experiments.curves import Course
from versus.experiments.fits import Entrant, fit
from versus.experiments.run import Job, run_parts
from versus.fitting import failure
from versus.fitting.cell import build
from versus.metrics.curves import roc_auc

SIGNALS = ("density", "largest probability", "reconstruction error")
MOST_CLASSES, RESAMPLES = 10, 400
FEWEST = 3  # classes: with one left, a classifier has nothing to tell


def run(job: Job) -> None:
    """Fit each cell without each class, and score how it tells the class's rows from the others.

    Raises:
        ValueError: where the data set has fewer than three classes.
    """
    target = job.data.schema.y
    if not isinstance(target, Classes) or len(target.names) < FEWEST:
        raise ValueError(f"held_out_class: {job.asked.data} must have {FEWEST} classes or more; there is nothing to do")
    names = target.names[:MOST_CLASSES]

    def found(courses: Mapping[str, Sequence[Course]]) -> dict[str, Any]:
        skipped = {(c, names[k], why) for c, of in courses.items() for o in of for k, why in o.skipped.items()}
        about = {"classes": list(names), "confidence": job.comparison.confidence, "pairs": []}
        return {**about, "rows": rows_of(courses, job.data, job.comparison.confidence), "skipped": sorted(skipped)}

    entrants = [Entrant(cell.name, cell) for cell in job.cells]
    run_parts(job, entrants, lambda entrant, repeat: _course(job, entrant, repeat, len(names)), found)


def _course(job: Job, entrant: Entrant, repeat: int, classes: int) -> Course:
    """Fit without each class; rows of the result: signal -> (classes, n) familiarity of the test rows."""
    data, held_out = job.data, HeldOut(job.data, repeat)
    blank = {signal: np.full((classes, len(held_out.y)), np.nan) for signal in SIGNALS}
    course = Course(blank, np.zeros((classes, 1)), {})
    for k in range(classes):

        def fit_and_ask(k: int = k) -> None:
            known, rows = without(data, k), data.rows(repeat, "train", "validation")
            begin = time.perf_counter()
            model = build(entrant.cell, job.training, job.seed + repeat, known.schema)
            fit(model, known, repeat, rows[data.y[rows] != k])
            course.seconds[k] = time.perf_counter() - begin
            for signal, values in familiarities(model, held_out.X, known.schema, job.seed + repeat):
                course.rows[signal][k] = values

        failed = failure.attempt(fit_and_ask, "training", entrant.cell.time_limit)
        if failed is not None:
            course.skipped[k] = failed.reason
    return course


def without(data: Prepared, k: int) -> Prepared:
    """Return the data set with one class less; the codes of rows of that class mean nothing any more."""
    assert isinstance(data.schema.y, Classes)
    names = data.schema.y.names[:k] + data.schema.y.names[k + 1 :]
    schema = replace(data.schema, y=replace(data.schema.y, names=names))
    return replace(data, schema=schema, y=data.y - (data.y > k) - ((data.y == k) & (k == len(names))))


def familiarities(model: Any, X: Any, schema: Schema, seed: int) -> Iterator[tuple[str, Array]]:
    """Yield each signal that the model has and its value for each event, (N, *event) -> (N,), higher if familiar."""
    has = capabilities(model)
    method = density(has)
    if method is not None:
        values = in_batches(getattr(model, method), as_asked(model, X, schema, seed))
        yield SIGNALS[0], np.nan_to_num(np.asarray(values, np.float64), nan=-np.inf)
    if "predict_proba" in has:
        yield SIGNALS[1], in_batches(model.predict_proba, X).max(axis=1)
    if "reconstruct" in has:
        yield SIGNALS[2], -reconstruction_errors(model, X, X, schema)


def rows_of(courses: Mapping[str, Sequence[Course]], data: Prepared, confidence: float) -> list[dict[str, Any]]:
    """Return a row for each cell and signal, the best first: its area, by class, and its difference from the best."""
    test = [data.rows(repeat, "test") for repeat in range(data.repeats)]
    units = [rows if data.units is None else data.units[rows] for rows in test]
    known, joined = np.unique(np.concatenate(units), return_inverse=True)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), size=RESAMPLES)
    times = np.vstack([np.ones(len(known)), drawn])  # resample 0 is the sample itself
    times = times[:, joined] if data.weights is None else times[:, joined] * data.weights[np.concatenate(test)]
    weights = np.split(times, np.cumsum([len(rows) for rows in test])[:-1], axis=1)
    areas = {
        (cell, signal): found
        for cell, of in courses.items()
        for signal in SIGNALS
        if np.isfinite(found := _areas([c.rows[signal] for c in of], [data.y[r] for r in test], weights)).any()
    }
    ordered = sorted(areas, key=lambda key: -float(np.nanmean(areas[key][0])))
    tail = 100 * (1 - confidence) / 2
    rows = []
    for cell, signal in ordered:
        with np.errstate(invalid="ignore"):
            means = np.nanmean(areas[cell, signal], axis=1)
            apart = means - np.nanmean(areas[ordered[0]], axis=1)
        ends, behind = (np.nanpercentile(of[1:], [tail, 100 - tail]).tolist() for of in (means, apart))
        rows.append(
            {
                "cell": cell,
                "signal": signal,
                "value": float(means[0]),
                "interval": ends,
                "by_class": [None if np.isnan(area) else float(area) for area in areas[cell, signal][0]],
                "from_best": [float(apart[0]), *behind],
            }
        )
    return rows


def _areas(familiarity: Sequence[Array], y: Sequence[Array], weights: Sequence[Array]) -> Array:
    """Mean over repeats of the area for each class, (B + 1, K); NaN where a class has none."""
    found = np.full((len(y), len(weights[0]), len(familiarity[0])), np.nan)
    for repeat, (of, labels, times) in enumerate(zip(familiarity, y, weights, strict=True)):
        for k, values in enumerate(of):
            is_known = (labels != k).astype(np.int64)
            if np.isnan(values).any() or not 0 < is_known.sum() < len(is_known):
                continue
            place = np.unique(values, return_inverse=True)[1] / len(values)
            found[repeat, :, k] = roc_auc(is_known, np.stack([1 - place, place], axis=1)).of(times)
    counts = np.isfinite(found).sum(axis=0)
    sums = np.nansum(found, axis=0)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
