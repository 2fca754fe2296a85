"""Run of a report: the report, which MLflow shows as a page, and the number of cells that it compares."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from versus import manifest
from versus.tracking import run_log
from versus.tracking.mirror import Mirror
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, STATE, WRITING, tag
from versus.workspace import Workspace

FILES = ("report.html", "report.md", "comparison.csv", "costs.csv")


def files(workspace: Workspace) -> list[Path]:
    """Return the files of the workspace's report; none if there is no report."""
    return [path for path in (workspace.reports / name for name in FILES) if path.is_file()]


def mirror_report(mirror: Mirror, files: Sequence[Path], cells: int) -> str:
    """Make sure that a report is in MLflow; return the id of its run.

    Args:
        mirror: mirror to the store.
        files: files of the report.
        cells: number of cells that it compares.
    """
    fingerprint = manifest.digest(files)[:32]
    experiment = mirror.experiment(mirror.destination.comparison)
    known = list(run_log.search(mirror.client, experiment, versus__origin=mirror.origin))
    same = [r for r in known if tag(r, FINGERPRINT) == fingerprint and tag(r, STATE) == COMPLETE]
    run_id = str(same[0].info.run_id) if same else _write(mirror, experiment, fingerprint, files, cells)
    for run in known:
        if run.info.run_id != run_id:
            mirror.step_back(run)
    if not same or tag(same[0], CURRENT) != "yes":
        mirror.client.set_tag(run_id, CURRENT, "yes")
    return run_id


def _write(mirror: Mirror, experiment: str, fingerprint: str, files: Sequence[Path], cells: int) -> str:
    tags = {**mirror.code_tags("stages.compare"), "dvc_stage": "compare", FINGERPRINT: fingerprint, STATE: WRITING}
    name = time.strftime("%Y-%m-%d %H:%M")
    run_id = str(mirror.client.create_run(experiment, tags=tags, run_name=name).info.run_id)
    mirror.client.log_metric(run_id, "cells", cells)
    for path in files:
        mirror.client.log_artifact(run_id, str(path))
    mirror.client.set_terminated(run_id)
    mirror.client.set_tag(run_id, STATE, COMPLETE)
    return run_id
