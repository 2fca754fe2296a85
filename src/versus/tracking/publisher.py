"""The background process that writes to MLflow: imports it once, serves requests over a socket, leaves when idle.

    python -m versus.tracking.publisher WORKSPACE ADDRESS

`client` starts it. One thread does the writing, so that nothing is written twice; the others only listen. A request
is a JSON object with ``do`` and answered by one with ``ok`` (and ``reason``); ``{"do": "live", "cell": …}`` is
followed by lines of points and not answered.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from filelock import FileLock, Timeout

from versus.tracking import destination
from versus.tracking.channel import ChannelError, Line, Listener
from versus.tracking.writer import TICK, Job, Writer
from versus.workspace import Workspace

IDLE = float(os.environ.get("VERSUS_PUBLISHER_IDLE", "120"))  # seconds
PREDECESSOR = 3.0  # seconds that a publisher that is leaving may take


class Server:
    """Listens, hands requests to the writer, and decides when to leave."""

    def __init__(self, writer: Writer, listener: Listener) -> None:
        self._writer = writer
        self._listener = listener
        self._file = writer.to.sqlite_file
        self._store: int | None = None
        self._last = time.monotonic()

    def serve(self) -> None:
        """Until nobody has asked for a while, or until the workspace or the store is not the one it was."""
        threading.Thread(target=self._writer.run, daemon=True).start()
        while self._listener.still_reachable() and not self._replaced():
            line = self._listener.accept(TICK)
            if line is not None:
                if self._replaced():
                    self._listener.close()  # before the client, which is hung up on, tries again
                    break
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()
            if line is not None or self._writer.busy or self._writer.live or not self._writer.jobs.empty():
                self._last = time.monotonic()
            elif time.monotonic() - self._last > IDLE:
                break

    def _replaced(self) -> bool:
        """Whether the sqlite file that was opened was deleted or exchanged: writing to it would write to nowhere."""
        if self._file is None:
            return False
        try:
            inode = self._file.stat().st_ino
        except FileNotFoundError:
            inode = None
        if self._store is None:
            self._store = inode
        return self._store != inode

    def _talk(self, line: Line) -> None:
        try:
            if not self._listener.admits(line):
                return line.close()
            request = line.receive(timeout=10.0)
            if request.get("do") == "live":
                self._follow(line, str(request["cell"]))
            else:
                self._writer.jobs.put(Job(request, line))
        except (ChannelError, KeyError, ValueError):
            traceback.print_exc()
            line.close()

    def _follow(self, line: Line, cell: str) -> None:
        """Take down what a fit sends until it hangs up."""
        from versus.tracking.live_runs import LiveRun
        from versus.tracking.record import Point, curve_key

        run = self._writer.live[id(line)] = LiveRun(cell)
        try:
            while True:
                for step, repeat, losses in line.receive()["points"]:
                    run.points += [Point(curve_key(name, repeat), value, step) for name, value in losses.items()]
        except ChannelError:
            self._writer.ended.put(id(line))


class Redacted:
    """A text stream that lets no secret through; libraries put URIs into their messages."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write with secrets replaced."""
        self._stream.write(destination.redact(text))
        self._stream.flush()
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main(root: Path, address: Path) -> None:
    """Serve a workspace, unless another process does."""
    sys.stdout = sys.stderr = Redacted(sys.stderr)
    try:
        with FileLock(address.with_suffix(".lock"), timeout=PREDECESSOR):
            listener = Listener(address)
            try:
                signal.signal(signal.SIGTERM, _leave)
                Server(Writer(Workspace(root), destination.find(root)), listener).serve()
            finally:
                listener.close()
    except Timeout:
        pass


def _leave(_: int, __: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
