"""Real MLflow servers on loopback that can be stopped, slowed and killed."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class MlflowServer:
    """``mlflow server`` with a store of its own, in a process group of its own."""

    def __init__(self, folder: Path, store: str) -> None:
        """Prepare a server that keeps runs in ``store`` and artifacts in ``folder``; `start` starts it."""
        self._folder = folder
        self._store = store
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._key = base64.urlsafe_b64encode(os.urandom(32)).decode()  # of the secrets of webhooks, for every `start`

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", self._store]
        command += ["--artifacts-destination", str(self._folder / "artifacts")]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment |= {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}
        environment |= {"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": self._key}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 90
        while not self._answers():
            assert time.monotonic() < end, (self._folder / "server.log").read_text()
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and its workers."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL; the port and the store stay for the next `start`."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, as its kernel does, and answers none."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    @contextmanager
    def slow(self, share: float) -> Iterator[None]:
        """It runs for only this share of the time."""
        done = threading.Event()

        def pulse() -> None:
            while not done.is_set():
                with self.frozen():
                    time.sleep(0.5 * (1 - share))
                time.sleep(0.5 * share)

        thread = threading.Thread(target=pulse)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Listen for POST on loopback: an address, and the headers and the body of each request so far."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            heard.append((dict(self.headers), body))

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/hook", heard
        listening.shutdown()
