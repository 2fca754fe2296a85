"""The publisher's one writing thread: takes requests from a queue, and in between logs what live fits have sent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from versus.tracking import destination, store
from versus.tracking.channel import ChannelError, Line
from versus.tracking.outages import is_outage
from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.tracking.live_runs import LiveRun
    from versus.tracking.mirror import Mirror

TICK = 0.5
REST = 15.0  # seconds after an outage during which requests fail at once instead of waiting each for a dead server
LONGEST_REASON = 300
REGISTRY = ("register", "promote", "roll_back", "fetch")
PERSISTENT = ("sync", "report", *REGISTRY)  # try in any case: whoever asks may know that the store is back


@dataclass
class Job:
    """A request and the connection that waits for its answer."""

    request: dict[str, Any]
    line: Line

    def answer(self, message: dict[str, Any]) -> None:
        """Send something back; it may be that nobody waits any more."""
        with contextlib.suppress(ChannelError):
            self.line.send(message, timeout=1.0)


@dataclass
class Writer:
    """Serves requests one after the other, so that nothing is written twice."""

    workspace: Workspace
    to: destination.Destination
    jobs: queue.Queue[Job] = field(default_factory=queue.Queue)
    live: dict[int, LiveRun] = field(default_factory=dict)
    ended: queue.Queue[int] = field(default_factory=queue.Queue)  # keys of `live` whose connection is gone
    busy: bool = False
    _mirror: Mirror | None = None
    _outage: tuple[float, str] | None = None

    def run(self) -> None:
        """Serve for ever."""
        while True:
            try:
                job = self.jobs.get(timeout=TICK)
            except queue.Empty:
                self._attempt(self._serve_live)
                continue
            self.busy = True
            self._serve(job)
            self.busy = False

    def _serve(self, job: Job) -> None:
        began = time.monotonic()
        answer: dict[str, Any] = {}
        if job.request.get("do") in PERSISTENT:
            self._outage = None
        failure = self._attempt(lambda: answer.update(self._result(job)))
        what = " ".join(str(value) for value in job.request.values() if isinstance(value, str))
        outcome = "done" if failure is None else failure
        print(f"{time.strftime('%H:%M:%S')} {what}: {outcome} after {time.monotonic() - began:.2f} s", flush=True)
        job.answer({"ok": True, **answer} if failure is None else {"ok": False, "reason": failure})

    def _attempt(self, action: Callable[[], Any]) -> str | None:
        """Do something with the store; the reason where it fails, which also goes to the log."""
        if self._outage and time.monotonic() - self._outage[0] < REST:
            return self._outage[1]
        self._outage = None
        try:
            action()
        except Exception as error:  # whatever a store throws, the next request is served
            traceback.print_exc()
            reason = destination.redact(" ".join(f"{type(error).__name__}: {error}".split()))[:LONGEST_REASON]
            if is_outage(error):
                self._outage = (time.monotonic(), reason)
            return reason
        return None

    def mirror(self) -> Mirror:
        """The mirror; the first call imports mlflow and opens the store."""
        if self._mirror is None:
            client = store.open_store(self.to)
            from versus.tracking.mirror import Mirror

            here = f"{socket.gethostname()}:{self.workspace.root.resolve()}"
            self._mirror = Mirror(client, self.to, self.workspace, hashlib.sha256(here.encode()).hexdigest()[:12])
        return self._mirror

    def _result(self, job: Job) -> dict[str, Any]:
        mirror = self.mirror()
        self._serve_live()  # a cell that was just fitted takes its live run over
        from versus.tracking import comparison, record, registry_requests, sync

        request = job.request
        match request["do"]:
            case "prepared":
                about = (self.workspace.prepared(request["dataset"]) / "about.json").read_text(encoding="utf-8")
                mirror.dataset(request["dataset"], json.loads(about), request.get("primary"))
            case "cell":
                return {"run_id": mirror.cell(record.read(self.workspace, request["cell"]))}
            case "report":
                return {"run_id": comparison.mirror_comparison(mirror)}
            case "sync":
                fits = {run.cell for run in self.live.values()}
                done = sync.sync(
                    mirror, request["cells"], fits, lambda *at: job.answer({"progress": at}), request.get("primary")
                )
                return asdict(done)
            case action if action in REGISTRY:
                return registry_requests.serve(mirror, request)
            case unknown:
                raise ValueError(f"unknown request {unknown!r}")
        return {}

    def _serve_live(self) -> None:
        while not self.ended.empty():
            self.live.pop(self.ended.get()).end(self.mirror())
        for run in list(self.live.values()):
            if run.due():
                run.flush(self.mirror())
