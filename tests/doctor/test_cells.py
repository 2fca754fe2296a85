"""Orphans and unfinished fits go; what is in use, of the user's, or behind a link stays."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.doctor.conftest import make_outputs
from tests.doctor.faults import found, mend, the_only
from versus.fitting import failure, unfinished
from versus.workspace import Workspace


def test_outputs_of_a_cell_and_a_data_set_that_are_gone_are_removed(workspace: Workspace) -> None:
    gone = [*make_outputs(workspace, "gone-prior"), workspace.prepared("gone")]
    gone += [workspace.model("gone-failed"), workspace.evaluation("gone-failed")]
    for folder in gone[-2:]:
        failure.write(folder, failure.Failure("ValueError: it diverged", "training"))
    findings = found(workspace)
    assert [f.fix is not None and any(str(path) in f.problem for path in gone) for f in findings] == [True] * 5
    for finding in findings:
        assert finding.fix is not None
        finding.fix()
    assert not any(path.exists() for path in gone)
    assert workspace.model("iris-prior").is_dir()
    assert found(workspace) == []


def test_what_no_stage_made_is_no_orphan(workspace: Workspace) -> None:
    (workspace.root / "models" / "my-notes").mkdir()
    (workspace.root / "models" / "README.md").write_text("mine")
    assert found(workspace) == []


def test_removal_follows_no_link(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "history.csv").write_text("kept")
    (workspace.root / "models" / "gone-linked").symlink_to(elsewhere)
    mend(workspace)
    assert not (workspace.root / "models" / "gone-linked").is_symlink()
    assert (elsewhere / "history.csv").read_text() == "kept"


def test_a_folder_reached_over_a_link_is_left_to_the_user(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    large_disk = tmp_path_factory.mktemp("large_disk") / "models"
    models, evaluation = make_outputs(workspace, "gone-prior")
    shutil.rmtree(evaluation)
    shutil.rmtree(workspace.prepared("gone"))
    (workspace.root / "models").rename(large_disk)
    (workspace.root / "models").symlink_to(large_disk)
    finding = the_only(workspace)
    assert finding.fix is None
    assert str(models) in finding.problem


def test_an_unfinished_fit_is_kept_as_long_as_training_would_go_on_with_it(workspace: Workspace) -> None:
    folder = workspace.unfinished("iris-prior")
    unfinished.open_folder(folder, unfinished.fingerprint(workspace, "train-iris-prior", "iris"))
    (folder / "0.checkpoint").write_text("state")
    assert found(workspace) == []
    (workspace.root / "data/fingerprints/train-iris-prior.txt").write_text("what stage `fingerprint` wrote since")
    mend(workspace)
    assert not folder.exists()


@pytest.mark.parametrize("place", [Workspace.unfinished, Workspace.fits])
def test_the_fits_of_a_cell_that_is_gone_are_removed(workspace: Workspace, place: Callable[..., Path]) -> None:
    place(workspace, "iris-gone").mkdir(parents=True)
    workspace.fits("iris-prior").mkdir(parents=True)
    mend(workspace)
    assert not place(workspace, "iris-gone").exists()
    assert workspace.fits("iris-prior").exists()


def test_an_unfinished_fit_is_not_removed_under_its_stage(workspace: Workspace) -> None:
    folder = workspace.unfinished("iris-gone")
    folder.mkdir(parents=True)
    fix = the_only(workspace).fix
    assert fix is not None
    with FileLock(unfinished.lock(folder)), pytest.raises(OSError, match="being fitted"):
        fix()
    assert folder.is_dir()
