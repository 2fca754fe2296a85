"""Plain files behind the pictures, for ``dvc plots show``: one CSV for each cell or data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.files import write_csv
from versus.settings import FAMILIES


def write_plot_files(folder: Path, datasets: Sequence[DatasetResults]) -> None:
    """Rewrite ``learning_curves/<cell>.csv``, ``confusion/<dataset>.csv`` and ``reliability/<dataset>.csv``."""
    for name in ("learning_curves", "confusion", "reliability"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for dataset in datasets:
        for evaluation in dataset.evaluations:
            if evaluation.history:
                _write_curves(folder / "learning_curves" / f"{evaluation.cell.name}.csv", evaluation)
        best = dataset.best(*FAMILIES)
        if best is not None and best.confusion:
            write_csv(folder / "confusion" / f"{dataset.name}.csv", ("actual", "predicted"), _outcomes(dataset, best))
            write_csv(
                folder / "reliability" / f"{dataset.name}.csv", ("confidence", "accuracy", "count"), best.reliability
            )


def _write_curves(path: Path, evaluation: Evaluation) -> None:
    """Write a row for each step, a column for each loss: means over the repeats that reached the step."""
    names = list(evaluation.history)
    values: dict[float, dict[str, list[float]]] = {}
    for name in names:
        for curve in evaluation.history[name].values():
            for step, value in curve:
                values.setdefault(step, {}).setdefault(name, []).append(value)
    rows = ([int(s), *(float(np.mean(at[n])) if n in at else "" for n in names)] for s, at in sorted(values.items()))
    write_csv(path, ("step", *names), rows)


def _outcomes(dataset: DatasetResults, best: Evaluation) -> Iterable[tuple[str, str]]:
    """List (true class, predicted class) of every test row of every repeat, as DVC's confusion template needs them."""
    classes = dataset.prepared.schema.classes
    return ((classes[t], classes[p]) for t, p, count in best.confusion for _ in range(count))
