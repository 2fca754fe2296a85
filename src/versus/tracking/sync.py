"""Everything that a workspace holds and MLflow lacks, mirrored: mends the gaps that outages and kills leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlflow.entities import Run

from versus.tracking import comparison, live_runs, record, run_log
from versus.tracking.mirror import Mirror
from versus.tracking.record import CellRecord
from versus.tracking.run_log import COMPLETE, COSTS, CURRENT, FINGERPRINT, ORIGIN, tag


@dataclass
class Summary:
    """What a synchronisation did: cells by outcome, with the reason where one could not be mirrored."""

    mirrored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def evaluated_cells(mirror: Mirror) -> list[str]:
    """The cells whose evaluation lies in the workspace."""
    folders = (path.parent.name for path in mirror.workspace.reports.glob("evaluations/*/evaluation.json"))
    return sorted(name for name in folders if not name.startswith("."))


def sync(
    mirror: Mirror,
    cells: Iterable[str] | None,
    live: set[str],
    progress: Callable[[str, int, int], Any],
    primary: Mapping[str, str] | None = None,
) -> Summary:
    """Mirror every cell that is not, and the report; delete what interrupted processes left.

    Args:
        mirror: to the store.
        cells: names, from params.yaml, of all cells that are compared, those not evaluated yet among them; None for all
            whose evaluation is there.
        live: cells that are being fitted right now.
        progress: called with a cell's name, its number and how many there are, before each.
        primary: task -> the deciding score, which leaderboards are sorted by; the usual ones where None.

    Raises:
        mlflow.exceptions.MlflowException, OSError: if the store cannot be reached.
    """
    summary = Summary()
    cells = None if cells is None else list(cells)
    records = list(_records(mirror, cells, summary))
    for dataset in dict.fromkeys(r.dataset for r in records):
        about = json.loads((mirror.workspace.prepared(dataset) / "about.json").read_text(encoding="utf-8"))
        mirror.dataset(dataset, about, primary)
    current = {dataset: _current(mirror, dataset) for dataset in {r.dataset for r in records}}
    known = {(tag(run, FINGERPRINT), tag(run, COSTS)) for runs in current.values() for run in runs}
    for number, found in enumerate(records, 1):
        if (found.fingerprint, found.costs_fingerprint) in known:
            summary.already.append(found.cell)
            continue
        progress(found.cell, number, len(records))
        mirror.cell(found)
        summary.mirrored.append(found.cell)
    if cells is not None:
        _retire(mirror, [run for runs in current.values() for run in runs], set(cells))
    whole = {*summary.already, *summary.mirrored}
    for dataset in current:
        live_runs.sweep(mirror, mirror.experiment(mirror.destination.experiment(dataset)), whole, live)
    if comparison.files(mirror):
        comparison.mirror_comparison(mirror)
    return summary


def _records(mirror: Mirror, cells: Iterable[str] | None, summary: Summary) -> Iterable[CellRecord]:
    evaluated = evaluated_cells(mirror)
    for cell in evaluated if cells is None else [cell for cell in cells if cell in evaluated]:
        try:
            yield record.read(mirror.workspace, cell)
        except (OSError, ValueError, KeyError) as error:
            summary.failed[cell] = f"{type(error).__name__}: {error}"


def _current(mirror: Mirror, dataset: str) -> list[Run]:
    """The whole runs that hold the newest results of their cells."""
    experiment = mirror.experiment(mirror.destination.experiment(dataset))
    return list(run_log.search(mirror.client, experiment, versus__state=COMPLETE, versus__current="yes"))


def _retire(mirror: Mirror, runs: Iterable[Run], cells: set[str]) -> None:
    """Cells of this workspace that are no longer compared leave the leaderboard; their runs stay as history."""
    for run in runs:
        if tag(run, ORIGIN) == mirror.origin and tag(run, "cell") not in cells:
            mirror.client.set_tag(run.info.run_id, CURRENT, "no")
