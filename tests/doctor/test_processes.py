"""Processes that work in a workspace are found, and never ended."""

from pathlib import Path

from tests.doctor.programs import running_dvc
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
