"""Fits and evaluations on a cluster of dask.distributed, with the run itself here.

A Dask worker that was started in the folder of this workspace, on whatever machine, runs stages there. One that was
started in a clone of its own runs them there: what a stage builds on goes through DVC's remote, and its outputs come
back through the run cache. All other stages run here, as does MLflow: the comparison logs what the cluster computed.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from filelock import FileLock

from versus.manifest import digest
from versus.pipeline.engine import jobs
from versus.pipeline.engine.workers import News, Workers, WorkersDiedError

SCHEME = "dask://"
CONNECTING = 20  # seconds
BETWEEN_LOOKS = 0.5  # seconds between two looks at a running stage
HERE = threading.local()  # in a Dask worker, each thread has a fork server of its own


class CancelledError(Exception):
    """Loss of the run that wanted the stage."""


class Cluster(Workers):
    """Workers here for the short stages, and those of a Dask cluster for fits and evaluations.

    Args:
        address: ``dask://HOST:PORT`` of the scheduler; Dask's own configuration may ask for TLS.
        root: the workspace.
        environment: environment variables of the stages that run here.
        parcel: called with the name of a stage; passes on what it builds on, and returns the entries of dvc.lock.
    """

    def __init__(
        self, address: str, root: Path, environment: Mapping[str, str], parcel: Callable[[str], Mapping[str, Any]]
    ) -> None:
        super().__init__(root, environment)
        self._ended: SimpleQueue[News] = SimpleQueue()
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK)
        self._client = client(address)
        self._parcel, self._token = parcel, uuid4().hex
        self._mark = root / ".versus" / f"run-{self._token}"
        self._mark.touch()
        self._params = (root / "params.yaml").read_text(encoding="utf-8")
        self._futures: dict[int, Any] = {}
        found = self._client.run(look_around, self._token)
        self._apart = check_places(found, look_around(self._token)[1])

    def start(self, job: Mapping[str, Any]) -> None:
        """Start a job: a fit or an evaluation on the cluster, any other here."""
        if not job["stage"].startswith(("train", "evaluate")):
            super().start(job)
            return
        run: dict[str, Any] = {"token": self._token, "ahead": jobs.FOR_EVALUATIONS}
        if self._apart:
            run |= {"params": self._params, "lock": self._parcel(job["stage"])}
        future = self._client.submit(perform, job, run, key=f"{job['stage']}-{uuid4().hex}", pure=False)
        self._futures[job["id"]] = future
        future.add_done_callback(lambda done: self._pass_on(job, done))

    def _pass_on(self, job: Mapping[str, Any], done: Any) -> None:
        """Add a finished stage to the news; Dask calls this in a thread."""
        if done.status == "cancelled":
            return
        try:
            code, text, apart = done.result()
        except Exception as error:  # any that Dask or the worker raised: the stage failed with it
            code, text, apart = 1, f"{type(error).__name__}: {error}", False
        Path(job["output"]).write_text(text, encoding="utf-8")
        del self._futures[job["id"]]
        self._ended.put(News(job["id"], code, apart))
        os.write(self._wake, b".")

    def news(self, timeout: float | None) -> list[News]:
        """Return the news since the last call, from here and from the cluster."""
        if self._woken in select.select([self._news, self._woken], [], [], timeout)[0]:
            os.read(self._woken, 4096)
        return [*super().news(0), *(self._ended.get() for _ in range(self._ended.qsize()))]

    def stop(self) -> None:
        """Cancel the stages on the cluster, leave it, and end the workers here."""
        self._client.cancel(list(self._futures.values()))
        self._client.close()
        self._mark.unlink(missing_ok=True)
        super().stop()


def client(address: str) -> Any:
    """Connect to the scheduler of a cluster.

    Raises:
        ValueError: if the address is none, if dask.distributed is not installed, or if nothing answers.
    """
    if not address.startswith(SCHEME):
        raise ValueError(f"--executor {address!r}; dask://HOST:PORT is accepted, the address of a Dask scheduler")
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--executor needs dask.distributed: pip install -e '.[dask]'") from None
    try:
        return Client(address.removeprefix(SCHEME), timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"--executor {address}: no Dask scheduler answers there ({error})") from None


def slots(address: str) -> int:
    """Return the number of threads of the cluster's workers, each of which runs one stage at a time."""
    with client(address) as connected:
        found = sum(connected.nthreads().values())
    if not found:
        raise ValueError(f"--executor {address}: the cluster has no workers yet")
    return int(found)


def check_places(found: Mapping[str, tuple[str, str, str]], code: str) -> bool:
    """Check that all workers have this code; return True if some work in a clone of their own.

    Args:
        found: address of a worker -> what `look_around` returned there.
        code: hash of the code here.

    Raises:
        WorkersDiedError: if a worker is of no use, with its address.
    """
    for worker, (place, theirs, folder) in found.items():
        if place == "nowhere":
            raise WorkersDiedError(
                f"the Dask worker {worker} was started in {folder}, which is neither this workspace nor a clone of it"
            )
        if theirs != code:
            raise WorkersDiedError(f"the Dask worker {worker} has other code in {folder}; bring it to this commit")
    return any(place == "apart" for place, _, _ in found.values())


def look_around(token: str) -> tuple[str, str, str]:
    """Return where this process works ("shared", "apart" or "nowhere"), the hash of the code there, and the folder."""
    here = Path.cwd()
    if not (here / "dvc.yaml").is_file() or not (here / "stages").is_dir():
        return "nowhere", "", str(here)
    code = [here / "dvc.yaml", here / "constraints.txt", *(here / "src").rglob("*.py"), *(here / "stages").glob("*.py")]
    place = "shared" if (here / ".versus" / f"run-{token}").is_file() else "apart"
    return place, digest(sorted(code)), str(here)


def perform(job: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[int, str, bool]:
    """Run a stage in a Dask worker; return its exit code, what it printed, and True if it ran in a clone.

    Raises:
        CancelledError: if the run that wanted it has ended.
    """
    from distributed import get_worker

    worker = get_worker()
    tasks, key = worker.state.tasks, worker.get_current_task()

    def is_wanted() -> bool:
        task = tasks.get(key)
        return task is not None and task.state != "cancelled"

    if (Path(".versus") / f"run-{run['token']}").is_file():
        return (*_perform_here(job, run, is_wanted), False)
    with FileLock(".versus/cluster.lock"):
        return (*_perform_apart(job, run, is_wanted), True)


def _perform_here(job: Mapping[str, Any], run: Mapping[str, Any], is_wanted: Callable[[], bool]) -> tuple[int, str]:
    if getattr(HERE, "token", None) != run["token"]:
        if hasattr(HERE, "workers"):
            HERE.workers.stop()
        HERE.workers, HERE.token = Workers(Path(), {}, alone=False), run["token"]
        HERE.workers.wait_until_frozen()
        HERE.workers.load(run["ahead"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    HERE.workers.start({**job, "environment": {**job["environment"], "PATH": path}})
    while True:
        for news in HERE.workers.news(BETWEEN_LOOKS):
            if news.code is not None:
                return news.code, Path(job["output"]).read_text(encoding="utf-8", errors="replace")
        if not is_wanted():
            HERE.workers.stop()
            del HERE.workers, HERE.token
            raise CancelledError(job["stage"])


def _perform_apart(job: Mapping[str, Any], run: Mapping[str, Any], is_wanted: Callable[[], bool]) -> tuple[int, str]:
    Path("params.yaml").write_text(run["params"], encoding="utf-8")
    Path("dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": run["lock"]}), encoding="utf-8")
    said = ""
    for command in (
        ["pull", *run["lock"]],
        ["repro", "--single-item", job["stage"]],
        ["push", "--run-cache", job["stage"]],
    ):
        code, text = _dvc(command, is_wanted)
        said += text if code else ""
        if code:
            return code, said
    return 0, ""


def _dvc(arguments: list[str], is_wanted: Callable[[], bool]) -> tuple[int, str]:
    command = [sys.executable, "-m", "versus.pipeline.lifeline", "dvc", str(os.getpid()), *arguments]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with subprocess.Popen(
        command, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as dvc:
        while True:
            try:
                text, _ = dvc.communicate(timeout=BETWEEN_LOOKS)
                return dvc.returncode, text
            except subprocess.TimeoutExpired:
                if not is_wanted():
                    dvc.kill()  # its stage ends with it
                    raise CancelledError(arguments[-1]) from None
