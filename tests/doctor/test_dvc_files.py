"""DVC's own files after a kill."""

import argparse
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.doctor.faults import mend, the_only
from tests.doctor.programs import running_dvc
from versus.commands.doctor import run
from versus.pipeline import recovery
from versus.pipeline.doctor import dvc_files
from versus.workspace import Workspace


def test_a_cut_off_lock_comes_back_from_its_copy(workspace: Workspace) -> None:
    lock = workspace.root / "dvc.lock"
    whole = lock.read_text()
    recovery.keep_lock(workspace.root)
    lock.write_text(whole[:-7])
    assert the_only(workspace).problem.startswith("dvc.lock")
    mend(workspace)
    assert lock.read_text() == whole


def test_an_empty_rwlock_is_removed(workspace: Workspace) -> None:
    (workspace.root / recovery.RWLOCK).write_text("")
    mend(workspace)
    assert not (workspace.root / recovery.RWLOCK).exists()


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_rwlock_of_a_process_that_is_no_dvc_is_removed(workspace: Workspace, mode: str) -> None:
    """This test's own process has the number: it lives, so that DVC would wait for it for ever."""
    entry = {"pid": os.getpid(), "cmd": "dvc repro"}
    path = workspace.root / recovery.RWLOCK
    path.write_text(json.dumps({mode: {"models/iris-prior": [entry] if mode == "read" else entry}}))
    assert str(os.getpid()) in the_only(workspace).problem
    mend(workspace)


def test_an_rwlock_of_a_dvc_that_runs_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    path = workspace.root / recovery.RWLOCK
    with running_dvc(tmp_path, workspace.root) as number:
        path.write_text(json.dumps({"write": {"models/iris-prior": {"pid": number, "cmd": "dvc repro"}}}))
        assert list(dvc_files.stale_rwlock(workspace.root)) == []
    assert len(list(dvc_files.stale_rwlock(workspace.root))) == 1


def test_a_garbled_config_comes_back_from_the_last_commit(workspace: Workspace) -> None:
    (workspace.root / ".git").rmdir()
    config = workspace.root / ".dvc" / "config"
    config.write_text("[core]\n    analytics = false\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    for command in (("init", "-q"), ("add", ".dvc/config"), (*identity, "commit", "-qm", "start")):
        subprocess.run(["git", *command], cwd=workspace.root, check=True)
    config.write_text("[core\n")
    assert "at line 1" in the_only(workspace).problem
    mend(workspace)
    assert "analytics" in config.read_text()


def test_a_project_without_git_is_told_to_dvc(workspace: Workspace) -> None:
    (workspace.root / ".git").rmdir()
    assert "zip" in the_only(workspace).problem
    mend(workspace)


@pytest.mark.parametrize("name", [".versus/repro.lock", ".versus/dvc.lock", ".dvc/tmp/rwlock"])
def test_a_folder_in_place_of_a_file_is_removed(workspace: Workspace, name: str) -> None:
    path = workspace.root / name
    path.unlink(missing_ok=True)
    path.mkdir()
    assert run(argparse.Namespace(workspace=workspace.root, fix=False)) == 1
    mend(workspace)
    assert not path.exists()
