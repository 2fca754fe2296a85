"""Classes that are as frequent at test time as they were not in training: three answers beside each other.

The test rows count as if the rarest class had become nine times as frequent as the most frequent one
(`versus.evaluation.uses.shifts`). Each cell answers as it was fitted; with its probabilities turned to the new priors
by Bayes' rule, which takes no fit; and fitted again, to rows whose weights give the classes their new priors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.targets import Classes
from versus.evaluation.answers import HeldOut
from versus.evaluation.uses import shifts
from versus.experiments.fits import Entrant, Task, fit
from versus.experiments.run import Job, run_curves
from versus.experiments.training_size import most_rows
from versus.models.protocols import takes_weights
from versus.settings import Cell


def run(job: Job) -> None:
    """Fit and score each cell in the three ways.

    Raises:
        ValueError: where the target is no class.
    """
    if not isinstance(job.data.schema.y, Classes):
        raise ValueError(f"label_shift: {job.asked.data} has no classes that could shift")
    entrants = [Entrant(cell.name, cell) for cell in job.cells]
    gains = []
    for cell in job.cells:
        turned, again = (Entrant(f"{cell.name}+{how}", cell, to(cell)) for how, to in WAYS.items())
        entrants += [turned, again]
        gains += [(turned.name, cell.name), (again.name, cell.name), (again.name, turned.name)]
    run_curves(job, [most_rows(job.data)], 1, entrants, gains, lambda held_out: shift_of(held_out)[0])


def shift_of(held_out: HeldOut) -> tuple[Array, Array]:
    """Weights (n,) of the test rows, and the new priors of the classes (K,)."""
    y = held_out.y
    counts = _counts(held_out.data.take(held_out.repeat, "train", "validation")[1], held_out.schema.n_classes)
    return shifts.shifted_classes(y, counts, np.ones(len(y)) if held_out.weights is None else held_out.weights)


def _counts(y: Labels, classes: int) -> Array:
    return np.bincount(y, minlength=classes)


@dataclass(frozen=True)
class Turned:
    """A classifier whose probabilities are turned from the priors of its training set to others."""

    model: Any
    before: Array
    after: Array

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, (N, *event) -> (N, K)."""
        return shifts.turned(np.asarray(self.model.predict_proba(X), np.float64), self.before, self.after)


def _by_bayes(cell: Cell) -> Callable[[Task], Any]:
    def learn(task: Task) -> Any:
        model, (_, after) = task.fitted(cell), shift_of(HeldOut(task.data, task.repeat))
        counts = _counts(task.data.y[task.rows], task.data.schema.n_classes) + 1.0
        before = np.exp(model.log_prior_) if hasattr(model, "log_prior_") else counts / counts.sum()
        return Turned(model, before, after)

    return learn


def _fitted_again(cell: Cell) -> Callable[[Task], Any]:
    def learn(task: Task) -> Any:
        model, (_, after) = task.new(cell), shift_of(HeldOut(task.data, task.repeat))
        if not takes_weights(model):
            raise ValueError(f"the fit of {type(model).__name__} takes no weights of rows")
        shares = _counts(task.data.y[task.rows], len(after)) / len(task.rows)
        of_class = after / np.where(shares > 0, shares, 1.0)
        given = np.ones(len(task.data.y)) if task.data.weights is None else task.data.weights
        fit(model, replace(task.data, weights=given * of_class[task.data.y]), task.repeat, task.rows)
        return model

    return learn


WAYS = {"bayes": _by_bayes, "refitted": _fitted_again}
