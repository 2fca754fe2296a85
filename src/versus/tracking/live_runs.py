"""Fits that go on: their losses appear in MLflow while they fall, with the load of the machine when it takes long."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from versus.tracking import run_log
from versus.tracking.mirror import Mirror
from versus.tracking.record import Point
from versus.tracking.run_log import ORIGIN, STATE, TRAINING, tag

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

EVERY = 2.0  # seconds between two requests to the store
LONG = 20.0  # seconds after which a fit counts as long


@dataclass
class LiveRun:
    """A fit in progress, as one connection shows it."""

    cell: str
    points: list[Point] = field(default_factory=list)  # not yet logged
    run_id: str | None = None
    began: float = field(default_factory=time.monotonic)
    logged: float = 0.0
    monitor: SystemMetricsMonitor | None = None

    def due(self) -> bool:
        """Whether there is something to log and the last request is long enough ago."""
        return bool(self.points) and time.monotonic() - self.logged >= EVERY

    def flush(self, mirror: Mirror) -> None:
        """Log what has come in; points stay where that fails."""
        self.logged = time.monotonic()
        if not self.points:
            return
        if self.run_id is None:
            self.run_id = _start_or_resume(mirror, self.cell, min(p.step for p in self.points))
        run_log.log(mirror.client, self.run_id, self.points)
        self.points.clear()
        if self.monitor is None and time.monotonic() - self.began > LONG:
            self._watch_machine(mirror)

    def _watch_machine(self, mirror: Mirror) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        uri = mirror.destination.uri
        self.monitor = SystemMetricsMonitor(self.run_id, resume_logging=True, tracking_uri=uri)  # type: ignore[no-untyped-call]
        self.monitor.start()  # type: ignore[no-untyped-call]

    def end(self, mirror: Mirror) -> None:
        """The fit's process hung up: log the rest. The run stays open until the cell is evaluated."""
        if self.monitor is not None:
            self.monitor.finish()  # type: ignore[no-untyped-call]
        self.flush(mirror)


def _start_or_resume(mirror: Mirror, cell: str, first: int) -> str:
    """The run of a fit that was interrupted before the step ``first``, else a new one: a fit that starts over."""
    dataset, model = cell.split("-", 1)
    experiment = mirror.experiment(mirror.destination.experiment(dataset))
    mine = {"cell": cell, "versus__state": TRAINING, "versus__origin": mirror.origin}
    for run in run_log.search(mirror.client, experiment, **mine):
        if max((step for _, step in mirror.shown(run)), default=-1) < first:
            if run.info.status != "RUNNING":
                mirror.client.update_run(run.info.run_id, "RUNNING")
            return str(run.info.run_id)
        mirror.client.delete_run(run.info.run_id)
    tags = {"cell": cell, "dataset": dataset, STATE: TRAINING, **mirror.code_tags(f"stages.train {cell}")}
    return str(mirror.client.create_run(experiment, int(time.time() * 1000), tags, model).info.run_id)


def sweep(mirror: Mirror, experiment: str, cells: set[str], live: set[str]) -> None:
    """Mend what interrupted processes left in an experiment.

    Args:
        mirror: to the store.
        experiment: id of the experiment.
        cells: cells whose results are mirrored; the experiment needs no unfinished run of them.
        live: cells that are being fitted right now; their runs are left alone.
    """
    unfinished = [r for state in (run_log.WRITING, TRAINING)
                  for r in run_log.search(mirror.client, experiment, versus__state=state)]  # fmt: skip
    for run in unfinished:
        cell = tag(run, "cell")
        if cell in live or not mirror.abandoned(run):
            continue
        if tag(run, STATE) == run_log.WRITING or cell in cells:
            mirror.client.delete_run(run.info.run_id)
        elif run.info.status == "RUNNING" and tag(run, ORIGIN) == mirror.origin:
            mirror.client.set_terminated(run.info.run_id, "KILLED")
