"""How a stage gets at the publisher: where it listens, starting it where nobody does, asking it something."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import versus
from versus.tracking import channel, destination
from versus.tracking.channel import ChannelError, Line
from versus.workspace import Workspace

PATIENCE = 9.0  # seconds for a publisher to listen
RESPAWN = 0.7  # seconds between two attempts to start one
ATTEMPTS = 3  # to get an answer, each of a publisher of its own
LARGEST_LOG = 1 << 20

_started: list[subprocess.Popen[bytes]] = []  # kept, so that Python does not complain that they still run


def address(workspace: Workspace) -> Path:
    """Where the publisher for this workspace, these settings and this code listens."""
    root = workspace.root.resolve()
    settings = destination.settings_hash(destination.find(root))
    code = sorted((path.name, path.stat().st_mtime_ns) for path in Path(__file__).parent.glob("*.py"))
    code_hash = hashlib.blake2b(repr((code, sys.executable)).encode(), digest_size=4).hexdigest()
    return root / workspace.private.name / f"publisher-{settings}{code_hash}.sock"


def spawn(workspace: Workspace, address: Path) -> subprocess.Popen[bytes]:
    """Start a publisher in a session of its own: it outlives the stage, and a Ctrl-C is not meant for it."""
    address.parent.mkdir(parents=True, exist_ok=True)
    log = address.with_name("publisher.log")
    if log.is_file() and log.stat().st_size > LARGEST_LOG:
        log.unlink(missing_ok=True)
    root = workspace.root.resolve()
    source = str(Path(versus.__file__).resolve().parents[1])
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "versus.tracking.publisher", str(root), str(address)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=destination.find(root).root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
    _started.append(child)
    return child


def reach(workspace: Workspace, end: float) -> Line:
    """A connection to the publisher, which is started where nobody listens.

    Raises:
        ChannelError: if none is to be had before the monotonic clock shows ``end``.
    """
    where = address(workspace)
    end = min(end, time.monotonic() + PATIENCE)
    child: subprocess.Popen[bytes] | None = None
    spawned = float("-inf")
    while True:
        try:
            return channel.connect(where, timeout=max(min(1.0, end - time.monotonic()), 0.01))
        except ChannelError:
            if time.monotonic() >= end:
                raise
        if (child is None or child.poll() is not None) and time.monotonic() - spawned > RESPAWN:
            child, spawned = spawn(workspace, where), time.monotonic()
        time.sleep(0.02)


def ask(
    workspace: Workspace,
    request: Mapping[str, Any],
    end: float,
    progress: Callable[..., None] | None = None,
) -> dict[str, Any]:
    """The publisher's answer; asks again where it goes away before it answers, since requests can be repeated.

    Args:
        workspace: whose publisher is asked.
        request: with the key ``do``.
        end: reading of the monotonic clock at which to give up; infinity for never.
        progress: called with what the publisher tells before it answers.

    Raises:
        ChannelError: if there is no answer in time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _ask_once(workspace, request, end, progress)
        except ChannelError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.05)  # one that is leaving still has to close its door
    return _ask_once(workspace, request, end, progress)


def _ask_once(
    workspace: Workspace, request: Mapping[str, Any], end: float, progress: Callable[..., None] | None
) -> dict[str, Any]:
    line = reach(workspace, end)
    try:
        line.send(request, timeout=1.0)
        while True:
            reply = line.receive(None if end == float("inf") else max(end - time.monotonic(), 0.001))
            if "progress" not in reply:
                return reply
            if progress is not None:
                progress(*reply["progress"])
    finally:
        line.close()


def tell(workspace: Workspace, request: Mapping[str, Any], end: float) -> None:
    """Leave a request with the publisher without waiting for the answer.

    Raises:
        ChannelError: if nobody takes it in time.
    """
    line = reach(workspace, end)
    try:
        line.send(request, timeout=1.0)
    finally:
        line.close()
