"""Run of a fit in progress: its losses and the machine's load, until the evaluation makes it the cell's run.

The losses of each repeat are in a child run, the load in that of the repeat which was the first to show any.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from mlflow.entities import Run
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
Losses = Mapping[int, Sequence[Point]]  # repeat -> points of its training curves


class FitRun:
    """A run in the state "training", with the child runs of its repeats.

    An interrupted fit resumes its run if it does not repeat points that are there; otherwise it starts a new one.

    Args:
        mirror: mirror to the store.
        cell: the cell that is fitted.
        losses: the first losses, of one repeat at least.
    """

    def __init__(self, mirror: Mirror, cell: Cell, losses: Losses) -> None:
        self._mirror, self._cell = mirror, cell
        found = _find(mirror, cell, losses)
        if found is None:
            tags = {**cell_tags(cell), STATE: TRAINING, **mirror.code_tags(f"stages.train {cell.name}")}
            started = int(time.time() * 1000)
            found = mirror.client.create_run(mirror.of(cell.dataset), started, tags, cell.model)
        self.run_id = str(found.info.run_id)
        fits = run_log.fits_of(mirror.client, found)
        self._children = {repeat: str(child.info.run_id) for repeat, child in fits.items()}
        self.log(losses)
        uri, first = mirror.destination.uri, self._children[min(losses)]
        self._monitor = SystemMetricsMonitor(first, resume_logging=True, tracking_uri=uri)  # type: ignore[no-untyped-call]
        self._monitor.start()  # type: ignore[no-untyped-call]

    def log(self, losses: Losses) -> None:
        """Log losses."""
        client = self._mirror.client
        for repeat, points in losses.items():
            if repeat not in self._children:
                experiment = self._mirror.of(self._cell.dataset)
                self._children[repeat] = run_log.create_fit(
                    client, experiment, self.run_id, self._cell.name, repeat, time.time()
                )
            run_log.log(client, self._children[repeat], run_log.metrics(points))

    def draw(self, step: int, images: Array, levels: int | None) -> None:
        """Log images (n, *event) that the model drew after an epoch, side by side, as a step of the run's pictures."""
        picture = sheet(to_bytes(images, levels), COLUMNS)
        scale = max(1, SAMPLE_PIXELS // max(images.shape[1:3]))
        self._mirror.client.log_image(self.run_id, picture.repeat(scale, 0).repeat(scale, 1), key="drawn", step=step)

    def end(self, losses: Losses | None = None, status: str = "RUNNING") -> None:
        """Log the last losses. With the status RUNNING, the runs stay open for the evaluation."""
        self._monitor.finish()  # type: ignore[no-untyped-call]
        self.log(losses or {})
        if status != "RUNNING":
            for run in (*self._children.values(), self.run_id):
                self._mirror.client.set_terminated(run, status)


def _find(mirror: Mirror, cell: Cell, losses: Losses) -> Run | None:
    mine = {"cell": cell.name, "versus__state": TRAINING, "versus__origin": mirror.origin}
    places = {(repeat, point.key, point.step) for repeat, points in losses.items() for point in points}
    found = None
    for run in run_log.search(mirror.client, mirror.of(cell.dataset), **mine):
        if found is None and mirror.shown(run).keys().isdisjoint(places):
            found = run
            for again in (run, *run_log.fits_of(mirror.client, run).values()):
                mirror.client.update_run(again.info.run_id, "RUNNING")
        else:
            mirror.delete(run)
    return found
