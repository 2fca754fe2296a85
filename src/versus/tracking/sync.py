"""Mirror everything that a workspace has and MLflow lacks, to close the gaps left by outages and kills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from mlflow.entities import Run

from versus.settings import Cell, Comparison
from versus.tracking import fit_run, record, report_run, run_log
from versus.tracking.answers import Summary
from versus.tracking.destination import in_a_line
from versus.tracking.mirror import Mirror
from versus.tracking.patience import Outage, Patience
from versus.tracking.record import CellRecord
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, ORIGIN, PASSING, tag

Progress = Callable[[str, int, int], None]


def sync(
    mirror: Mirror,
    patience: Patience,
    cells: Sequence[Cell],
    comparison: Comparison,
    summary: Summary,
    progress: Progress = lambda cell, number, of: None,
) -> None:
    """Mirror the report and every cell that MLflow lacks; delete what interrupted processes left.

    Args:
        mirror: mirror to the store.
        patience: limit on the time to wait for the store.
        cells: all compared cells, including those not evaluated yet.
        comparison: the deciding scores and the confidence.
        summary: filled with the outcomes, as far as the synchronisation gets.
        progress: called with a cell's name, its number and the number of cells, before each is mirrored.

    Raises:
        Outage: if the store cannot be reached.
    """
    records = list(_records(mirror, cells, comparison.confidence, summary))
    if files := report_run.files(mirror.workspace):
        patience.write(partial(report_run.mirror_report, mirror, files, len(records)))
    datasets = list(dict.fromkeys(found.cell.dataset for found in records))
    current = [run for d in datasets for run in patience.write(partial(_describe, mirror, d, comparison.primary))]
    known = {(tag(run, FINGERPRINT), tag(run, PASSING)) for run in current}
    for number, found in enumerate(records, 1):
        name = found.cell.name
        if (found.fingerprint, found.passing_fingerprint) in known:
            summary.already.append(name)
            continue
        progress(name, number, len(records))
        try:
            patience.write(partial(mirror.cell, found))
            summary.mirrored.append(name)
        except Outage:
            raise
        except Exception as error:  # one cell that cannot be logged does not keep the others out
            summary.failed[name] = in_a_line(error)
    patience.write(partial(_retire, mirror, current, {cell.name for cell in cells}))
    whole = {*summary.already, *summary.mirrored}
    for dataset in datasets:
        patience.write(partial(fit_run.sweep, mirror, dataset, whole))


def _records(mirror: Mirror, cells: Iterable[Cell], confidence: float, summary: Summary) -> Iterator[CellRecord]:
    for cell in cells:
        if not mirror.workspace.evaluation(cell.name).is_dir():
            continue
        try:
            yield record.read(mirror.workspace, cell, confidence)
        except (OSError, ValueError, KeyError) as error:
            summary.failed[cell.name] = in_a_line(error)


def _describe(mirror: Mirror, dataset: str, primary: Mapping[str, str]) -> list[Run]:
    """Describe a data set on its experiment; return the complete runs with the newest results of its cells."""
    mirror.dataset(dataset, primary)
    return list(run_log.search(mirror.client, mirror.of(dataset), versus__state=COMPLETE, versus__current="yes"))


def _retire(mirror: Mirror, runs: Iterable[Run], cells: set[str]) -> None:
    """Remove this workspace's cells that are no longer compared from the leaderboard; keep their runs as history."""
    for run in runs:
        if tag(run, ORIGIN) == mirror.origin and tag(run, "cell") not in cells:
            mirror.client.set_tag(run.info.run_id, CURRENT, "no")
