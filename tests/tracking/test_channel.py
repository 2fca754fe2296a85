import json
import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from versus.tracking import channel
from versus.tracking.channel import ChannelError, Line, Listener, connect


@pytest.fixture(params=["unix", "loopback"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A short path, and one too long for a Unix socket."""
    folder = tmp_path / ("d" * 100 if request.param == "loopback" else "d")
    folder.mkdir()
    found = folder / "a.sock"
    assert channel.uses_unix_socket(found) == (request.param == "unix")
    return found


def accepted(listener: Listener) -> Line:
    line = listener.accept(timeout=2.0)
    assert line is not None
    assert listener.admits(line)
    return line


def test_objects_arrive_whole_and_in_order(address: Path) -> None:
    listener = Listener(address)
    sender = connect(address)
    receiver = accepted(listener)
    messages = [{"n": n, "text": "é\n" * n, "value": float("inf")} for n in range(50)] + [{"long": "x" * 200_000}]
    threading.Thread(target=lambda: [sender.send(m, timeout=2.0) for m in messages], daemon=True).start()
    assert [receiver.receive(timeout=2.0) for _ in messages] == messages
    receiver.send({"ok": True})
    assert sender.receive(timeout=1.0) == {"ok": True}
    listener.close()
    assert not address.exists()


def test_nobody_else_on_the_machine_can_connect(address: Path) -> None:
    listener = Listener(address)
    assert stat.S_IMODE(address.stat().st_mode) & 0o077 == 0
    listener.close()


def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    address = tmp_path / ("d" * 100)
    listener = Listener(address)
    port = json.loads(address.read_text())["port"]
    line = Line(socket.create_connection(("127.0.0.1", port)))
    line.send({"token": "guessed"})
    received = listener.accept(1.0)
    assert received is not None
    assert not listener.admits(received)
    listener.close()


def test_silence_ends_after_the_time_that_was_given(address: Path) -> None:
    listener = Listener(address)
    line = connect(address)
    began = time.monotonic()
    with pytest.raises(ChannelError, match="no answer"):
        line.receive(timeout=0.2)
    assert 0.15 < time.monotonic() - began < 1.0
    listener.close()


def test_a_side_that_went_away_is_noticed(address: Path) -> None:
    listener = Listener(address)
    line = connect(address)
    accepted(listener).close()
    with pytest.raises(ChannelError, match=r"went away|reset"):
        line.receive(timeout=1.0)
    listener.close()


def test_what_is_no_json_object_is_refused(address: Path) -> None:
    listener = Listener(address)
    line = connect(address)
    line._connection.sendall(b"[1]\nGET / HTTP/1.1\n")
    received = accepted(listener)
    for _ in range(2):
        with pytest.raises(ChannelError, match="not"):
            received.receive(timeout=1.0)
    listener.close()


def test_nobody_listens_at_a_left_over_address(address: Path) -> None:
    with pytest.raises(ChannelError, match="nobody listens"):
        connect(address)
    listener = Listener(address)
    listener._socket.close()  # as a kill does: the file stays
    with pytest.raises(ChannelError, match="nobody listens"):
        connect(address)
    Listener(address).close()


def test_a_listener_knows_when_its_address_is_taken_or_deleted(address: Path) -> None:
    first = Listener(address)
    assert first.still_reachable()
    second = Listener(address)
    assert not first.still_reachable()
    first.close()
    assert second.still_reachable()
    os.unlink(address)
    assert not second.still_reachable()
    second.close()
