"""Each fault, made on purpose, is named by one finding and mended by its fix; a healthy workspace has none."""

import pytest

from tests.doctor.conftest import PARAMS, make_outputs
from tests.doctor.faults import found, mend, the_only
from versus.workspace import Workspace


def test_a_healthy_workspace_has_no_faults(workspace: Workspace) -> None:
    assert found(workspace) == []


def test_params_that_cannot_be_read_are_named_by_line_and_no_cell_is_taken_for_an_orphan(workspace: Workspace) -> None:
    make_outputs(workspace, "gone-prior")
    workspace.params.write_text(PARAMS.replace("class:", "clas:"))
    finding = the_only(workspace)
    assert f"{workspace.params}:4:" in finding.problem
    assert finding.fix is None


@pytest.mark.parametrize(
    "name",
    [
        "data/.fingerprints/a.txt",
        "data/prepared/.iris.partial/X.npy",
        "reports/evaluations/.a-b.partial/x",
        ".versus/dvc.123",
    ],
)
def test_what_was_left_half_written_is_removed(workspace: Workspace, name: str) -> None:
    path = workspace.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("half")
    mend(workspace)
    assert not path.exists()


def test_a_half_made_store_is_removed(workspace: Workspace) -> None:
    path = workspace.root / "mlflow.db.123.partial"
    path.write_text("half")
    mend(workspace)
    assert not path.exists()


def test_while_a_repro_is_at_work_its_files_are_not_looked_at(workspace: Workspace) -> None:
    make_outputs(workspace, "gone-prior")
    (workspace.root / "dvc.lock").write_text("half")
    (workspace.root / "data/prepared/.iris.partial").mkdir()
    assert found(workspace, at_work=True) == []
