r"""Scores by the number of labelled rows, with and without the other rows to learn from, which have no labels.

A model of P(x, y) learns from both kinds by EM (Nigam, McCallum, Thrun and Mitchell, "Text Classification from Labeled
and Unlabeled Documents using EM", 2000): each unlabelled row counts in all classes by their probabilities,

.. math:: \max_\theta \sum_{\text{labelled}} \log p_\theta(x, y) + \sum_{\text{unlabelled}} \log \sum_y p_\theta(x, y)

A model that takes rows without a class in its own fit gets them so, such as a semi-supervised autoencoder (Kingma,
Rezende, Mohamed and Welling, 2014). For any other one there is self-training (Yarowsky, 1995): what it is sure of
becomes a label, and it learns again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.semi_supervised import SelfTrainingClassifier

from versus.arrays import Array, Labels, joined
from versus.experiments.fits import Entrant, Task, fit
from versus.experiments.run import Job, run_curves
from versus.experiments.training_size import most_rows
from versus.models.bayes import GenerativeClassifier
from versus.models.protocols import FitsBySteps, takes_unlabelled, takes_weights
from versus.settings import Cell, FewLabels

STEPS, SETTLED = 50, 1e-3  # of EM; largest change of a probability
UNLABELLED = -1  # class of a row without one, as in scikit-learn
NEGLIGIBLE = 1e-3  # probability of a class that is taken for 0


def run(job: Job) -> None:
    """Fit and score all cells on ever more labelled rows, with and without the unlabelled ones.

    Raises:
        ValueError: where there are fewer rows to learn from than the smallest number of labels.
    """
    asked = job.asked
    assert isinstance(asked, FewLabels)
    most = most_rows(job.data)
    sizes = sorted({size for size in asked.labels if size < most})
    if not sizes:
        raise ValueError(f"labels: {min(asked.labels)} leaves none of the {most} rows of {asked.data} unlabelled")
    entrants = [Entrant(cell.name, cell) for cell in job.cells]
    added = [Entrant(f"{cell.name}+unlabelled", cell, _with_unlabelled(cell)) for cell in job.cells]
    gains = [(more.name, cell.name) for more, cell in zip(added, job.cells, strict=True)]
    run_curves(job, sizes, asked.draws, [*entrants, *added], gains)


def _with_unlabelled(cell: Cell) -> Callable[[Task], Any]:
    def learn(task: Task) -> Any:
        data, model = task.data, task.new(cell)
        labelled, unlabelled = (data.X[task.rows], data.y[task.rows]), data.X[task.others]
        if takes_unlabelled(model):
            return fit_at_once(model, task)
        if isinstance(model, GenerativeClassifier) and takes_weights(model) and not isinstance(model, FitsBySteps):
            weights = None if data.weights is None else [data.weights[rows] for rows in (task.rows, task.others)]
            return fit_by_em(lambda: task.new(cell), *labelled, unlabelled, weights)
        if not hasattr(model, "predict_proba"):
            raise ValueError(f"{cell.name} predicts no classes, and can learn from no row without a label")
        return self_trained(cell, task)

    return learn


def fit_at_once(model: Any, task: Task) -> Any:
    """Fit a model that takes rows without a class, all epochs: held-out rows would be as few as the labels."""
    data, rows = task.data, np.concatenate([task.rows, task.others])
    y = np.concatenate([data.y[task.rows], np.full(len(task.others), UNLABELLED)])
    weights = {} if data.weights is None else {"sample_weight": data.weights[rows]}
    return model.fit(data.X[rows], y, **weights)


def fit_by_em(
    new: Callable[[], Any], X: Any, y: Labels, unlabelled: Any, weights: Sequence[Array] | None = None
) -> Any:
    """Fit to labelled and unlabelled events by EM, which begins with the labelled ones.

    Args:
        new: builds an unfitted model, whose ``fit`` takes weights of rows.
        X, y: labelled events (N, *event) and their classes (N,).
        unlabelled: (M, *event).
        weights: of the labelled events (N,) and of the others (M,); None where all count alike.
    """
    own, others = weights or (np.ones(len(y)), np.ones(len(unlabelled)))
    model, before = new().fit(X, y, sample_weight=own), None
    for _ in range(STEPS if len(unlabelled) else 0):
        of_class = model.predict_proba(unlabelled)
        if before is not None and np.abs(of_class - before).max() < SETTLED:
            break
        before = of_class
        rows, labels = np.nonzero(of_class >= NEGLIGIBLE)
        together = np.concatenate([own, others[rows] * of_class[rows, labels]])
        model = new().fit(joined([X, unlabelled[rows]]), np.concatenate([y, labels]), sample_weight=together)
    return model


class Learner(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A cell of ours as an estimator of scikit-learn, whose events are numbers of rows (m, 1): of any kind of data.

    Args:
        cell: the cell.
        task: the labelled rows and the data set.
    """

    def __init__(self, cell: Cell, task: Task) -> None:
        self.cell = cell
        self.task = task

    def fit(self, X: Array, y: Labels) -> Learner:
        """Learn from rows (m, 1), labelled or labelled by an earlier fit, and their classes (m,)."""
        rows, data = X[:, 0], self.task.data
        guessed = ~np.isin(rows, self.task.rows)
        self.classes_ = np.arange(data.schema.n_classes)
        self.model_ = self.task.new(self.cell)
        extra = (data.X[rows[guessed]], y[guessed]) if guessed.any() else None
        fit(self.model_, data, self.task.repeat, self.task.rows, extra)
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities of the classes of rows, (m, 1) -> (m, K)."""
        found: Array = self.model_.predict_proba(self.task.data.X[X[:, 0]])
        return found

    def __sklearn_clone__(self) -> Learner:
        """Return an unfitted one of the same cell and task, which are not copied."""
        return Learner(self.cell, self.task)


def self_trained(cell: Cell, task: Task) -> Any:
    """Fit by scikit-learn's ``SelfTrainingClassifier``, by default: what has probability .75 gets a label."""
    rows = np.concatenate([task.rows, task.others])
    y = np.concatenate([task.data.y[task.rows], np.full(len(task.others), -1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that all rows have labels by now
        return SelfTrainingClassifier(Learner(cell, task)).fit(rows[:, None], y).estimator_.model_
