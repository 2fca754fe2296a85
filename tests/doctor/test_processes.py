"""Processes that work in a workspace are found; a publisher that hangs is ended, a dvc never."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.doctor.programs import running_dvc
from tests.tracking.processes import wait_for
from versus.pipeline.doctor import leftovers, processes
from versus.tracking import channel, reach
from versus.tracking.channel import ChannelError
from versus.workspace import Workspace


def test_a_dvc_is_found_in_its_project_and_below_but_not_in_other_projects(
    workspace: Workspace, tmp_path: Path
) -> None:
    other = tmp_path / "runs" / "other"
    (other / ".dvc").mkdir(parents=True)
    with running_dvc(tmp_path, tmp_path / "data") as number:
        found = processes.dvc_at_work(workspace.root)
        assert [p.pid for p in found] == [number]
        (finding,) = processes.outside_the_lock(found)
        assert f"kill {number}" in finding.mend
        assert finding.fix is None
        assert processes.dvc_at_work(other) == []
    assert processes.dvc_at_work(workspace.root) == []
    with running_dvc(other, other):
        assert processes.dvc_at_work(workspace.root) == []


def listens(address: Path) -> bool:
    try:
        channel.connect(address).close()
    except ChannelError:
        return False
    return True


def test_a_publisher_that_hangs_without_an_address_is_ended(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PAUSE", 0.1)
    address = reach.address(workspace)
    child = reach.spawn(workspace, address)
    try:
        wait_for(lambda: listens(address), 60)
        assert list(processes.unreachable_publishers(workspace)) == []
        monkeypatch.chdir(workspace.root)  # a relative path is short, and the kind of an address depends on its length
        assert list(leftovers.dead_sockets(Workspace())) == []
        child.send_signal(signal.SIGSTOP)
        address.unlink()
        (finding,) = processes.unreachable_publishers(workspace)
        assert str(child.pid) in finding.problem
        assert finding.fix is not None
        finding.fix()
        assert not psutil.pid_exists(child.pid) or child.poll() is not None
        assert list(processes.unreachable_publishers(workspace)) == []
    finally:
        child.kill()
        child.wait()
