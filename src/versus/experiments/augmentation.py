"""Rows drawn by a generative model, added to the training set of a discriminative one.

At each size the generative cell is fitted to the same rows, and draws more of them, of the same classes in the same
proportions; the discriminative cell learns from both. What stops early does so by real rows. The same cell without
drawn rows stands beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.evaluation.answers import samples_by_class
from versus.experiments.fits import Entrant, Task, fit
from versus.experiments.run import Job, run_curves
from versus.experiments.training_size import sizes_of
from versus.models.events import draw
from versus.settings import Augmentation, Cell


def run(job: Job) -> None:
    """Fit and score all cells at all sizes, and each discriminative one with rows of each generative one.

    Raises:
        ValueError: where a size has more rows than there are.
    """
    asked = job.asked
    assert isinstance(asked, Augmentation)
    entrants = [Entrant(cell.name, cell) for cell in job.cells]
    gains = []
    for learner in (cell for cell in job.cells if cell.family == "discriminative"):
        for generator in (cell for cell in job.cells if cell.family != "discriminative"):
            name = f"{learner.name}+{generator.model}"
            entrants.append(Entrant(name, learner, _with_rows_of(generator, learner, asked.drawn)))
            gains.append((name, learner.name))
    run_curves(job, sizes_of(job.data, asked.sizes, asked.data), asked.draws, entrants, gains)


def _with_rows_of(generator: Cell, learner: Cell, times: float) -> Any:
    def learn(task: Task) -> Any:
        source, schema = task.fitted(generator), task.data.schema
        if not samples_by_class(source):
            raise ValueError(f"{generator.name} draws no rows of given classes")
        own = task.data.y[task.rows]
        y = np.resize(np.random.default_rng(task.seed).permutation(own), max(1, round(times * len(own))))
        model = task.new(learner)
        fit(model, task.data, task.repeat, task.rows, (draw(source, len(y), y, schema, task.seed), y))
        return model

    return learn
