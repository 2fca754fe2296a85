"""Processes that work in a workspace are found, and never ended."""

import subprocess
from pathlib import Path

import pytest

from tests.doctor.programs import running_dvc
from versus.commands import add
from versus.pipeline.doctor import dvc_files
from versus.workspace import Workspace


def test_a_dvc_is_found_in_its_project_and_below_but_not_in_other_projects(
    workspace: Workspace, tmp_path: Path
) -> None:
    other = tmp_path / "runs" / "other"
    (other / ".dvc").mkdir(parents=True)
    with running_dvc(tmp_path, tmp_path / "data") as number:
        found = dvc_files.dvc_at_work(workspace.root)
        assert [p.pid for p in found] == [number]
        (finding,) = dvc_files.outside_the_lock(found)
        assert f"kill {number}" in finding.mend
        assert finding.fix is None
        assert dvc_files.dvc_at_work(other) == []
    assert dvc_files.dvc_at_work(workspace.root) == []
    with running_dvc(other, other):
        assert dvc_files.dvc_at_work(workspace.root) == []


def test_nothing_is_added_under_a_plain_dvc_repro(workspace: Workspace, tmp_path: Path) -> None:
    with running_dvc(tmp_path, workspace.root, "push"):
        add.expect_no_plain_repro(workspace.root)
    with (
        running_dvc(tmp_path, workspace.root, "repro") as number,
        pytest.raises(ValueError, match=rf"repro` \(process {number}\) is at work here"),
    ):
        add.expect_no_plain_repro(workspace.root)


def test_data_that_nobody_tracks_are_told(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("a,b\n")
    assert add.is_tracked(own)  # no git
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert not add.is_tracked(own)
    (tmp_path / ".git" / "info" / "exclude").write_text("own.csv\n")
    assert not add.is_tracked(own)
    subprocess.run(["git", "add", "-f", "own.csv"], cwd=tmp_path, check=True)
    assert add.is_tracked(own)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "b.csv").write_text("a,b\n")
    assert not add.is_tracked(tmp_path / "raw")
    (tmp_path / "raw.dvc").touch()
    assert add.is_tracked(tmp_path / "raw")
