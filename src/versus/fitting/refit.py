"""Fit of a model that is to be used: with the arguments that were measured, on all rows.

Scores are of models that some rows were kept from. The model to use has no row kept from it, so there are no scores of
its own: those of the others, which learned from fewer rows, stand for it.
"""

from __future__ import annotations

from pathlib import Path

from versus.data.prepared import PARTS, Prepared
from versus.fitting import failure
from versus.fitting.repeats import Job, fit_model, parts_to_fit
from versus.models import persistence
from versus.settings import Cell, Tuning


def fit_on_all_rows(saved: Path, data: Prepared, cell: Cell, folder: Path) -> tuple[Path, str]:
    """Fit a model like a saved one on all rows of its data set; return where it is saved, and what it learned from.

    Rows by which it stops early stay held out. Where the data are drawn anew for each repeat, or the fit fails, it is
    the saved model itself.

    Args:
        saved: a fitted model of the cell.
        data: the cell's data set.
        cell: the cell, for its place and its time limit.
        folder: an empty folder for the fit.

    Raises:
        versus.models.persistence.PersistenceError: if the saved model is missing or damaged.
    """
    measured = persistence.load(saved)
    if data.is_drawn:
        return saved, f"{len(data.rows(0, *parts_to_fit(measured)))} rows, of which each repeat draws its own"
    model = type(measured)(**measured.get_params())
    repeat = max(range(data.repeats), key=lambda r: len(data.rows(r, *PARTS)))  # with `time`, the last has all
    parts = tuple(part for part in PARTS if part == "test" or part in parts_to_fit(model))
    job = Job(cell, data, folder, lambda arguments, repeat: model, Tuning(), 0, None)

    def fit() -> None:
        fit_model(job, model, repeat, parts, title=f"{cell.name} on all rows")
        persistence.save(model, folder / "model", cell.family, cell.module)

    learned, every = (len(data.rows(repeat, *some)) for some in (parts, PARTS))
    if failed := failure.attempt(fit, "training", cell.time_limit):
        first = len(data.rows(0, *parts_to_fit(measured)))
        return saved, f"{first} rows of the first split, since the fit on all rows failed: {failed.reason}"
    if learned == every:
        return folder / "model", f"all {every} rows"
    return folder / "model", f"{learned} of {every} rows, and stopped by the others"
