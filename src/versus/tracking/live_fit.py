"""The losses of a fit, on their way to MLflow while it goes on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from versus.tracking import channel, reach
from versus.tracking.channel import ChannelError, Line
from versus.workspace import Workspace

SEND_EVERY = 1.0  # seconds
LONGEST_SEND = 0.05  # seconds that a step may wait
MOST_UNSENT = 10_000


class LiveFit:
    """Sends losses on, at most once a second and without waiting; what gets lost is in the cell's history all the same.

    It is closed with the process at the latest; used in a ``with`` statement it sends the last losses, too.
    """

    def __init__(self, workspace: Workspace, cell: str, *, is_on: bool = True) -> None:
        self._workspace = workspace
        self._cell = cell
        self._line: Line | None = None
        self._unsent: list[tuple[int, int, dict[str, float]]] = []
        self._next = 0.0 if is_on else float("inf")
        self._publisher: subprocess.Popen[bytes] | None = None

    def log(self, step: int, losses: Mapping[str, float], repeat: int = 0) -> None:
        """Note the losses of one step (an epoch) of one repeat's fit."""
        if self._next == float("inf"):
            return
        self._unsent.append((step, repeat, {name: float(value) for name, value in losses.items()}))
        del self._unsent[:-MOST_UNSENT]
        if time.monotonic() >= self._next:
            self._send()

    def _send(self) -> None:
        self._next = time.monotonic() + SEND_EVERY
        try:
            if self._line is None:
                self._line = self._open()
            self._line.send({"points": self._unsent}, timeout=LONGEST_SEND)
            self._unsent.clear()
        except OSError:
            self._line = None

    def _open(self) -> Line:
        address = reach.address(self._workspace)
        try:
            line = channel.connect(address, timeout=LONGEST_SEND)
        except ChannelError:
            if self._publisher is None or self._publisher.poll() is not None:
                self._publisher = reach.spawn(self._workspace, address)
            raise
        line.send({"do": "live", "cell": self._cell}, timeout=LONGEST_SEND)
        return line

    def close(self) -> None:
        """Send the rest and hang up."""
        if self._unsent:
            self._send()
        if self._line is not None:
            self._line.close()
        self._line, self._next = None, float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
