"""How stages and the publisher talk: one JSON object a line, over a Unix socket, or over loopback where there is none.

The address is a file: the socket itself, or (no Unix sockets, or a path longer than the 108 bytes that they take) a
file that only its owner can read, with the port and a token that every connection must begin with.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONGEST_UNIX_PATH = 100
LONGEST_LINE = 1 << 20
TOKEN_BYTES = 32


class ChannelError(OSError):
    """Nobody listens, the other side went away, or it took too long."""


def uses_unix_socket(address: Path) -> bool:
    """Whether the address is a Unix socket rather than a loopback port."""
    return hasattr(socket, "AF_UNIX") and len(os.fsencode(address)) <= LONGEST_UNIX_PATH


class Line:
    """One connection that carries JSON objects, a line each."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread = bytearray()

    def send(self, message: Mapping[str, Any], timeout: float | None = None) -> None:
        """Send one object within ``timeout`` seconds.

        Raises:
            ChannelError: if the other side is gone or does not read.
        """
        try:
            self._connection.settimeout(timeout)
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ChannelError(f"nothing could be sent: {error}") from error

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next object, waited for at most ``timeout`` seconds.

        Raises:
            ChannelError: if the other side is gone, says nothing in time, or sends anything but one object a line.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._unread:
            self._read(end)
        line, _, rest = self._unread.partition(b"\n")
        self._unread = rest
        try:
            message = json.loads(line)
        except ValueError as error:
            raise ChannelError(f"not JSON: {bytes(line[:80])!r}") from error
        if not isinstance(message, dict):
            raise ChannelError(f"not a JSON object: {bytes(line[:80])!r}")
        return message

    def _read(self, end: float | None) -> None:
        if len(self._unread) > LONGEST_LINE:
            raise ChannelError(f"a line of more than {LONGEST_LINE} bytes")
        try:
            self._connection.settimeout(None if end is None else max(end - time.monotonic(), 0.001))
            received = self._connection.recv(1 << 16)
        except OSError as error:
            raise ChannelError(f"no answer: {error}") from error
        if not received:
            raise ChannelError("the other side went away")
        self._unread += received

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def connect(address: Path, timeout: float = 1.0) -> Line:
    """A connection to whoever listens at the address.

    Raises:
        ChannelError: if nobody does.
    """
    try:
        if uses_unix_socket(address):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            connection.connect(str(address))
            return Line(connection)
        found = json.loads(address.read_text(encoding="utf-8"))
        connection = socket.create_connection(("127.0.0.1", int(found["port"])), timeout)
    except (OSError, ValueError, KeyError) as error:
        raise ChannelError(f"nobody listens at {address}: {error}") from error
    line = Line(connection)
    line.send({"token": found["token"]}, timeout)
    return line


class Listener:
    """The listening side: accepts connections that know the token where one is needed."""

    def __init__(self, address: Path) -> None:
        """Listen at an address; what an earlier listener left there is replaced."""
        self._address = address
        self._token: str | None = None
        address.unlink(missing_ok=True)
        if uses_unix_socket(address):
            self._socket = socket.socket(socket.AF_UNIX)
            mask = os.umask(0o177)
            try:
                self._socket.bind(str(address))
            finally:
                os.umask(mask)
            self._socket.listen(64)
        else:
            self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
            self._token = secrets.token_hex(TOKEN_BYTES)
            self._publish_port()
        self._identity = self._stat()

    def _publish_port(self) -> None:
        aside = self._address.with_suffix(f".{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(json.dumps({"port": self._socket.getsockname()[1], "token": self._token}), encoding="utf-8")
        aside.replace(self._address)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._address.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_ctime_ns  # inodes are used again

    def still_reachable(self) -> bool:
        """Whether the address still leads here: false once its folder was deleted or another took its place."""
        return self._stat() == self._identity

    def accept(self, timeout: float) -> Line | None:
        """The next connection, None where there is none within ``timeout`` seconds."""
        self._socket.settimeout(timeout)
        try:
            connection, _ = self._socket.accept()
        except TimeoutError:
            return None
        return Line(connection)

    def admits(self, line: Line) -> bool:
        """Whether a fresh connection knows the token; Unix sockets need none, the file system guards them."""
        if self._token is None:
            return True
        return secrets.compare_digest(str(line.receive(timeout=1.0).get("token")), self._token)

    def close(self) -> None:
        """Stop listening; the address goes unless another listener took it. May be called twice."""
        if self._socket.fileno() >= 0 and self.still_reachable():
            self._address.unlink(missing_ok=True)
        self._socket.close()
