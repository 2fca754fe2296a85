"""Server process that loads the libraries once and forks a worker for each stage.

Jobs arrive on standard input and events leave on a pipe, both as lines of JSON. The server computes nothing itself and
never initialises CUDA: a worker starts like a fresh ``python -m stages.…``, except that its imports are done. The
server ends with the process that started it, and its workers end when either of the two is gone.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import psutil

from versus import params as parameters
from versus.arrays import Step
from versus.fitting import progress
from versus.pipeline import lifeline
from versus.tracking import destination

NOT_FOR_STAGES = ("versus.__main__", "versus.commands", "versus.pipeline", "versus.gate", "versus.tracking.server")
OF_TRACKING = ("versus.tracking", "versus.serving")  # import mlflow
SECONDS_BETWEEN_NEWS = 0.25


def serve(messages: int, alone: int) -> int:
    """Start a worker for each job.

    Args:
        messages: file descriptor to write events to.
        alone: 1 to wait for the workers of an earlier run to end.
    """
    server = _Server(messages, alone)
    for job in server.jobs():
        worker = os.fork()
        if worker == 0:
            _end(_code(job, messages))
        server.working[worker] = job["id"]
    server.end()
    return 0


class _Server:
    def __init__(self, messages: int, alone: int) -> None:
        self.messages = messages
        self.working: dict[int, int] = {}  # process -> id of its job
        self.waiting: list[dict[str, Any]] = []
        self._rest, self._open = b"", True
        self._ahead: list[str] = []
        self._tried: set[str] = set()
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if alone:  # workers inherit the lock, so that it is free when the last of an earlier run is gone
            lock = os.open(".versus/workers.lock", os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(lock, fcntl.LOCK_EX)

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Yield jobs as they arrive, each once the modules that it needs are loaded."""
        with suppress(parameters.ParamsError):  # the stage will report it
            parameters.freeze(Path("params.yaml"))
        _tell(self.messages, {"frozen": True})
        while True:
            name = next(self._missing(), None)
            if name is not None:
                self._load(name)
            self._hear(None if name is None and not self.waiting else 0)
            if not self._open:
                return
            yield from self._ready()

    def _missing(self) -> Iterator[str]:
        """Names of modules to load: what jobs wait for, then what may be needed later."""
        names = chain(*(job["needs"] for job in self.waiting), self._ahead)
        return (name for name in names if name not in self._tried)

    def _load(self, name: str) -> None:
        self._tried.add(name)
        with suppress(ImportError):  # the stage that needs it will report it
            if name.endswith(".*"):
                self._ahead = [*self._ahead, *_modules_in(name.removesuffix(".*"))]
            else:
                importlib.import_module(name)
        if next(self._missing(), None) is None:
            gc.collect()
            gc.freeze()  # collections in workers leave these pages shared

    def _hear(self, timeout: float | None) -> None:
        readable, _, _ = select.select([0, self._woken], [], [], timeout)
        if 0 in readable:
            self._read()
        if self._woken in readable:
            os.read(self._woken, 4096)
            self._reap()

    def _ready(self) -> list[dict[str, Any]]:
        ready = [job for job in self.waiting if self._tried.issuperset(job["needs"])]
        self.waiting = [job for job in self.waiting if job not in ready]
        return ready

    def _read(self) -> None:
        given = os.read(0, 65536)
        self._open = bool(given)
        *lines, self._rest = (self._rest + given).split(b"\n")
        for message in map(json.loads, lines):
            if "ahead" in message:
                self._ahead = message["ahead"]
            else:
                self.waiting.append(message)

    def _reap(self) -> None:
        for worker in list(self.working):
            found, status = os.waitpid(worker, os.WNOHANG)
            if found:
                ended = {"id": self.working.pop(worker), "code": os.waitstatus_to_exitcode(status)}
                _tell(self.messages, ended)

    def end(self) -> None:
        """Kill the remaining workers, as nobody needs their results, and wait for them to end."""
        for worker in self.working:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        for worker in self.working:
            os.waitpid(worker, 0)


def _modules_in(package: str) -> Iterator[str]:
    """Names of the modules of a package that stages may import."""
    paths = importlib.import_module(package).__path__
    found = pkgutil.walk_packages(paths, f"{package}.", onerror=lambda _: None)
    skipped = NOT_FOR_STAGES if destination.is_on() else (*NOT_FOR_STAGES, *OF_TRACKING)
    return (module.name for module in found if not module.name.startswith(skipped))


def _code(job: dict[str, Any], messages: int) -> int:
    """Run one stage; return the exit code that the interpreter would give it."""
    try:
        return _work(job, messages)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1


def _end(code: int) -> NoReturn:
    """End a worker without the interpreter's clean-up, which would touch, and so copy, all that the server shares."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _work(job: dict[str, Any], messages: int) -> int:
    """Run one stage in this worker process; return its exit code."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(job["output"], "wb") as output, open(os.devnull, "rb") as nothing:
        for stream, file in ((0, nothing), (1, output), (2, output)):
            os.dup2(file.fileno(), stream)
    os.environ.update(job["environment"])
    if job["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job["cores"])
    lifeline.hold(psutil.Process().parents()[:2])  # the server, and whoever started it
    if "shell" in job:
        return subprocess.run(job["shell"], shell=True, executable=os.environ.get("SHELL"), check=False).returncode
    progress.listen(_Reporter(job["id"], messages).step, SECONDS_BETWEEN_NEWS)
    sys.argv = [job["module"], *job["arguments"]]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
    return 0


class _Reporter:
    """Reporter of a fit's progress."""

    def __init__(self, job: int, messages: int) -> None:
        self.job, self.messages = job, messages

    def step(self, title: str, epochs: int | None, step: Step) -> None:
        """Report that one epoch is done."""
        _tell(self.messages, {"id": self.job, "fit": title, "done": step.step, "of": epochs})


def _tell(messages: int, news: dict[str, Any]) -> None:
    os.write(messages, json.dumps(news).encode() + b"\n")  # short enough to stay in one piece
