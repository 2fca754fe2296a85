"""Limit on the seconds that MLflow may cost a repro: one budget for all of its processes.

An answer that comes as fast as a healthy server's costs nothing; a later one, or none, costs all of its time, until the
budget is spent. All processes share the file that keeps count: one that waits gives up when others have spent what it
waits on. After an outage later stages do not try at all; `compare` tries once more, with what is left, and the next
`compare` or `versus sync` logs what is missing.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from filelock import FileLock

from versus.tracking import destination
from versus.tracking.destination import Destination
from versus.workspace import Workspace

ALLOWED = 6.0  # seconds of a repro spent on failures and slow answers; with one answer of the largest `healthy`, 10
HEALTHY = 0.5  # seconds that a healthy server on a busy machine takes for the run of a cell
A_CHILD = 0.1  # the same for each run below it
LONGEST_HEALTHY = 4.0
LOOK = 0.1  # seconds between two looks at what other processes have spent
LONGEST_TURN = 60.0  # seconds that another process of the workspace may take where there is no limit
ATTEMPTS = 3
OUTAGES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")

Result = TypeVar("Result")


def healthy_seconds(children: int) -> float:
    """Seconds that a healthy server takes for the run of a cell and those below it."""
    return min(LONGEST_HEALTHY, HEALTHY + A_CHILD * children)


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
            healthy: seconds that a healthy server takes for it at most, which cost nothing.

        Raises:
            Outage: if the store cannot be reached or does not answer in time, or if the budget is spent already.
            Exception: any other error that the action raises.
        """
        began = time.monotonic()
        try:
            result = self._within(action, healthy) if self.limited else action()
        except Exception as error:
            if not is_outage(error):
                raise
            reason = str(error) if isinstance(error, Outage) else destination.in_a_line(error)
            self._note(time.monotonic() - began, reason)
            raise Outage(reason) from error
        if self.limited and time.monotonic() - began > healthy:
            self._note(time.monotonic() - began, self.outage())
        return result

    def _within(self, action: Callable[[], Result], healthy: float) -> Result:
        """Return the result of an action or raise its error; raise an `Outage` when it takes too long."""
        if not self.left():
            raise Outage(self.outage() or f"slow answers have taken the {_allowed():g} s that a repro waits for MLflow")
        outcome: Future[Result] = Future()
        threading.Thread(target=_settle, args=(outcome, action), daemon=True, name="tracking").start()
        began = time.monotonic()
        while not wait([outcome], LOOK).done:
            waited = time.monotonic() - began
            if waited > max(healthy, self.left()):
                raise Outage(f"no answer within {waited:.1f} s")
        return outcome.result()

    def write(self, action: Callable[[], Result], healthy: float = HEALTHY) -> Result:
        """Run an action while no other process of the workspace writes: half-written runs then have no writer."""
        self._lock.parent.mkdir(exist_ok=True)

        def take_turn() -> Result:
            with FileLock(self._lock, timeout=max(healthy, self.left()) if self.limited else LONGEST_TURN):
                return _again_if_overtaken(action)

        return self.run(take_turn, healthy)

    def left(self) -> float:
        """Seconds that this repro may still wait."""
        return max(0.0, _allowed() - float(self._noted().get("seconds", 0.0)))

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
        self._file.parent.mkdir(exist_ok=True)
        with FileLock(f"{self._file}.lock", timeout=LOOK * 10):
            total = float(self._noted().get("seconds", 0.0)) + seconds
            noted = {"repro": _repro(), "store": self._to, "reason": reason, "seconds": total}
            aside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            aside.write_text(json.dumps(noted), encoding="utf-8")
            aside.replace(self._file)


def _repro() -> str:
    """Identifier shared by all processes of one repro; the id of this process if none is set."""
    return os.environ.get("VERSUS_REPRO") or str(os.getpid())


def _allowed() -> float:
    return float(os.environ.get("VERSUS_TRACKING_PATIENCE", ALLOWED))


def _settle(outcome: Future[Result], action: Callable[[], Result]) -> None:
    try:
        outcome.set_result(action())
    except Exception as error:
        outcome.set_exception(error)


def _again_if_overtaken(action: Callable[[], Result]) -> Result:
    """Repeat an action that failed because other clones, or requests that a server had kept, changed the same runs.

    The action finds the changes and completes what is missing; it writes nothing twice.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return action()
        except Exception as error:
            if is_outage(error) or not type(error).__module__.startswith("mlflow."):
                raise
    return action()


def is_outage(error: Exception) -> bool:
    """Check whether mlflow or its store cannot be reached, so that any other request would fail the same way."""
    if isinstance(error, ImportError):
        return True  # of mlflow
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in OUTAGES
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
