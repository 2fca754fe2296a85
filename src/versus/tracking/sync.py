"""Mirror everything that a workspace has and MLflow lacks, to close the gaps left by outages and kills."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from mlflow.entities import Run

from versus import manifest
from versus.settings import Cell, Comparison
from versus.tracking import experiments, record, run_log
from versus.tracking.answers import Summary
from versus.tracking.destination import in_a_line
from versus.tracking.mirror import Mirror
from versus.tracking.patience import Outage, Patience, healthy_seconds
from versus.tracking.record import CellRecord
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, ORIGIN, PASSING, STATE, TRAINING, WRITING, tag
from versus.workspace import Workspace

TABLES = ("comparison.csv", "verdicts.csv", "crossings.csv", "gains.csv", "slices.csv", "costs.csv")
REPORT = ("report.html", "report.md", *TABLES)

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
    if files := report_files(mirror.workspace):
        patience.write(partial(mirror_report, mirror, files, len(records)))
    datasets = list(dict.fromkeys(found.cell.dataset for found in records))
    current = [run for d in datasets for run in patience.write(partial(_describe, mirror, d, comparison.primary))]
    known = Counter((tag(run, FINGERPRINT), tag(run, PASSING)) for run in current if run.info.status != "RUNNING")
    for number, found in enumerate(records, 1):
        name = found.cell.name
        if known[found.fingerprint, found.passing_fingerprint] == 1:  # of two, one is deleted
            summary.already.append(name)
            continue
        progress(name, number, len(records))
        try:
            patience.write(partial(mirror.cell, found), healthy_seconds(found.children))
            summary.mirrored.append(name)
        except Outage:
            raise
        except Exception as error:  # one cell that cannot be logged does not keep the others out
            summary.failed[name] = in_a_line(error)
    patience.write(partial(_retire, mirror, current, {cell.name for cell in cells}))
    whole = {*summary.already, *summary.mirrored}
    for dataset in datasets:
        patience.write(partial(sweep, mirror, dataset, whole))


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


def sweep(mirror: Mirror, dataset: str, cells: set[str]) -> None:
    """Clean up the runs that interrupted processes left in the experiment of a data set.

    Args:
        mirror: mirror to the store.
        dataset: name of the data set.
        cells: cells whose results are mirrored; the experiment needs no unfinished runs of them.
    """
    experiment = mirror.of(dataset)
    states = (WRITING, TRAINING)
    for run in [r for state in states for r in run_log.search(mirror.client, experiment, versus__state=state)]:
        if not mirror.abandoned(run):
            continue
        if tag(run, STATE) == WRITING or tag(run, "cell") in cells:
            mirror.delete(run)
        elif run.info.status == "RUNNING" and tag(run, ORIGIN) == mirror.origin:
            mirror.client.set_terminated(run.info.run_id, "KILLED")


def report_files(workspace: Workspace) -> list[Path]:
    """Return the files of the workspace's report; none if there is no report."""
    return [path for path in (workspace.reports / name for name in REPORT) if path.is_file()]


def mirror_report(mirror: Mirror, files: Sequence[Path], cells: int) -> str:
    """Make sure that a report is in MLflow as one run, which MLflow shows as a page; return the run's id.

    Args:
        mirror: mirror to the store.
        files: files of the report.
        cells: number of cells that it compares.
    """
    fingerprint = manifest.digest(files)[:32]
    experiment = mirror.experiment(mirror.destination.comparison)
    same = {"versus__fingerprint": fingerprint, "versus__state": COMPLETE}
    found = mirror.agree(run_log.search(mirror.client, experiment, **same))
    if not found:
        _write_report(mirror, experiment, fingerprint, files, cells)
        found = mirror.agree(run_log.search(mirror.client, experiment, **same))
    for run in list(run_log.unsettled(mirror.client, experiment, versus__origin=mirror.origin)):
        if run.info.run_id != found:
            mirror.step_back(run)
    run = mirror.client.get_run(found)
    if tag(run, CURRENT) != "yes" and not mirror.is_experiment:
        mirror.client.set_tag(found, CURRENT, "yes")
    if run.info.status == "RUNNING":  # its writer was killed just before the end
        mirror.client.set_terminated(found)
    if not mirror.is_experiment:
        note = f"[**The newest report**]({experiments.page_link(experiment, found)})"
        mirror.describe(experiment, {**experiments.KIND, experiments.NOTE: note})
    return found


def _write_report(mirror: Mirror, experiment: str, fingerprint: str, files: Sequence[Path], cells: int) -> None:
    tags = {**mirror.code_tags("stages.compare"), "dvc_stage": "compare", FINGERPRINT: fingerprint, STATE: WRITING}
    name = time.strftime("%Y-%m-%d %H:%M")
    run_id = str(mirror.client.create_run(experiment, tags=tags, run_name=name).info.run_id)
    mirror.client.log_metric(run_id, "cells", cells)
    for path in files:
        mirror.client.log_artifact(run_id, str(path))
    text = next((path.read_text(encoding="utf-8") for path in files if path.name == "report.md"), "")
    run_log.log(mirror.client, run_id, tags={**experiments.report_tags(experiment, run_id, text), STATE: COMPLETE})
    mirror.client.set_terminated(run_id)
