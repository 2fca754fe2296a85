"""Limit on the seconds that MLflow may cost a repro: one budget for all of its processes.

A server that is down, slow or hangs is waited for until the budget is spent. The first outage is noted in a file, so
that later stages do not try at all; `compare` tries once more, with the seconds that are left.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from filelock import FileLock

from versus.tracking import destination
from versus.tracking.destination import Destination
from versus.workspace import Workspace

ALLOWED = 8.0  # seconds, beyond what a healthy server takes
HEALTHY = 0.3  # seconds that a healthy server takes for the run of a cell
LONGEST_TURN = 60.0  # seconds that another process of the workspace may take where there is no limit
OUTAGES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")

Result = TypeVar("Result")


class Outage(OSError):  # noqa: N818 - the name says what happened
    """Failure to reach MLflow or its store, or to get an answer in time."""


class Patience:
    """Limit on the time that one process may wait for a store.

    Args:
        workspace: the workspace in which outages are noted.
        to: the store. For one in a local file there is no limit, as there is no server.
        limited: False for no limit, as for `versus sync`.
    """

    def __init__(self, workspace: Workspace, to: Destination, *, limited: bool = True) -> None:
        self._file = workspace.private / "mlflow_outage.json"
        self._lock = workspace.private / "mlflow.lock"
        self._to = destination.redact(to.uri)
        self.limited = limited and to.sqlite_file is None

    def run(self, action: Callable[[], Result], healthy: float = HEALTHY) -> Result:
        """Run an action on the store within the remaining budget.

        Args:
            action: the action. If it does not end in time it is abandoned, in a thread that ends with the process.
            healthy: seconds that a healthy server takes for it, which do not count.

        Raises:
            Outage: if the store cannot be reached or does not answer in time; later calls then wait for less.
            Exception: any other error that the action raises.
        """
        began = time.monotonic()
        try:
            result = _within(self.left() + healthy, action) if self.limited else action()
        except Exception as error:
            if not is_outage(error):
                raise
            reason = str(error) if isinstance(error, Outage) else destination.in_a_line(error)
            self._note(time.monotonic() - began, reason)
            raise Outage(reason) from error
        if self.limited and time.monotonic() - began > healthy:
            self._note(time.monotonic() - began - healthy, self.outage())
        return result

    def write(self, action: Callable[[], Result], healthy: float = HEALTHY) -> Result:
        """Run an action while no other process of the workspace writes: half-written runs then have no writer."""
        self._lock.parent.mkdir(exist_ok=True)

        def take_turn() -> Result:
            with FileLock(self._lock, timeout=self.left() + healthy if self.limited else LONGEST_TURN):
                return action()

        return self.run(take_turn, healthy)

    def left(self) -> float:
        """Seconds that this repro may still wait."""
        allowed = float(os.environ.get("VERSUS_TRACKING_PATIENCE", ALLOWED))
        return max(0.0, allowed - float(self._noted().get("seconds", 0.0)))

    def outage(self) -> str:
        """Reason why the store could not be reached earlier in this repro; empty if it could."""
        return str(self._noted().get("reason", ""))

    def _noted(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if (found.get("repro"), found.get("store")) == (_repro(), self._to) else {}

    def _note(self, seconds: float, reason: str) -> None:
        total = float(self._noted().get("seconds", 0.0)) + seconds
        noted = {"repro": _repro(), "store": self._to, "reason": reason, "seconds": total}
        self._file.parent.mkdir(exist_ok=True)
        aside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        aside.write_text(json.dumps(noted), encoding="utf-8")
        aside.replace(self._file)


def _repro() -> str:
    """Identifier shared by all processes of one repro; the id of this process if none is set."""
    return os.environ.get("VERSUS_REPRO") or str(os.getpid())


def _within(seconds: float, action: Callable[[], Result]) -> Result:
    """Return the result of an action or raise its error; raise an `Outage` if it takes longer than ``seconds``."""
    done: list[Result] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            done.append(action())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True, name="tracking")
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise Outage(f"no answer within {seconds:.1f} s")
    return done[0]


def is_outage(error: Exception) -> bool:
    """Check whether mlflow or its store cannot be reached, so that any other request would fail the same way."""
    if isinstance(error, ImportError):
        return True  # of mlflow
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in OUTAGES
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
