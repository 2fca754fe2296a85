"""Interface of stages and commands to MLflow. Nothing here raises when tracking fails; a warning says what is missing.

``VERSUS_TRACKING=off`` turns tracking off, ``VERSUS_MIRROR=1`` makes an evaluation write its run even if mlflow is not
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
from versus.tracking.patience import Patience, healthy_seconds
from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.tracking.fit_run import FitRun, Losses
    from versus.tracking.mirror import Mirror

OPENING = 4.0  # seconds that a healthy database takes to be opened, or filled with MLflow's tables
ADVICE = "`versus sync` or the next `compare` adds it"


def connect(workspace: Workspace, *, limited: bool = True) -> tuple[Mirror, Patience]:
    """Connect to the store; return a mirror to it and the limit on the time to wait for it.

    Args:
        workspace: the workspace whose files are mirrored.
        limited: False for no limit.

    Raises:
        Exception: any error of a store that cannot be opened.
    """
    to = destination.find(workspace.root)
    patience = Patience(workspace, to, limited=limited)
    import versus.tracking.mirror  # noqa: F401 - its libraries' seconds do not count as a server's

    return patience.run(partial(_open, workspace, to, limited), OPENING), patience


@lru_cache(maxsize=4)
def _open(workspace: Workspace, to: Destination, brief: bool) -> Mirror:
    from versus.tracking.mirror import Mirror

    here = f"{socket.gethostname()}:{workspace.root.resolve()}"
    return Mirror(store.open_store(to, brief=brief), to, workspace, hashlib.sha256(here.encode()).hexdigest()[:12])


def mirror_cell(workspace: Workspace, cell: Cell, confidence: float) -> Outcome:
    """Log an evaluated cell as one MLflow run if mlflow is loaded anyway; otherwise `sync` does it.

    After an outage in the same repro nothing is tried.

    Args:
        workspace: the workspace with the cell's files.
        cell: the cell.
        confidence: confidence of the intervals of its scores.
    """
    if not destination.is_on() or not ("mlflow" in sys.modules or os.environ.get("VERSUS_MIRROR") == "1"):
        return Outcome(False, "left to `compare`")
    earlier = Patience(workspace, destination.find(workspace.root)).outage()
    if earlier:
        return Outcome(False, earlier)
    try:
        mirror, patience = connect(workspace)
        found = record.read(workspace, cell, confidence)
        return Outcome(True, run_id=patience.write(partial(mirror.cell, found), healthy_seconds(found.children)))
    except Exception as error:  # the evaluation is done whatever the store raises
        reason = in_a_line(error)
        warn(f"cell {cell.name} is not in MLflow: {reason}; {ADVICE}")
        return Outcome(False, reason)


def live(workspace: Workspace, cell: Cell) -> LiveFit:
    """Return an object that takes a fit's losses and shows them while the fit runs, if it is long."""

    def start(losses: Losses) -> FitRun:
        mirror, _ = connect(workspace)
        from versus.tracking.fit_run import FitRun

        return FitRun(mirror, cell, losses)

    patience = Patience(workspace, destination.find(workspace.root))
    return LiveFit(cell, start, patience if destination.is_on() else None)


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
        workspace: the workspace with the cells' files.
        cells: all compared cells, including those not evaluated yet.
        comparison: the deciding scores and the confidence.
        to_the_end: True to wait for a slow server without limit.
        progress: called with a cell's name, its number and the number of cells, before each is mirrored.
    """
    summary = Summary()
    if not destination.is_on():
        summary.reason = "tracking is off"
        return summary
    try:
        mirror, patience = connect(workspace, limited=not to_the_end)
        from versus.tracking import sync as synchronisation

        synchronisation.sync(mirror, patience, cells, comparison, summary, progress)
    except Exception as error:  # the report is written whatever the store raises
        summary.reason = in_a_line(error)
        warn(f"MLflow was not brought up to date: {summary.reason}; `versus sync` logs the rest")
    if summary.failed:
        warn("; ".join(f"cell {cell} is not in MLflow: {reason}" for cell, reason in summary.failed.items()))
    return summary
