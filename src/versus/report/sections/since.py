"""Changes since the report that git holds: outcomes, models to use and scores, with the inputs that changed them.

Columns of the data that have drifted are named, too.

The report before is that of the checked-out commit, so the same inputs at the same commit give the same page, and there
is no state that a kill could harm.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from versus.metrics import table as metric_table
from versus.report import drift, formatting, inputs
from versus.report.dataset_results import DatasetResults
from versus.report.results import Results

NAME, TITLE = "since", "Since the last report"
MOST_OPEN = 12  # changed scores that are shown unfolded


@dataclass(frozen=True)
class Change:
    """A value before and after, as text ("" where it was not there), and the inputs that changed."""

    dataset: str
    what: str
    before: str
    after: str
    because: str
    size: float = 0.0


def content(results: Results) -> dict[str, Any] | None:
    """Return the changes; None where nothing changed, or git holds no report."""
    outcomes, scores = _rows(results, "verdicts.csv"), _rows(results, "comparison.csv")
    if not outcomes and not scores:
        return None
    given = inputs.read(results.before.get("inputs.csv"))
    old = {(row.get("cell"), row.get("metric")): row for row in scores}
    found = [change for d in results.datasets for change in _scores(results, d, old, given)]
    found += _gone(results, scores)
    decided = _outcomes(results, outcomes, given)
    counts = drift.read(results.before.get("columns.csv"))
    confidence = results.comparison.confidence
    of_datasets = (drift.drifted(d.name, d.prepared, counts.get(d.name, {}), confidence) for d in results.datasets)
    drifts = [column for of_dataset in of_datasets for column in of_dataset]
    if not decided and not found and not drifts:
        return None
    return {
        "outcomes": decided,
        "scores": sorted(found, key=lambda change: -change.size),
        "drifts": drifts,
        "most_open": MOST_OPEN,
        "commit": str(results.provenance.get("commit") or "")[:12],
    }


def _rows(results: Results, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(results.before.get(name, ""))))


def _outcomes(results: Results, rows: Iterable[dict[str, str]], given: Any) -> list[Change]:
    """Changes of the outcome of a data set and of the model to use there."""
    old = {row.get("dataset", ""): row for row in rows}
    found = []
    for verdict in results.verdicts:
        row = old.get(verdict.dataset, {})
        use = verdict.contrast.use.cell.model if verdict.contrast else ""
        cells = [c.name for c in results.cells if c.dataset == verdict.dataset]
        because = results.inputs.changed(cells, given, with_report=True)
        for what, now in (("outcome", verdict.outcome), ("model to use", use)):
            if row.get(what.removeprefix("model to "), "") != now:
                before = row.get(what.removeprefix("model to "), "")
                found.append(Change(verdict.dataset, what, before, now, because))
    return found


def _scores(results: Results, dataset: DatasetResults, old: Any, given: Any) -> list[Change]:
    """Changes of the deciding score that its three decimals show."""
    found = []
    metric = dataset.primary
    for e in dataset.evaluations:
        row = old.get((e.cell.name, metric))
        before = float(row["mean"]) if row and row.get("mean") else float("nan")
        now = e.mean(metric)
        first, second = (formatting.score(value) if np.isfinite(value) else "" for value in (before, now))
        if first != second:
            size = abs(now - before) if np.isfinite(now - before) else np.inf
            what = f"{e.cell.model}, {metric_table.label(metric)}"
            because = results.inputs.changed([e.cell.name], given)
            found.append(Change(dataset.name, what, first, second, because, size))
    return found


def _gone(results: Results, rows: Iterable[dict[str, str]]) -> list[Change]:
    """Cells of the report before that have no scores now."""
    present = {e.cell.name for d in results.datasets for e in d.evaluations}
    gone = {row["cell"]: row for row in rows if row.get("cell") and row["cell"] not in present}
    known = {cell.name for cell in results.cells}
    return [
        Change(
            row.get("dataset", ""),
            row.get("model", ""),
            "scored",
            "",
            "it has no evaluation" if name in known else "it left params.yaml",
            np.inf,
        )
        for name, row in gone.items()
    ]
