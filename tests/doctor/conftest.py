"""A workspace as the stages leave it, small enough to be made by hand."""

import json
from pathlib import Path

import pytest

from versus import manifest
from versus.workspace import Workspace

PARAMS = """\
datasets:
  iris: {source: embedded, name: iris}
discriminative:
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
"""
LOCK = "schema: '2.0'\nstages:\n  fingerprint:\n    cmd: python -m stages.fingerprint\n"


def make_outputs(workspace: Workspace, cell: str) -> list[Path]:
    """What the stages of a cell write, as far as it is looked at; the folders of the cell."""
    dataset = cell.split("-")[0]
    for path in (
        workspace.model(cell) / "history.csv",
        workspace.evaluation(cell) / "evaluation.json",
        workspace.training_cost(cell),
        workspace.prepared(dataset) / "about.json",
        workspace.prepared(dataset) / manifest.NAME,
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return [workspace.model(cell), workspace.evaluation(cell)]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A healthy workspace, with one cell."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    workspace = Workspace(tmp_path)
    workspace.params.write_text(PARAMS)
    make_outputs(workspace, "iris-prior")
    fingerprints = tmp_path / "data" / "fingerprints"
    fingerprints.mkdir()
    (fingerprints / "train-iris-prior.txt").write_text("0  a.py\n")
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".dvc" / "tmp" / "rwlock").write_text(json.dumps({}))
    workspace.private.mkdir()
    return workspace
