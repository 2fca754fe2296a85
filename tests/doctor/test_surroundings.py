"""Other versions of libraries than those that were tested, and a full disk."""

import shutil
from pathlib import Path

import pytest

from versus.pipeline.doctor import surroundings
from versus.pipeline.doctor.examination import CODE
from versus.workspace import Workspace

PINS = (CODE / "constraints.txt").read_text()


def test_other_versions_than_those_tested_are_named(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text(f"# pins\npytest=={pytest.__version__}\nnobody-has-this==1.0\n")
    assert list(surroundings.environment(pins)) == []
    pins.write_text("pytest==0.1\nnobody-has-this==1.0\n")
    (finding,) = surroundings.environment(pins)
    assert f"pytest {pytest.__version__} (tested: 0.1)" in finding.problem
    assert "nobody" not in finding.problem
    assert len(surroundings.pins(PINS)) > 100


def test_a_full_disk_is_named(workspace: Workspace) -> None:
    free = shutil.disk_usage(workspace.root).free
    assert list(surroundings.disk_space(workspace.root, least=free // 2)) == []
    (finding,) = surroundings.disk_space(workspace.root, least=free * 2)
    assert str(workspace.root) in finding.problem
