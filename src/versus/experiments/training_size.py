"""Scores by the number of rows to learn from, and the size at which one side overtakes the other.

With all rows, the first order gives the very fits that the report compares. After Ng and Jordan, "On Discriminative vs.
Generative Classifiers" (NIPS 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from versus.data.prepared import Prepared
from versus.data.targets import Classes
from versus.experiments.fits import Entrant
from versus.experiments.run import Job, run_curves
from versus.settings import TrainingSize

MOST_SIZES = 9
LEAST_ROWS = 8  # of the smallest training set where there are twice as many; and two of each class


def run(job: Job) -> None:
    """Fit and score all cells at all sizes.

    Raises:
        ValueError: where a size has more rows than there are.
    """
    assert isinstance(job.asked, TrainingSize)
    entrants = [Entrant(cell.name, cell) for cell in job.cells]
    run_curves(job, sizes_of(job.data, job.asked.sizes, job.asked.data), job.asked.draws, entrants, [])


def sizes_of(data: Prepared, asked: Sequence[int] | Literal["auto"], dataset: str) -> list[int]:
    """Return the ascending training-set sizes: those asked for, or all rows, halved again and again.

    Raises:
        ValueError: where one is larger than the rows to learn from.
    """
    most = most_rows(data)
    if asked != "auto":
        if max(asked) > most:
            raise ValueError(f"sizes: {max(asked)} is more than the {most} rows of {dataset} to learn from")
        return sorted(set(asked))
    classes = data.schema.n_classes if isinstance(data.schema.y, Classes) else 0
    least = max(min(LEAST_ROWS, most // 2), 2 * classes)
    halved = [round(most / 2**k) for k in range(MOST_SIZES)]
    return sorted(size for size in halved if size >= least)


def most_rows(data: Prepared) -> int:
    """Number of rows to learn from in the repeat that has the fewest."""
    return min(len(data.rows(repeat, "train", "validation")) for repeat in range(data.repeats))
