"""Run of a fit in progress: its losses and the machine's load, until the evaluation makes it the cell's run."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from versus.arrays import Array
from versus.report.figures.pixels import sheet, to_bytes
from versus.report.figures.samples import SAMPLE_PIXELS
from versus.settings import Cell
from versus.tracking import run_log
from versus.tracking.mirror import Mirror
from versus.tracking.record import Point, cell_tags
from versus.tracking.run_log import STATE, TRAINING

COLUMNS = 10  # of a picture


class FitRun:
    """A run in the state "training"."""

    def __init__(self, mirror: Mirror, run_id: str) -> None:
        self._mirror = mirror
        self.run_id = run_id
        uri = mirror.destination.uri
        self._monitor = SystemMetricsMonitor(run_id, resume_logging=True, tracking_uri=uri)  # type: ignore[no-untyped-call]

    @classmethod
    def start(cls, mirror: Mirror, cell: Cell, points: Sequence[Point]) -> FitRun:
        """Open the run of a fit, given its losses so far.

        An interrupted fit resumes its run if it does not repeat points that are there; otherwise it starts a new one.
        """
        run_id = _find(mirror, cell, points)
        if run_id is None:
            tags = {**cell_tags(cell), STATE: TRAINING, **mirror.code_tags(f"stages.train {cell.name}")}
            started = int(time.time() * 1000)
            run_id = str(mirror.client.create_run(mirror.of(cell.dataset), started, tags, cell.model).info.run_id)
        run = cls(mirror, run_id)
        run.log(points)
        run._monitor.start()  # type: ignore[no-untyped-call]
        return run

    def log(self, points: Sequence[Point]) -> None:
        """Log losses."""
        run_log.log(self._mirror.client, self.run_id, run_log.metrics(points))

    def draw(self, step: int, images: Array, levels: int | None) -> None:
        """Log images (n, *event) that the model drew after an epoch, side by side, as a step of the run's pictures."""
        picture = sheet(to_bytes(images, levels), COLUMNS)
        scale = max(1, SAMPLE_PIXELS // max(images.shape[1:3]))
        self._mirror.client.log_image(self.run_id, picture.repeat(scale, 0).repeat(scale, 1), key="drawn", step=step)

    def end(self, points: Sequence[Point] = (), status: str = "RUNNING") -> None:
        """Log the last losses. With the status RUNNING, the run stays open for the evaluation."""
        self._monitor.finish()  # type: ignore[no-untyped-call]
        self.log(points)
        if status != "RUNNING":
            self._mirror.client.set_terminated(self.run_id, status)


def _find(mirror: Mirror, cell: Cell, points: Sequence[Point]) -> str | None:
    mine = {"cell": cell.name, "versus__state": TRAINING, "versus__origin": mirror.origin}
    found = None
    for run in run_log.search(mirror.client, mirror.of(cell.dataset), **mine):
        if found is None and mirror.shown(run).keys().isdisjoint((p.key, p.step) for p in points):
            found = str(run.info.run_id)
            mirror.client.update_run(found, "RUNNING")
        else:
            mirror.delete(run)
    return found
