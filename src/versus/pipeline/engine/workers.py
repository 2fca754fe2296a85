"""Client of the fork server: start jobs, receive news of them, and end the server."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# As `python -m stages.…` would import: the code beside the stages comes before any installed versus.
START = "import sys; from stages import entry; "
SERVE = "from versus.pipeline.engine.fork_server import serve; sys.exit(serve(*map(int, sys.argv[1:])))"

LONGEST_END = 5.0  # seconds


@dataclass(frozen=True)
class News:
    """Progress or end of a job.

    Args:
        job: id of the job.
        code: exit code of its process, negative for a signal; None while it runs.
        apart: True if its outputs are in DVC's remote, not here.
        fit: title of the fit in progress.
        done: number of epochs done.
        of: maximum number of epochs; None if unknown.
    """

    job: int
    code: int | None = None
    apart: bool = False
    fit: str = ""
    done: int = 0
    of: int | None = None


class WorkersDiedError(Exception):
    """Loss of the process that starts the workers."""


class Workers:
    """Forked workers in a folder; the server starts with this object and ends with `stop`.

    Args:
        root: the folder.
        environment: environment variables of the stages, in addition to this process's.
        alone: True to wait for the workers of an earlier run to end.
    """

    def __init__(self, root: Path, environment: Mapping[str, str], *, alone: bool = True) -> None:
        self._news, messages = os.pipe()
        command = [sys.executable, "-c", START + SERVE, str(messages), str(int(alone))]
        self._server = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[messages],
            start_new_session=True,  # Ctrl-C is for the one who started it
        )
        os.close(messages)
        self._rest, self._frozen, self._stopped = b"", False, False

    def wait_until_frozen(self) -> None:
        """Wait until the server has read params.yaml; later edits count for the next run."""
        while not self._frozen:
            while b"\n" not in self._rest:
                self._rest += self._read()
            self._rest, self._frozen = self._rest.split(b"\n", 1)[1], True

    def start(self, job: Mapping[str, Any]) -> None:
        """Start a job: a mapping with these keys.

        ``id``; ``module`` and ``arguments``, or ``shell``; ``needs``, the modules to load first; ``environment``;
        ``cores``, empty for all; ``output``, the file for what it prints.
        """
        self._tell(job)

    def load(self, modules: Sequence[str]) -> None:
        """Let the server load modules while it has nothing else to do, instead of those named before.

        ``package.*`` stands for all modules of a package.
        """
        self._tell({"ahead": modules})

    def _tell(self, message: Mapping[str, Any]) -> None:
        assert self._server.stdin is not None
        try:
            self._server.stdin.write(json.dumps(message).encode() + b"\n")
            self._server.stdin.flush()
        except BrokenPipeError:
            raise WorkersDiedError("the process that starts the workers was killed; run it again") from None

    def news(self, timeout: float | None) -> list[News]:
        """Return the news since the last call; wait for some, at most ``timeout`` seconds."""
        if not select.select([self._news], [], [], timeout)[0]:
            return []
        *lines, self._rest = (self._rest + self._read()).split(b"\n")
        return [News(found.pop("id"), **found) for found in map(json.loads, lines)]

    def _read(self) -> bytes:
        given = os.read(self._news, 65536)
        if not given:
            raise WorkersDiedError("the process that starts the workers was killed; run it again")
        return given

    def stop(self) -> None:
        """End the server, even while it loads modules; then wait for the workers, which end when they see it gone."""
        if self._stopped:
            return
        self._stopped = True
        assert self._server.stdin is not None
        self._server.kill()
        self._server.wait()
        with suppress(BrokenPipeError):
            self._server.stdin.close()
        while select.select([self._news], [], [], LONGEST_END)[0] and os.read(self._news, 65536):
            pass  # until the last worker lets go of its end
        os.close(self._news)
