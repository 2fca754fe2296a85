"""What stages and commands say to MLflow. Nothing here raises when tracking fails; a warning says what is missing.

``VERSUS_TRACKING=off`` turns tracking off, ``VERSUS_MIRROR=1`` makes an evaluation write its run though mlflow is not
loaded yet, and ``VERSUS_TRACKING_PATIENCE`` is the number of seconds that a repro may wait for a server.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from versus.settings import Cell, Comparison
from versus.tracking import destination, record, store
from versus.tracking.answers import Outcome, Summary
from versus.tracking.destination import Destination, in_a_line, warn
from versus.tracking.live import LiveFit
from versus.tracking.patience import Patience
from versus.tracking.record import Point
from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.tracking.fit_run import FitRun
    from versus.tracking.mirror import Mirror

OFF = ("off", "0", "false", "no")
ADVICE = "`make sync` or the next `compare` adds it"


def is_on() -> bool:
    """Whether anything is tracked."""
    return os.environ.get("VERSUS_TRACKING", "on").lower() not in OFF


def connect(workspace: Workspace, *, limited: bool = True) -> tuple[Mirror, Patience]:
    """A mirror to the store, and how long it may be waited for.

    Args:
        workspace: whose files are mirrored.
        limited: whether there is a limit at all.

    Raises:
        Exception: whatever a store that cannot be opened raises.
    """
    to = destination.find(workspace.root)
    patience = Patience(workspace, to, limited=limited)
    store.load()
    return patience.run(partial(_open, workspace, to, limited)), patience


@lru_cache(maxsize=4)
def _open(workspace: Workspace, to: Destination, brief: bool) -> Mirror:
    from versus.tracking.mirror import Mirror

    here = f"{socket.gethostname()}:{workspace.root.resolve()}"
    return Mirror(store.open_store(to, brief=brief), to, workspace, hashlib.sha256(here.encode()).hexdigest()[:12])


def mirror_cell(workspace: Workspace, cell: Cell, confidence: float) -> Outcome:
    """Make an evaluated cell one MLflow run where mlflow is loaded anyway; where it is not, `sync` does it.

    After an outage in the same repro nothing is tried.

    Args:
        workspace: with the cell's files.
        cell: which cell.
        confidence: of the intervals of its scores.
    """
    if not is_on() or not ("mlflow" in sys.modules or os.environ.get("VERSUS_MIRROR") == "1"):
        return Outcome(False, "left to `compare`")
    earlier = Patience(workspace, destination.find(workspace.root)).outage()
    if earlier:
        return Outcome(False, earlier)
    try:
        mirror, patience = connect(workspace)
        found = record.read(workspace, cell, confidence)
        return Outcome(True, run_id=patience.write(partial(mirror.cell, found)))
    except Exception as error:  # whatever a store throws, the evaluation is done
        reason = in_a_line(error)
        warn(f"cell {cell.name} is not in MLflow: {reason}; {ADVICE}")
        return Outcome(False, reason)


def live(workspace: Workspace, cell: Cell) -> LiveFit:
    """Takes a fit's losses, which are shown while it goes on if it takes long."""

    def start(points: Sequence[Point]) -> FitRun:
        mirror, _ = connect(workspace)
        from versus.tracking.fit_run import FitRun

        return FitRun.start(mirror, cell, points)

    patience = Patience(workspace, destination.find(workspace.root))
    return LiveFit(cell, start, patience if is_on() else None)


def sync(
    workspace: Workspace,
    cells: Sequence[Cell],
    comparison: Comparison,
    *,
    to_the_end: bool = False,
    progress: Callable[[str, int, int], None] = lambda cell, number, of: None,
) -> Summary:
    """Mirror the report and every cell that MLflow lacks.

    Args:
        workspace: with the cells' files.
        cells: all cells that are compared, those not evaluated yet among them.
        comparison: by which scores, and with which confidence.
        to_the_end: whether a slow server is waited for however long it takes.
        progress: called with a cell's name, its number and how many there are, before each is mirrored.
    """
    summary = Summary()
    if not is_on():
        summary.reason = "tracking is off"
        return summary
    try:
        mirror, patience = connect(workspace, limited=not to_the_end)
        from versus.tracking import sync as synchronisation

        synchronisation.sync(mirror, patience, cells, comparison, summary, progress)
    except Exception as error:  # whatever a store throws, the report is written
        summary.reason = in_a_line(error)
        warn(f"MLflow was not brought up to date: {summary.reason}; `make sync` goes on")
    if summary.failed:
        warn("; ".join(f"cell {cell} is not in MLflow: {reason}" for cell, reason in summary.failed.items()))
    return summary
