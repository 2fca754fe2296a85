"""Files of the report's numbers.

Tidy CSV for spreadsheets and diffs, JSON for ``dvc metrics``, and the plain files behind the pictures, for
``dvc plots show``: one CSV for each cell or data set.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from versus.metrics.table import SIDE_BY_SIDE
from versus.report import costs, drift
from versus.report.contrasts import Contrast
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Bin, Evaluation
from versus.report.files import write_csv
from versus.report.sections import crossing
from versus.report.slices import slice_scores
from versus.report.verdicts import Verdict
from versus.settings import FAMILIES

SCORE_COLUMNS = (
    "cell",
    "dataset",
    "model",
    "family",
    "metric",
    "mean",
    "low",
    "high",
    "repeats",
    "from_best",
    "from_best_low",
    "from_best_high",
)
COST_COLUMNS = ("cell", "dataset", "model", "family", "quantity", "unit", "value", "low", "high")


def write_scores(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write a row for each cell and metric: the mean over repeats, its interval, and its difference from the best."""
    write_csv(path, SCORE_COLUMNS, _score_rows(datasets))


def write_costs(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write a row for each cell and cost: its value and range."""
    rows = (
        (
            e.cell.name,
            e.cell.dataset,
            e.cell.model,
            e.cell.family,
            cost.quantity,
            cost.unit,
            found.value,
            found.low,
            found.high,
        )
        for dataset in datasets
        for e in dataset.evaluations
        for cost in costs.COSTS
        if (found := cost.of(e)) is not None
    )
    write_csv(path, COST_COLUMNS, rows)


def write_metrics(folder: Path, datasets: Sequence[DatasetResults]) -> None:
    """Rewrite a file for each cell, so that it is a row of ``dvc metrics show``: the scores that verdicts go by."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for dataset in datasets:
        names = dict.fromkeys((dataset.primary, *SIDE_BY_SIDE.get(dataset.task, ())))
        for e in dataset.evaluations:
            means = {name: e.mean(name) for name in names if np.isfinite(e.mean(name))}
            (folder / f"{e.cell.name}.json").write_text(json.dumps(means, indent=1) + "\n", encoding="utf-8")


def _score_rows(datasets: Sequence[DatasetResults]) -> Iterable[tuple[object, ...]]:
    for dataset in datasets:
        metrics = list(dict.fromkeys(m for e in dataset.evaluations for m in e.scores))
        apart = {metric: dataset.from_best(metric) for metric in metrics}
        for e in dataset.evaluations:
            for metric in metrics:
                if metric not in e.scores:
                    continue
                low, high = dataset.interval(e, metric) or ("", "")
                best = apart[metric].get(e.cell.name)
                behind = (best.value, best.low, best.high) if best else ("", "", "")
                about = (e.cell.name, dataset.name, e.cell.model, e.cell.family, metric)
                yield (*about, e.mean(metric), low, high, int(np.isfinite(e.scores[metric]).sum()), *behind)


SLICE_COLUMNS = ("cell", "dataset", "model", "family", "column", "value", "rows", "metric", "score", "low", "high")


def write_slices(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write a row for each model and slice that ``comparison.slices`` asks for: its score and interval."""
    rows = (
        (
            *(s.cell.name, s.cell.dataset, s.cell.model, s.cell.family),
            *(s.column, s.value, s.rows, s.metric, s.score),
            *(s.interval or ("", "")),
        )
        for dataset in datasets
        for s in slice_scores(dataset)
    )
    write_csv(path, SLICE_COLUMNS, rows)


def write_columns(path: Path, datasets: Sequence[DatasetResults]) -> None:
    """Write how many rows to learn from have which value of each column, by which the next report tells drift."""
    rows = (row for dataset in datasets for row in drift.rows_of_columns(dataset.name, dataset.prepared))
    write_csv(path, drift.COLUMNS, rows)


VERDICT_COLUMNS = (
    *("dataset", "outcome", "use", "discriminative", "generative", "difference", "low", "high", "p"),
    *("not_behind_by", "rows_to_decide", "stability"),
    *("score", "second_score", "second_outcome", "second_difference", "second_low", "second_high"),
)


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write a row for each data set: its outcome, the model to use, and the comparison behind it."""
    write_csv(path, VERDICT_COLUMNS, map(_verdict_row, verdicts))


def _verdict_row(verdict: Verdict) -> tuple[object, ...]:
    c = verdict.contrast
    if c is None:
        return (verdict.dataset, verdict.outcome, *[""] * (len(VERDICT_COLUMNS) - 2))
    numbers = (c.mean, c.low, c.high, c.p)
    behind = min(abs(min(c.worst[0], 0.0)), abs(max(c.worst[1], 0.0)))  # of the side that is less far behind
    pair = (c.discriminative.cell.model, c.generative.cell.model)
    return (
        *(verdict.dataset, verdict.outcome, c.use.cell.model, *pair),
        *("" if v != v else v for v in numbers),
        *("" if v is None or v != v else v for v in (behind, c.rows_to_decide, c.stability)),
        *(c.metric, *_second(verdict.second)),
    )


def _second(c: Contrast | None) -> tuple[object, ...]:
    return ("",) * 5 if c is None else (c.metric, c.outcome, c.mean, c.low, c.high)


CROSSING_COLUMNS = ("experiment", "dataset", "score", "discriminative", "generative", "rows", "low", "high", "words")


def write_crossings(path: Path, experiments: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a row for each pair and score of each experiment: the size at which one overtakes the other, if one does.

    An end that lies beyond the largest size is ``inf``, one below the smallest is 0.
    """
    rows = (
        (p.experiment, p.dataset, p.score, p.discriminative, p.generative, *(p.crossing or ("", "", "")), p.words)
        for name, found in experiments.items()
        for p in crossing.pairs(name, found)
    )
    write_csv(path, CROSSING_COLUMNS, rows)


GAIN_COLUMNS = ("experiment", "dataset", "score", "with", "without", "rows", "gain", "low", "high")


def write_gains(path: Path, experiments: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a row for each size of each gain: what added rows, or known shifts, are worth in the unit of the score."""
    rows = (
        (name, found["dataset"], *(gain[k] for k in ("score", "with", "without")), size, *map(_filled, of))
        for name, found in experiments.items()
        for gain in found.get("gains", ())
        for size, *of in zip(found["sizes"], *(gain["difference"][k] for k in ("value", "low", "high")), strict=True)
    )
    write_csv(path, GAIN_COLUMNS, rows)


def _filled(value: float | None) -> object:
    return "" if value is None else value


def write_plot_files(folder: Path, datasets: Sequence[DatasetResults]) -> None:
    """Rewrite ``learning_curves/<cell>.csv``, and of the best cells ``confusion/<cell>.csv``, ``reliability/…``."""
    for name in ("learning_curves", "confusion", "reliability"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for dataset in datasets:
        for evaluation in dataset.evaluations:
            if "train_loss" in evaluation.history:  # dvc.yaml names the column; the two of a GAN are on the page
                _write_curves(folder / "learning_curves" / f"{evaluation.cell.name}.csv", evaluation)
        best = dataset.best(*FAMILIES)
        if best is not None and best.confusion:
            _write_outcomes(folder / "confusion" / f"{best.cell.name}.csv", dataset, best)
            write_csv(folder / "reliability" / f"{best.cell.name}.csv", Bin._fields, best.reliability)


def _write_curves(path: Path, evaluation: Evaluation) -> None:
    """Write a row for each step, a column for each loss: means over the repeats that reached the step."""
    names = list(dict.fromkeys(("train_loss", "validation_loss", *evaluation.history)))
    values: dict[float, dict[str, list[float]]] = {}
    for name in names:
        for curve in evaluation.history.get(name, {}).values():
            for step, value in curve:
                values.setdefault(step, {}).setdefault(name, []).append(value)
    rows = ([int(s), *(float(np.mean(at[n])) if n in at else "" for n in names)] for s, at in sorted(values.items()))
    write_csv(path, ("step", *names), rows)


def _write_outcomes(path: Path, dataset: DatasetResults, best: Evaluation) -> None:
    """Write (true class, predicted class) of every test row of every repeat, as DVC's confusion template needs them."""
    classes = dataset.prepared.schema.classes
    write_csv(path, ("actual", "predicted"), ())
    with path.open("a", newline="", encoding="utf-8") as file:
        for true, predicted, count in best.confusion:
            row = io.StringIO()
            csv.writer(row, lineterminator="\n").writerow((classes[true], classes[predicted]))
            file.writelines(repeat(row.getvalue(), count))
