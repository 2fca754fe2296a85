"""Losses of a long fit, shown in MLflow while it runs, with the load of the machine."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from versus.arrays import Array
from versus.settings import Cell
from versus.tracking.destination import warn
from versus.tracking.patience import Patience
from versus.tracking.record import Point, losses_at

if TYPE_CHECKING:
    from versus.tracking.fit_run import FitRun, Losses

LONG = 10.0  # seconds after which a fit counts as long
LONGER = 30.0  # the same where mlflow is not imported yet: the import takes seconds, which the fit's clock counts
EVERY = 2.0  # seconds between two requests to the store


class LiveFit:
    """Receiver of a fit's losses that never waits, and logs them from a thread once the fit is long.

    Use it in a ``with`` statement around the fit. Losses that are not logged are still in the cell's history.

    Args:
        cell: the cell to fit.
        start: opens the run, given the losses so far; called in the thread.
        patience: limit on the time to wait for the store; None to log nothing.
    """

    def __init__(self, cell: Cell, start: Callable[[Losses], FitRun], patience: Patience | None) -> None:
        self._cell = cell
        self._start = start
        self._patience = patience
        self._began = time.monotonic()
        self._points: queue.SimpleQueue[tuple[int, list[Point]]] = queue.SimpleQueue()
        self._pictures: queue.SimpleQueue[tuple[int, Array, int | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._status = "RUNNING"
        self._failure: Exception | None = None

    def log(self, step: int, losses: Mapping[str, float], repeat: int = 0) -> None:
        """Note the losses of one step (an epoch) of one repeat's fit."""
        if self._patience is None or self._failure is not None:
            return
        self._points.put((repeat, losses_at(step, losses)))
        if self._thread is None and self._is_long():
            self._thread = threading.Thread(target=self._publish, daemon=True, name="live losses")
            self._thread.start()

    def show(self, step: int, images: Array, levels: int | None) -> None:
        """Note the images (n, *event) that a model draws after an epoch; they are shown once the fit is long."""
        if self._patience is not None and self._failure is None:
            self._pictures.put((step, images, levels))

    def _is_long(self) -> bool:
        return time.monotonic() - self._began > (LONG if "mlflow" in sys.modules else LONGER)

    def _publish(self) -> None:
        try:
            run = self._start(losses := self._taken())
            while not self._ended.wait(EVERY if losses else 0.1):
                run.log(losses := self._taken())
                self._draw(run)
            self._draw(run)
            run.end(self._taken(), self._status)
        except Exception as error:  # a fit does not fail because of its log
            self._failure = error

    def _draw(self, run: FitRun) -> None:
        for _ in range(self._pictures.qsize()):
            run.draw(*self._pictures.get())

    def _taken(self) -> dict[int, list[Point]]:
        found: dict[int, list[Point]] = {}
        for _ in range(self._points.qsize()):
            repeat, points = self._points.get()
            found.setdefault(repeat, []).extend(points)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log the remaining losses. The run stays open until the cell is evaluated, unless the fit was interrupted."""
        if self._thread is None or self._patience is None:
            return
        if error is not None:
            self._status = "FAILED" if isinstance(error, Exception) else "KILLED"
        self._ended.set()
        try:
            self._patience.run(self._finish)
        except Exception as failure:
            warn(f"the losses of {self._cell.name} were not shown while it was fitted: {failure}")

    def _finish(self) -> None:
        assert self._thread is not None
        self._thread.join()
        if self._failure is not None:
            raise self._failure
