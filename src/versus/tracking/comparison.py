"""The run of a comparison: the report, which MLflow shows as a page, and how many cells it compares."""

from __future__ import annotations

import time
from pathlib import Path

from versus.tracking import run_log
from versus.tracking.content_hash import hash_files
from versus.tracking.mirror import Mirror
from versus.tracking.record import Point
from versus.tracking.run_log import COMPLETE, CURRENT, FINGERPRINT, STATE, WRITING, tag

FILES = ("report.html", "report.md", "comparison.csv", "costs.csv")


def files(mirror: Mirror) -> list[Path]:
    """The files of the workspace's report; none where there is no report."""
    return [path for path in (mirror.workspace.reports / name for name in FILES) if path.is_file()]


def mirror_comparison(mirror: Mirror) -> str:
    """Make sure that the report that lies in the workspace is in MLflow; returns the id of its run.

    Raises:
        FileNotFoundError: if `compare` has written none.
    """
    found = files(mirror)
    if not found:
        raise FileNotFoundError(f"{mirror.workspace.reports} holds no report; run `dvc repro compare` first")
    fingerprint = hash_files(found)[:32]
    experiment = mirror.experiment(mirror.destination.comparison)
    known = list(run_log.search(mirror.client, experiment, versus__origin=mirror.origin))
    for run in known:
        if tag(run, FINGERPRINT) == fingerprint and tag(run, STATE) == COMPLETE:
            return str(run.info.run_id)
    for run in known:
        if mirror.abandoned(run):
            mirror.client.delete_run(run.info.run_id)
        elif tag(run, CURRENT) == "yes":
            mirror.client.set_tag(run.info.run_id, CURRENT, "no")
    tags = {**mirror.code_tags("stages.compare"), "dvc_stage": "compare", FINGERPRINT: fingerprint, STATE: WRITING}
    name = time.strftime("%Y-%m-%d %H:%M")
    run_id = str(mirror.client.create_run(experiment, tags=tags, run_name=name).info.run_id)
    folders = mirror.workspace.reports / "evaluations"
    cells = sum(1 for _ in folders.glob("*/evaluation.json"))
    run_log.log(mirror.client, run_id, [Point("cells", float(cells))])
    for path in found:
        mirror.client.log_artifact(run_id, str(path))
    mirror.client.set_terminated(run_id)
    run_log.log(mirror.client, run_id, tags={STATE: COMPLETE, CURRENT: "yes"})
    return run_id
